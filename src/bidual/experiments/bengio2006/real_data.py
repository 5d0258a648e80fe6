"""Beyond the paper: the oracles of sign and tanh units on real data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.bengio2006.moons import METHODS
from bidual.experiments.halves import SETS, halves
from bidual.experiments.panels import new_panels
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Incremental, Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STRENGTH, TOL = 5.0, 1e-3
BARS = {"objective": "objective", "seconds": "CPU seconds", "units": "hidden units", "error": "test error"}


@final
class RealData(Experiment):
    name = "real-data"
    claim = (
        "Beyond the paper: with many features the best sign unit cannot be found exactly in general. What the "
        "approximate oracles reach differs, and their own test cannot tell."
    )
    assumed = (
        "Half of breast_cancer and of the threes and eights of digits for training, half for testing; features of mean "
        f"0 and variance 1/d, labels -1 and 1, squared loss, strength {STRENGTH:g}, one split. An oracle is done when "
        f"its own relative gap, a priced one, is {TOL:g}."
    )

    def run(self, setting: Setting) -> Data:
        names, methods = [*SETS], [name for name in METHODS if name != "exact"]
        if setting.quick:
            names, methods = names[1:], [name for name in methods if not METHODS[name].tune]
        sets = {}
        for name in names:
            setting.note(name)
            sets[name] = {method: _measured(name, method) for method in methods}
        return {"sets": sets}

    def verdicts(self, data: Data) -> list[Verdict]:
        verdicts = []
        for name, runs in data["sets"].items():
            least = min(run["objective"] for run in runs.values())
            proven = max(run["bound"] for run in runs.values())
            said = "; ".join(f"{method}: {_said(run)}" for method, run in runs.items())
            verdicts.append(
                Verdict(f"{name}: all oracles reach the same objective", said, _spread(runs, "objective", least) <= TOL)
            )
            wrong = [method for method, run in runs.items() if run["priced_bound"] > least * (1 + TOL)]
            said = f"of {', '.join(wrong)} it would refute the best network found" if wrong else "all do"
            verdicts.append(Verdict(f"{name}: what an oracle prices as a bound is one", said, not wrong))
            verdicts.append(
                Verdict(
                    f"{name}: the best network found is proven optimal among all",
                    f"objective {least:.6g}, proven bound {proven:.6g}",
                    1 - proven / least <= TOL,
                )
            )
        return verdicts

    def plot(self, data: Data) -> Figure:
        sets = data["sets"]
        figure, axes = new_panels(len(sets), len(BARS), (12.5, 2.9 * len(sets) + 0.5), sharey="row", sharex="col")
        for row, (name, runs) in zip(axes, sets.items(), strict=True):
            for ax, what in zip(row, BARS, strict=True):
                ax.barh(range(len(runs)), [run[what] for run in runs.values()], color=PALETTE[0], height=0.6)
                ax.grid(alpha=0.25, axis="x")
                ax.set_axisbelow(True)
            row[0].axvline(max(run["bound"] for run in runs.values()), color="black", ls="--", lw=1.3)
            row[0].set_yticks(range(len(runs)), [*runs])
            row[0].invert_yaxis()
            row[0].set_title(f"{name} (dashed: proven bound)", fontsize="medium")
        for ax, label in zip(axes[-1], BARS.values(), strict=True):
            ax.set_xlabel(label)
        axes[-1][1].set_xscale("log")
        axes[-1][3].xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        return figure


def _measured(name: str, method: str) -> Data:
    data, chosen = halves(name), METHODS[method]
    problem = Problem(data.X, data.Y, Squared(), chosen.architecture, Strength(STRENGTH / 2), intercept=False)
    began = time.process_time()
    solution = Incremental(chosen.oracle, tune=chosen.tune).solve(problem, Stop(TOL, max_iter=300))
    certificate = solution.certificate
    found: dict[str, Any] = {
        "objective": 2 * certificate.primal,
        "priced_bound": 2 * (certificate.primal - certificate.priced_gap),
        "bound": 2 * certificate.global_dual,
        "rounds": len(solution.history) - 1,
        "seconds": time.process_time() - began,
        "units": solution.network.n_neurons,
        "error": data.test_error(solution.network),
    }
    return found


def _spread(runs: Data, what: str, least: float) -> float:
    return float(np.max([run[what] for run in runs.values()]) / least - 1.0)


def _said(run: Data) -> str:
    return (
        f"{run['objective']:.5g} in {run['rounds']} rounds, {run['seconds']:.1f} s, {run['units']} units, test error "
        f"{run['error']:.1%}"
    )

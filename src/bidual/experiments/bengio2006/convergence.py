"""The double moon: the objective falls and the proven bound rises as units are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.bengio2006.moons import METHODS, pose
from bidual.experiments.panels import legend_below, new_panels
from bidual.oracles import Swept, TanhAscent
from bidual.solvers import Incremental, Record, Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOISE, STRENGTH, TOL = 0.15, 1.0, 1e-6
RUNS: dict[str, tuple[str, Incremental]] = {
    "one unit a round (the paper's)": ("exact", Incremental(Swept(), columns=1)),
    "20 units a round": ("exact", Incremental(Swept(), columns=20)),
    "boosting": ("exact", Incremental(Swept(), columns=1, corrective="boosting")),
    "tanh, tuned": ("tanh, tuned, ascent", Incremental(TanhAscent(), columns=20, tune=True)),
}
ROUNDS = tuple(RUNS)[:2]
COLORS = dict(zip(RUNS, (PALETTE[2], PALETTE[0], PALETTE[1], PALETTE[3]), strict=True))


@final
class Convergence(Experiment):
    name = "convergence"
    claim = (
        "Units are added one by one until none improves the objective: the algorithm ends at the global optimum, with "
        "as many units as rows at most."
    )
    assumed = (
        "Double moon, 100 rows, noise 0.15, quadratic loss, strength 1. The paper's stopping test, best score < "
        "strength, can never fire, for at the exact minimum over the output weights the units in use score the "
        f"strength; here the duality gap stops, at {TOL:g} of the objective. Boosting sets one output weight a round. "
        "The first draw is drawn."
    )

    def run(self, setting: Setting) -> Data:
        draws, rounds, rows = (1, 100, 150) if setting.quick else (5, 1000, 300)
        data: dict[str, Any] = {"rounds": rounds, "rows": rows, "more_rows": _rounds_of_more(rows), "runs": {}}
        for name, (method, solver) in RUNS.items():
            setting.note(name)
            histories = []
            for seed in range(draws):
                problem = pose(NOISE, seed, "squared", STRENGTH, METHODS[method].architecture)
                histories.append(solver.solve(problem, Stop(TOL, max_iter=rounds)).history)
            data["runs"][name] = {
                "curve": _curve(histories[0]),
                "needed": [len(history) - 1 for history in histories],
                "gaps": [1.0 - history[-1].dual / history[-1].primal for history in histories],
                "units": [history[-1].n_neurons for history in histories],
            }
        return data

    def verdicts(self, data: Data) -> list[Verdict]:
        runs, verdicts = data["runs"], []
        for name, run in runs.items():
            gap, units = max(run["gaps"]), max(run["units"])
            said = f"{_few(run['needed'])} rounds, largest gap {gap:.1e}, at most {units} units"
            claim = f"{name}: proven optimal, with 100 units at most"
            verdicts.append(Verdict(claim, said, gap <= TOL and units <= 100))
        for rows, one, many in (
            (100, *(float(np.mean(runs[name]["needed"])) for name in ROUNDS)),
            (data["rows"], *data["more_rows"]),
        ):
            claim = f"{rows} rows: one unit a round needs at least three times as many rounds as 20"
            said = f"{one:.4g} and {many:.4g} rounds, {one / many:.3g} times as many"
            verdicts.append(Verdict(claim, said, one >= 3 * many))
        return verdicts

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 3, (12.5, 4.4))
        for name, run in data["runs"].items():
            curve, color = {key: np.array(values) for key, values in run["curve"].items()}, COLORS[name]
            for ax, at in ((axes[0], "round"), (axes[1], "units")):
                ax.plot(curve[at], curve["objective"], color=color, lw=2, label=name)
                ax.plot(curve[at], curve["bound"], color=color, lw=1.6, ls="--")
            gap = (curve["objective"] - curve["bound"]) / curve["objective"]
            axes[2].plot(curve["round"], np.maximum(gap, TOL / 10), color=color, lw=2)
        axes[0].set(xscale="log", yscale="log", xlabel="round", title="objective (lines), proven bound (dashed)")
        axes[1].set(xscale="symlog", yscale="log", xlabel="hidden units in use", title="the same, over units")
        axes[2].set(xscale="log", yscale="log", xlabel="round", title="certified gap, relative")
        axes[2].axhline(TOL, color="0.6", lw=1, ls=":")
        for ax in axes:
            ax.grid(alpha=0.25)
        legend_below(figure, axes[0], inches=3.0)
        return figure


def _rounds_of_more(rows: int) -> list[int]:
    """The rounds that one unit a round and 20 need on the first draw of more rows."""
    problem = pose(NOISE, 0, "squared", STRENGTH, METHODS["exact"].architecture, rows)
    return [len(RUNS[name][1].solve(problem, Stop(TOL)).history) - 1 for name in ROUNDS]


def _curve(history: tuple[Record, ...]) -> Data:
    """Rounds 1, 2, ...: all of the first, fewer and fewer later, and the last; in the paper's sums of squares."""
    at = sorted({*np.geomspace(1, len(history) - 1, 60).astype(int).tolist(), len(history) - 1})
    return {
        "round": at,
        "units": [history[t].n_neurons for t in at],
        "objective": [2 * history[t].primal for t in at],
        "bound": [2 * history[t].dual for t in at],
    }


def _few(counts: list[int]) -> str:
    return f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{counts[0]}"

"""How wide a network must be, and how wide it had better be for gradient descent to find it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.architectures import Neurons
from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.frank_wolfe2020.gradient_runs import adam, objectives
from bidual.experiments.frank_wolfe2020.toys import SEARCH, Case, reference
from bidual.experiments.panels import legend_below, new_panels
from bidual.oracles import BranchAndBound
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet
from bidual.solvers.prune import prune
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CASES = (Case(20, 25, 0.2), Case(25, 20, 0.2))
WIDTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 27, 40, 80)
REACHED = 1e-3
"""Relative distance from the optimum at which a run has reached it."""
COLORS = (PALETTE[0], PALETTE[2])


@final
class Widths(Experiment):
    name = "widths"
    claim = (
        "Networks of n + 2 neurons reach the optimum over all networks, of any width (equations 7 and 8); wider ones "
        "are easier to train."
    )
    assumed = (
        "Ten planted neurons, Gaussian rows, radius 0.2 of the planted size. The radius is replaced by the price at "
        "which the optimum has that size, so that gradient runs need no projection: Adam with a falling step size, "
        f"4000 steps, on weight decay. A run has reached the optimum within {REACHED:g} of it. The optimum is that of "
        "a convex program, proven over all networks by branch and bound."
    )

    def run(self, setting: Setting) -> Data:
        runs, steps, widths = (20, 1000, WIDTHS[::3]) if setting.quick else (100, 4000, WIDTHS)
        cases = []
        for case in CASES:
            setting.note(f"n = {case.n}, d = {case.d}")
            cases.append(_measured(case, widths, runs, steps))
        return {"runs": runs, "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        verdicts = []
        for case in data["cases"]:
            who, shares = f"n = {case['n']}, d = {case['d']}", np.array(case["reached"])
            widths, best = np.array(case["widths"]), np.array(case["best"])
            runs_best, wide = float(np.min(case["quantiles"][0])), best[widths <= case["n"] + 2][-1]
            narrow = widths[best <= 1e-6]
            verdicts += [
                Verdict(
                    f"{who}: no network is better than the convex optimum",
                    f"best of all gradient runs {runs_best:.1e} above it, proven gap {case['proven_gap']:.1e}",
                    case["proven_gap"] <= 1e-8 and min(runs_best, float(best.min())) >= -1e-8,
                ),
                Verdict(
                    f"{who}: n + 2 neurons reach it",
                    f"{max(wide, 0.0):.1e} above it; {narrow.min() if narrow.size else 'no'} neurons reach it to 1e-6",
                    bool(wide <= 1e-4),
                ),
                Verdict(
                    f"{who}: n neurons are enough",
                    f"{case['neurons']} in the convex optimum; the best run of {widths[-1]} neurons has "
                    f"{case['pruned']} after pruning, its objective changed by {case['pruned_by']:.1e}",
                    case["neurons"] <= case["n"] and case["pruned"] <= case["n"] and case["pruned_by"] <= 1e-9,
                ),
                Verdict(
                    f"{who}: wider networks are easier to train",
                    "runs that reach the optimum: "
                    + ", ".join(f"{share:.0%} ({width})" for width, share in zip(widths, shares, strict=True)),
                    bool(shares[-1] > 0.9 > shares[0] and np.all(np.diff(shares) > -0.1)),
                ),
            ]
        return verdicts

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 3, (13.0, 4.5), width_ratios=(1, 1, 1))
        for ax, case, color in zip(axes, data["cases"], COLORS, strict=False):
            widths, quantiles = case["widths"], np.maximum(case["quantiles"], 1e-7)
            ax.fill_between(widths, quantiles[0], quantiles[-1], color=color, alpha=0.12, lw=0)
            ax.fill_between(widths, quantiles[1], quantiles[3], color=color, alpha=0.25, lw=0)
            ax.plot(widths, quantiles[2], color=color, lw=2, label="gradient runs: all, middle half, median")
            ax.plot(
                widths, np.maximum(case["best"], 1e-7), "o-", color="black", lw=1.2, ms=4, label="best network found"
            )
            ax.axvline(case["neurons"], color="0.5", ls=":", lw=1.2, label="neurons of the convex optimum")
            ax.axvline(case["n"] + 2, color="0.5", ls="--", lw=1.2, label="n + 2")
            ax.axhline(REACHED, color="0.8", lw=1)
            ax.set(yscale="log", ylim=(5e-8, 2), title=f"n = {case['n']}, d = {case['d']}: objective")
            axes[2].plot(
                widths, case["reached"], "o-", color=color, lw=2, ms=4, label=f"n = {case['n']}, d = {case['d']}"
            )
        axes[0].set_ylabel("relative distance from the convex optimum")
        axes[2].set(title=f"share of the runs within {REACHED:g}", ylim=(-0.03, 1.03))
        axes[2].legend(frameon=False, loc="lower right")
        for ax in axes:
            ax.set(xscale="log", xlabel="width")
            ax.set_xticks([1, 2, 5, 10, 20, 40, 80], ["1", "2", "5", "10", "20", "40", "80"])
            ax.minorticks_off()
            ax.grid(alpha=0.25)
        legend_below(figure, axes[0], inches=3.0)
        return figure


def _measured(case: Case, widths: tuple[int, ...], runs: int, steps: int) -> Data:
    ball = case.problem(0)
    problem = _priced(ball)
    beta, A, y = problem.penalty.value(1.0), ball.X, ball.Y[:, 0]
    solution = WorkingSet(oracle=BranchAndBound(SEARCH)).solve(problem, Stop(1e-9))
    optimum, certificate = solution.certificate.primal, solution.certificate
    found: dict[str, list[Any]] = {"quantiles": [], "best": [], "reached": []}
    for width in widths:
        W, v = adam(A, y, beta, width, runs, steps, seed=0)
        above = objectives(A, y, beta, W, v) / optimum - 1.0
        limited = WorkingSet(max_neurons=width).solve(problem, Stop(1e-9, max_iter=20)).certificate.primal
        found["quantiles"].append(np.quantile(above, [0, 0.25, 0.5, 0.75, 1]).tolist())
        found["best"].append(min(float(above.min()), limited / optimum - 1.0))
        found["reached"].append(float(np.mean(above <= REACHED)))
    k = int(np.argmin(above))
    pruned, after = _pruned(problem, W[k], v[k])
    return {
        "n": case.n,
        "d": case.d,
        "widths": list(widths),
        "neurons": solution.network.n_neurons,
        "proven_gap": certificate.global_relative_gap,
        "pruned": pruned,
        "pruned_by": after / optimum - 1.0 - float(above[k]),
        **found,
        "quantiles": np.transpose(found["quantiles"]).tolist(),
    }


def _priced(ball: Problem) -> Problem:
    """The problem with the price at which the optimum has the size of the ball: there ``<V, F> = price size``."""
    assert isinstance(ball.penalty, Ball)
    F = reference(ball).network(ball.X)
    return replace(ball, penalty=Strength(float(np.sum(ball.dual_vector(F) * F)) / ball.penalty.radius))


def _pruned(problem: Problem, W: Matrix, v: Vector) -> tuple[int, float]:
    """Neurons and objective of the network of weights W (d, m) and v (m,) after pruning."""
    sizes = np.linalg.norm(W, axis=0)
    used = sizes * np.abs(v) > 0
    neurons = Neurons(W[:, used] / sizes[used], np.sign(v[used])[None])
    neurons, t = prune(problem, neurons, (sizes * np.abs(v))[used])
    return len(neurons), problem.objective(problem.architecture.to_network(neurons, t, np.zeros(1)))

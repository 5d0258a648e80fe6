"""How many sub-networks, and how wide, a gradient run needs to reach the convex optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.descent import Method, missing_torch
from bidual.experiments.panels import legend_below, new_panels
from bidual.experiments.three_layer2021.toy_runs import toy_runs
from bidual.experiments.three_layer2021.toys import Toy, normal, spike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOYS = (spike(5, 0.05), normal(1, 0.03, 7, 2), normal(2, 0.1, 7, 3))
RATE, REACHED, FLOOR = 0.05, 1e-4, 1e-8


@final
class Widths(Experiment):
    name = "widths"
    claim = (
        "The training problem of K sub-networks has the optimum of the convex program as soon as K >= K*, K* <= n the "
        "number that the convex optimum has (Theorem 1); one hidden unit a sub-network (m_1 = 1) is two layers."
    )
    assumed = (
        "The non-convex optimum is the best of 60 runs of Adam, 3000 steps, first step size "
        f"{RATE:g}: an upper bound of it. Left: sub-networks of n units. Right: n sub-networks. K* is that of the "
        "convex optimum after pruning; another optimum may have fewer. A run has reached the optimum within "
        f"{REACHED:g} of it."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_torch()

    def run(self, setting: Setting) -> Data:
        runs, steps = (20, 200) if setting.quick else (60, 3000)
        cases = []
        for toy in TOYS[: 1 if setting.quick else 3]:
            setting.note(toy.title)
            cases.append(_measured(toy, runs, steps))
        return {"runs": runs, "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        verdicts = []
        for case in data["cases"]:
            title, K_star, best = case["title"], case["K"], np.min(case["by_K"], axis=1)
            counts, two = np.arange(1, best.size + 1), case["two_layer"] / case["optimum"] - 1
            narrow, wide = best[counts < K_star], best[counts >= K_star]
            first = counts[best <= REACHED]
            said = ", ".join(f"{value:.1e} (K = {K})" for K, value in zip(counts, best, strict=True))
            verdicts += [
                Verdict(
                    f"{title}: K* = {K_star} sub-networks attain the optimum, those of the convex program",
                    f"relative gap {case['gap']:.1e}",
                    case["gap"] <= REACHED,
                ),
                Verdict(
                    f"{title}: K >= K* reach it by Adam",
                    f"K* = {K_star}; best above it by {said}",
                    bool(np.all(wide <= REACHED)),
                ),
                Verdict(
                    f"{title}: K < K* do not reach it",
                    f"from K = {first[0] if first.size else 'none'} on within {REACHED:g}",
                    bool(np.all(narrow > REACHED)),
                ),
                Verdict(f"{title}: none is below it", f"lowest {best.min():+.1e}, relatively", best.min() > -1e-7),
                Verdict(
                    f"{title}: m_1 = 1 has the optimum of two layers",
                    f"{min(case['by_m'][0]):.4%} above three layers; two layers {two:.4%}",
                    abs(min(case["by_m"][0]) - two) <= REACHED,
                ),
            ]
        return verdicts

    def plot(self, data: Data) -> Figure:
        cases = data["cases"]
        figure, axes = new_panels(len(cases), 2, (10.0, 3.0 * len(cases) + 0.8), sharey="row")
        for row, case in zip(axes, cases, strict=True):
            for ax, key, label in zip(row, ("by_K", "by_m"), ("sub-networks K", "units m_1"), strict=True):
                excess = np.maximum(case[key], FLOOR)
                counts = np.arange(1, len(excess) + 1)
                ax.plot(counts, excess, "o", color=PALETTE[0], alpha=0.25, ms=4, mew=0)
                ax.plot(counts, excess.min(axis=1), "o-", color="black", lw=1.5, ms=4, label="best of the runs of Adam")
                two = case["two_layer"] / case["optimum"] - 1
                ax.axhline(two, color=PALETTE[2], ls="--", lw=1.5, label="convex optimum of two layers")
                ax.set(yscale="log", ylim=(FLOOR / 2, 20), xlabel=label)
                ax.set_xticks(counts)
                ax.grid(alpha=0.25)
            row[0].axvline(case["K"], color="0.5", ls=":", lw=1.5, label="K* of the convex optimum")
            row[0].set_ylabel(case["title"].replace(", beta", ",\nbeta") + "\nobjective / optimum - 1")
        legend_below(figure, axes[0, 0], inches=2.6)
        return figure


def _measured(toy: Toy, runs: int, steps: int) -> Data:
    def ends(m: int, K: int) -> list[float]:
        excess: Any = toy_runs(toy, m, K, Method("adam", RATE), runs, steps, 2)[1]
        return [float(f"{value:.4g}") for value in excess[-1]]

    n = toy.X.shape[0]
    return {
        "title": toy.title,
        "optimum": toy.three_layers.certificate.primal,
        "two_layer": toy.two_layers.certificate.primal,
        "gap": toy.three_layers.certificate.relative_gap,
        "K": int(toy.three_layers.network.n_branches or 0),
        "by_K": [ends(n, K) for K in range(1, n + 1)],
        "by_m": [ends(m, n) for m in range(1, n + 1)],
    }

"""Closed forms, their dual bounds, and the best that training finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.descent import Method, missing_torch
from bidual.experiments.duality2020.training import train
from bidual.experiments.panels import legend_below, new_panels
from bidual.theorems import DeepProblem, solve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = (2, 3, 4, 5)
KINDS = ("linear, one output", "linear, whitened", "ReLU, rank one", "ReLU, whitened", "ReLU, batch norm")
FLOOR = 1e-15
FOUND = 1e-6
"""Relative excess up to which a run counts as having reached the optimum."""


@final
class StrongDuality(Experiment):
    name = "strong-duality"
    claim = (
        "Strong duality holds (Theorems 1 to 4): the closed form attains the dual bound, at every depth, for linear "
        "networks, for ReLU networks on rank-one and whitened data, and with batch normalisation. No training ends "
        "below."
    )
    assumed = (
        "6 rows, 8 features, normal data, 2 outputs where there are several, one-hot ones for whitened ReLU; beta is "
        "0.3, with batch normalisation 0.1. For deep linear networks of one output the bound is that of a branch and "
        "bound over the norm, at each value of which there is a dual. The bound of deep ReLU is that of parallel "
        "branches of one neuron in the last hidden layer; these are trained. Adam: 20 runs on each of the first 2 "
        "seeds. Differences below 1e-15 are drawn there."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_torch()

    def run(self, setting: Setting) -> Data:
        seeds, trained, steps = (2, 1, 200) if setting.quick else (20, 2, 1500)
        depths = DEPTHS[:2] if setting.quick else DEPTHS
        cases = []
        for L in depths:
            setting.note(f"L = {L}")
            for kind in KINDS:
                problems = [_problem(kind, L, seed) for seed in range(seeds)]
                gaps = [solve(problem).certificate.relative_gap for problem in problems]
                excess = [each for problem in problems[:trained] for each in _excess(problem, steps)]
                cases.append({"kind": kind, "L": L, "gaps": gaps, "excess": excess})
        return {"seeds": seeds, "trained": trained, "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        return [verdict for kind in KINDS for verdict in _judged(kind, data)]

    def plot(self, data: Data) -> Figure:
        depths = sorted({case["L"] for case in data["cases"]})
        figure, (axes,) = new_panels(1, len(depths), (12.0, 4.6), sharex=True, sharey="row")
        jitter = np.random.default_rng(0).uniform(-0.17, 0.17, 1000)
        for ax, L in zip(axes, depths, strict=True):
            for row, kind in enumerate(KINDS):
                case = next(each for each in data["cases"] if (each["L"], each["kind"]) == (L, kind))
                runs = np.maximum(np.abs(case["excess"]), FLOOR)
                gaps = np.maximum(np.abs(case["gaps"]), FLOOR)
                ax.plot(runs, row + 0.1 + jitter[: runs.size], "o", color=PALETTE[0], alpha=0.5, ms=4.5, mew=0)
                ax.plot(gaps, np.full(gaps.size, row - 0.28), "|", color="black", ms=8, mew=1.5)
            ax.set(xscale="log", xlim=(FLOOR / 2, 20), title=f"L = {L}", xlabel="relative difference")
            ax.set_yticks(range(len(KINDS)), KINDS)
            ax.set_ylim(len(KINDS) - 0.4, -0.6)
            ax.grid(alpha=0.25, axis="x")
        axes[0].plot([], [], "o", color=PALETTE[0], label="runs of Adam: distance to the closed form")
        axes[0].plot(
            [], [], "|", color="black", ms=8, mew=1.5, ls="", label="closed form: gap to its dual bound, over the seeds"
        )
        legend_below(figure, axes[0])
        return figure


def _judged(kind: str, data: Data) -> list[Verdict]:
    cases = [case for case in data["cases"] if case["kind"] == kind]
    gap, lowest = max(max(case["gaps"]) for case in cases), min(min(case["excess"]) for case in cases)
    shares = ", ".join(f"{np.mean(np.array(case['excess']) < FOUND):.0%} (L = {case['L']})" for case in cases)
    return [
        Verdict(
            f"{kind}: primal = dual", f"relative gap at most {gap:.1e}, {data['seeds']} seeds a depth", gap < 1e-10
        ),
        Verdict(
            f"{kind}: no run ends below the closed form",
            f"lowest {lowest:+.1e}; within {FOUND:g} of it: {shares} of the runs",
            lowest > -1e-9,
        ),
    ]


def _problem(kind: str, L: int, seed: int) -> DeepProblem:
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((6, 8)), 3 * rng.standard_normal((6, 2))
    white, classes = np.linalg.qr(rng.standard_normal((8, 8)))[0][:6], 2 * np.repeat(np.eye(2), [2, 4], axis=0)
    rank_one = np.outer(np.abs(rng.standard_normal(6)), rng.standard_normal(8))
    if kind == "linear, one output":
        return DeepProblem(X, Y[:, 0], L, "linear", 0.3)
    if kind == "linear, whitened":
        return DeepProblem(white, Y, L, "linear", 0.3)
    if kind == "ReLU, rank one":
        return DeepProblem(rank_one, Y, L, "relu", 0.3)
    if kind == "ReLU, whitened":
        return DeepProblem(white, classes, L, "relu", 0.3)
    return DeepProblem(X, classes, L, "relu", 0.1, batch_norm=True)


def _excess(problem: DeepProblem, steps: int) -> list[float]:
    """How much higher than the closed form each run ends, relatively."""
    L, parallel = problem.n_layers, problem.activation == "relu" and problem.n_layers > 2
    sizes = (4,) * (L - 2) + (1,) if parallel else (6,) * (L - 1)
    run = train(problem, sizes, Method(step=0.06), branches=6 if parallel else 1, runs=20, steps=steps)
    return (run.objectives[-1] / solve(problem).certificate.primal - 1).tolist()

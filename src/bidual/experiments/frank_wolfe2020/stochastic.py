"""Stochastic Frank-Wolfe: what sampled gradients save, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.frank_wolfe2020.toys import SEARCH, Case, reference
from bidual.experiments.panels import legend_below, new_panels
from bidual.problem import Problem
from bidual.solvers import Budget, StochasticFrankWolfe
from bidual.solvers.frank_wolfe import rate
from bidual.solvers.stochastic_frank_wolfe import natural_growth, sample_size
from bidual.typing import Matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CASES = (Case(25, 20, 0.2), Case(25, 20, 1.0))
GROWTHS: dict[str, float | None] = {"all rows": 1e3, "rows as in theory": None, "slower growth": 0.14}
COLORS = dict(zip(GROWTHS, (PALETTE[2], PALETTE[0], PALETTE[1]), strict=True))
NEAR = (0.1, 0.01)
"""Distances from the optimum, as shares of ||y||^2."""


@final
class Stochastic(Experiment):
    name = "stochastic"
    claim = (
        "Frank-Wolfe with gradients on m_t = (G (t + 1) / (L D))^2 sampled rows, n = 25 rows of d = 20 features: the "
        "expected distance from the optimum is at most 4 L D^2 / (t + 2), and fewer rows are looked at."
    )
    assumed = (
        "As for the variants; G is the Lipschitz constant of a row's loss, L its smoothness and D the diameter of the "
        "ball (reviews exchange their names), the bound is on the mean over the rows. Slower growth: m_t = "
        "(0.14 (t + 1))^2. Oracles see the sampled rows. Thick lines are means over the seeds."
    )

    def run(self, setting: Setting) -> Data:
        seeds, steps = (2, 8) if setting.quick else (4, 64)
        data: dict[str, Any] = {"seeds": seeds, "cases": []}
        for case in CASES[: 1 if setting.quick else 2]:
            setting.note(case.title.replace("\n", ", "))
            data["cases"].append(_measured(case, seeds, steps))
        return data

    def verdicts(self, data: Data) -> list[Verdict]:
        verdicts = []
        for case in data["cases"]:
            title, sampled = case["title"].split("\n")[1], case["runs"]["rows as in theory"]
            share = float(np.max(np.mean(sampled["excess"], axis=0) / np.array(case["bound"])))
            steps, full = case["steps"][-1], next(t for t, size in enumerate(case["sizes"], 1) if size == 25)
            verdicts += [
                Verdict(
                    f"{title}: the mean distance is at most 4 L D^2 / (t + 2)", f"at most {share:.1e} of it", share <= 1
                ),
                Verdict(f"{title}: a step looks at fewer than all rows", f"all 25 from step {full} on", full > steps),
                *(verdict for near in NEAR for verdict in _fewer_rows(case, title, near)),
            ]
        return verdicts

    def plot(self, data: Data) -> Figure:
        figure, axes = new_panels(len(data["cases"]), 2, (9.5, 3.2 * len(data["cases"]) + 1))
        for row, case in zip(axes, data["cases"], strict=True):
            for ax, at in zip(row, ("steps", "rows"), strict=True):
                for name, run in case["runs"].items():
                    x = case["steps"] if at == "steps" else run["rows"]
                    excess = np.maximum(run["excess"], 1e-6)
                    ax.plot(x, excess.T, color=COLORS[name], lw=0.6, alpha=0.5)
                    ax.plot(x, excess.mean(axis=0), "o-", color=COLORS[name], lw=2, ms=3.5, label=name)
                ax.set(xscale="log", yscale="log", xlabel=f"{at}" + (" looked at" if at == "rows" else ""))
                ax.grid(alpha=0.25)
            row[0].plot(case["steps"], case["bound"], "k--", lw=1.2, label=r"bound, $4LD^2/(t+2)$")
            row[0].set_ylabel(r"(loss - optimum) / $\|y\|^2$")
            row[0].set_title(case["title"].replace("\n", ", "), fontsize="medium")
        legend_below(figure, axes[0, 0], inches=2.4)
        return figure


def _measured(case: Case, seeds: int, steps: int) -> Data:
    judged = sorted({*(2**k for k in range(steps.bit_length())), steps})
    runs: dict[str, Any] = {name: {"excess": []} for name in GROWTHS}
    bounds = []
    for seed in range(seeds):
        problem = case.problem(seed)
        n, scale = problem.X.shape[0], problem.loss_value(np.zeros_like(problem.Y))
        optimum = reference(problem).certificate.primal
        for name, growth in GROWTHS.items():
            runs[name]["excess"].append([(loss - optimum) / scale for loss in _losses(problem, growth, steps, seed)])
        bounds.append([2 * n * rate(problem, t + 1) / scale for t in judged])
    for name, growth in GROWTHS.items():
        sizes = [sample_size(n, growth or natural_growth(problem), t) for t in range(1, steps + 1)]
        runs[name]["rows"] = np.cumsum(sizes)[np.array(judged) - 1].tolist()
    sizes = [sample_size(n, natural_growth(problem), t) for t in range(1, 10_000)]
    return {
        "title": case.title,
        "steps": judged,
        "bound": np.mean(bounds, axis=0).tolist(),
        "sizes": sizes[: sizes.index(n) + 1],
        "runs": runs,
    }


def _losses(problem: Problem, growth: float | None, steps: int, seed: int) -> list[float]:
    """After 1, 2, 4, ... steps and the last."""
    solver = StochasticFrankWolfe(steps, growth, SEARCH, seed)
    return [problem.loss_value(it.network(problem.X)) for it in solver.iterates(problem, None, Budget(1e-12))]


def _fewer_rows(case: Data, title: str, near: float) -> list[Verdict]:
    """The rows until the mean distance is below ``near`` at a judged step; nothing where no run gets there."""
    needed = {}
    for name, run in case["runs"].items():
        means: Matrix = np.mean(run["excess"], axis=0)
        needed[name] = next((rows for rows, mean in zip(run["rows"], means, strict=True) if mean <= near), None)
    if not any(needed.values()):
        return []
    sampled, whole = needed["rows as in theory"], needed["all rows"]
    said = ", ".join(f"{'never' if rows is None else rows} ({name})" for name, rows in needed.items())
    fewer = sampled is not None and (whole is None or sampled < whole)
    return [Verdict(f"{title}: fewer rows are looked at until the mean distance is {near:g}", said, fewer)]

"""How often a method fits the data, and how often it finds what was planted, from few rows to many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from bidual.experiments.base import Data, Setting
from bidual.experiments.panels import legend_below, new_panels
from bidual.experiments.shallow2019.problems import EXACT, Planted, loss_on_test_rows, planted_problems, relative
from bidual.experiments.shallow2019.style import draw_rates
from bidual.planted import gradient_descent
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Method = Callable[[Planted], Matrix]
"""Weights (k, d, m) for the problems."""

FOUND = 1e-6
"""A test loss below this share of ``||y||^2`` counts as the planted network found."""
D = 10
RATIOS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 6.0)
ASSUMED = (
    f"d = {D}, step size 1 / (2 m ||A||^2) for m neurons, standard normal rows, neurons and first weights. Fitted: "
    f"training loss below {EXACT:g} of ||y||^2. Found: test loss below {FOUND:g} of ||y||^2. Where the rows are "
    "independent, weights that need no training fit: A^+ y for one neuron and -A^+ 1 for the others."
)


def descent(objective: str, steps: int) -> Method:
    """Gradient descent from standard normal weights."""

    def weights(problems: Planted) -> Matrix:
        m = problems.weights.shape[-1]
        return gradient_descent(problems.A, problems.y, m, objective, steps=steps, seed=1).weights

    return weights


def untrained(problems: Planted) -> Matrix:
    """``A^+ y`` for one neuron, ``-A^+ 1`` for the others: these activate no row where the rows are independent."""
    targets = np.repeat(-np.ones_like(problems.y)[..., None], problems.weights.shape[-1], axis=-1)
    targets[..., 0] = problems.y
    return np.asarray(np.linalg.pinv(problems.A) @ targets)


def measured(setting: Setting, k: int, m: int, methods: Mapping[str, Method]) -> Data:
    """For each method the shares of k problems that it fits, and of which it finds the planted network."""
    ratios = RATIOS[::2] if setting.quick else RATIOS
    shares: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for ratio in ratios:
        setting.note(f"{m} planted, n / d = {ratio:g}")
        problems = planted_problems(k, round(ratio * D), D, m)
        for name, method in methods.items():
            shares[name].append(_shares(problems, method(problems)))
    fitted = {name: [each[0] for each in pairs] for name, pairs in shares.items()}
    found = {name: [each[1] for each in pairs] for name, pairs in shares.items()}
    return {"m": m, "ratios": list(ratios), "fitted": fitted, "found": found}


def few_and_many(case: Data, which: str, name: str) -> tuple[Vector, Vector]:
    """The shares of a method for n <= d, and those for n > d."""
    few, shares = np.array(case["ratios"]) <= 1.0, np.array(case[which][name])
    return shares[few], shares[~few]


def spelled(ratios: Vector, *shares: Vector) -> str:
    """``60% / 40% (1.4), ...``: the shares at each n / d."""
    rows = zip(ratios, np.transpose(shares), strict=True)
    return ", ".join(" / ".join(f"{share:.0%}" for share in row) + f" ({ratio:g})" for ratio, row in rows)


def plot_rates(cases: list[Data]) -> Figure:
    """A column for each number of neurons: fitted above found."""
    figure, axes = new_panels(2, len(cases), (4.0 + 3.5 * len(cases), 6.2), sharex=True, sharey="row")
    for column, case in zip(axes.T, cases, strict=True):
        ratios = case["ratios"]
        for ax, which in zip(column, ("fitted", "found"), strict=True):
            ax.axvspan(ratios[0], 1, color="0.94", lw=0)
            for method, shares in case[which].items():
                draw_rates(ax, ratios, shares, method)
            ax.set(xscale="log", xlim=(ratios[0], ratios[-1]), ylim=(-0.03, 1.03))
            ax.set_xticks(ratios, [f"{ratio:g}" for ratio in ratios])
            ax.minorticks_off()
            ax.grid(alpha=0.25)
        column[0].set_title(f"{case['m']} neurons" if case["m"] > 1 else "one neuron")
        column[1].set_xlabel("n / d  (grey: no more rows than features)")
    axes[0, 0].set_ylabel("data fitted,\nshare of seeds")
    axes[1, 0].set_ylabel("planted network found,\nshare of seeds")
    legend_below(figure, axes[0, 0])
    return figure


def _shares(problems: Planted, weights: Matrix) -> tuple[float, float]:
    residual = np.maximum(problems.A @ weights, 0.0).sum(axis=-1) - problems.y
    fitted = relative(np.sum(residual * residual, axis=1), problems.y) < EXACT
    return float(np.mean(fitted)), float(np.mean(loss_on_test_rows(problems, weights) < FOUND))

"""Training and test loss, step by step, over many planted problems side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from bidual.experiments.base import Data
from bidual.experiments.panels import legend_below, new_panels
from bidual.experiments.shallow2019.problems import Planted, relative
from bidual.experiments.shallow2019.style import draw_quartiles
from bidual.planted import gradient_descent
from bidual.typing import Matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def shown_steps(steps: int) -> list[int]:
    """The steps at which curves are kept: all of the first, fewer and fewer later."""
    return sorted({0, *np.geomspace(1, steps, 80).astype(int).tolist()})


def descents(problems: Planted, methods: Mapping[str, str], steps: int) -> Data:
    """For each name of a method: quartiles over the problems at ``shown_steps``, and the last training losses."""
    found, shown = {}, shown_steps(steps)
    for name, method in methods.items():
        m = problems.weights.shape[-1]
        descent = gradient_descent(problems.A, problems.y, m, method, steps=steps, seed=1, test=problems.test)
        assert descent.test_losses is not None
        train, test = relative(descent.losses, problems.y), relative(descent.test_losses, problems.test_y)
        found[name] = curves(train[:, shown], test[:, shown])
    return found


def curves(train: Matrix, test: Matrix) -> Data:
    """Quartiles over the problems (k, steps), to four digits, and the last training loss of each problem."""
    return {"train": _quartiles(train), "test": _quartiles(test), "last": train[:, -1].tolist()}


def title(case: Data) -> str:
    """Which problem a panel shows."""
    neurons = f", {case['m']} neurons" if case["m"] > 1 else ""
    sign = ">" if case["n"] > case["d"] else "=" if case["n"] == case["d"] else "<"
    return f"n = {case['n']} {sign} d = {case['d']}{neurons}"


def plot_curves(steps: list[int], cases: Iterable[Data]) -> Figure:
    """A column for each case, training above test."""
    listed = list(cases)
    figure, axes = new_panels(2, len(listed), (10.5, 6.2), sharex=True, sharey="row")
    for column, case in zip(axes.T, listed, strict=True):
        column[0].set_title(title(case))
        for ax, which in zip(column, ("train", "test"), strict=True):
            for method, curve in case["methods"].items():
                draw_quartiles(ax, steps, curve[which], method)
            ax.set(xscale="symlog", yscale="log", xlim=(0, steps[-1]))
            ax.grid(alpha=0.25)
        column[1].set_xlabel("steps")
    axes[0, 0].set_ylabel("training loss / $||y||^2$")
    axes[1, 0].set_ylabel("test loss / $||y||^2$")
    legend_below(figure, axes[0, 0])
    return figure


def _quartiles(losses: Matrix) -> list[list[float]]:
    return [[float(f"{value:.4g}") for value in row] for row in np.quantile(losses, (0.25, 0.5, 0.75), axis=0)]

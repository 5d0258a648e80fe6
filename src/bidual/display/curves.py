"""Curves of a function of one feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bidual.display.base import MARKERS, NEUTRAL, PALETTE, class_rows, colors_of
from bidual.display.responses import Response
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_KINKS = 60
"""Up to as many kinks are circled on the curve; more become ticks at the bottom."""


def kinks(normals: Matrix, offsets: Vector) -> Vector:
    """Where neurons switch on a line: the roots of ``s * normals[0] + offsets``."""
    if normals.shape[0] != 1:
        return np.zeros(0)
    moving = normals[0] != 0
    return np.unique(-offsets[moving] / normals[0, moving])


def draw_curves(
    ax: Axes, grid: Vector, response: Response, data: Matrix | None, y: NDArray[Any] | None, roots: Vector
) -> None:
    """One curve for each output or class, the data beneath, circles where neurons switch."""
    count = response.values.shape[1]
    colors = [PALETTE[0]] if count == 1 else colors_of(count)
    if response.classes is not None and count == 1:
        ax.axhline(response.boundary, color=NEUTRAL, lw=1, ls=":", label="decision boundary")
    if response.classes is None and data is not None:
        _points(ax, data[:, 0], y, colors)
    for k, values in enumerate(response.values.T):
        label = None
        if count > 1:
            label = f"output {k}" if response.classes is None else f"class {response.classes[k]}"
        ax.plot(grid, values, color=colors[k], lw=2, label=label)
    _mark(ax, grid, response.values, roots[(grid[0] <= roots) & (roots <= grid[-1])])
    if response.classes is not None and data is not None:
        _class_ticks(ax, data[:, 0], response.classes, y)
    ax.set_xlim(grid[0], grid[-1])
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize="small", ncols=1 if count < 6 else 2)


def _points(ax: Axes, x: Vector, y: NDArray[Any] | None, colors: list[Any]) -> None:
    """The observations, or ticks at their places if their targets are not known."""
    alpha = 0.6 if x.size < 500 else 0.25
    if y is None:
        ax.plot(x, np.zeros(x.size), "|", color=NEUTRAL, ms=8, alpha=alpha, transform=ax.get_xaxis_transform())
        return
    Y = np.asarray(y, dtype=np.float64).reshape(x.size, -1)
    for k, column in enumerate(Y.T):
        color = NEUTRAL if Y.shape[1] == 1 else colors[k % len(colors)]
        ax.plot(x, column, ".", color=color, alpha=alpha, mew=0, ms=7, label="data" if k == 0 else None)


def _class_ticks(ax: Axes, x: Vector, classes: NDArray[Any], y: NDArray[Any] | None) -> None:
    """The observations as one row of marks for each class, at the bottom."""
    colors = colors_of(len(classes))
    step = min(0.035, 0.25 / len(classes))
    low, high = ax.get_ylim()
    ax.set_ylim(low - (high - low) * step * len(classes), high)
    for k, rows in enumerate(class_rows(classes, y, x.size)):
        height = np.full(rows.size, step * (k + 0.7))
        style: dict[str, Any] = {"color": colors[k] if y is not None else NEUTRAL, "marker": MARKERS[k % len(MARKERS)]}
        label = f"data of class {classes[k]}" if y is not None and len(classes) == 2 else None
        transform = ax.get_xaxis_transform()
        ax.plot(x[rows], height, ls="none", ms=3.5, mew=0, alpha=0.6, label=label, transform=transform, **style)


def _mark(ax: Axes, grid: Vector, values: Matrix, roots: Vector) -> None:
    label = f"neurons switch ({roots.size})"
    if 0 < roots.size <= MOST_KINKS:
        for k, curve in enumerate(values.T):
            heights = np.interp(roots, grid, curve)
            ax.plot(roots, heights, "o", mfc="white", mec="black", ms=4, label=None if k else label)
    elif roots.size:
        ax.plot(
            roots,
            np.ones(roots.size),
            "|",
            color="black",
            ms=10,
            mew=0.5,
            transform=ax.get_xaxis_transform(),
            label=label,
        )

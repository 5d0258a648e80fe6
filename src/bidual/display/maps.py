"""Maps of a function of two features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bidual.display.base import DIVERGING, MARKERS, NEGATIVE, NEUTRAL, POSITIVE, class_rows, colors_of
from bidual.display.responses import Response
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = 20
Grid = tuple[Vector, Vector]


def draw_map(
    ax: Axes,
    axes: tuple[Vector, ...],
    response: Response,
    data: Matrix | None,
    y: NDArray[Any] | None,
    normals: Matrix,
    offsets: Vector,
) -> None:
    """The values as colours, the data above, thin lines where neurons switch."""
    grid = axes[0], axes[1]
    values = response.values.reshape(grid[0].size, grid[1].size, -1)
    if response.classes is None:
        _surface(ax, grid, values[..., 0], response.label, data, y)
    else:
        _switches(ax, grid, normals, offsets)
        if values.shape[-1] == 1:
            colors = [NEGATIVE, POSITIVE]
            _decision(ax, grid, values[..., 0], response)
        else:
            colors = colors_of(values.shape[-1])
            _regions(ax, grid, values, colors)
        if data is not None:
            _classes(ax, data, response.classes, y, colors)
    if response.classes is None:
        _switches(ax, grid, normals, offsets)
    ax.set(xlim=grid[0][[0, -1]], ylim=grid[1][[0, -1]])


def _surface(ax: Axes, grid: Grid, values: Matrix, label: str, data: Matrix | None, y: NDArray[Any] | None) -> None:
    """A regression function, and the targets in the same colours."""
    shown = values if y is None else np.append(values, y)
    low, high = float(shown.min()), float(shown.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    levels = np.linspace(low, high, LEVELS + 1)
    picture = ax.contourf(*grid, values.T, levels=levels, cmap="viridis")
    ax.figure.colorbar(picture, ax=ax, label=label)
    if data is not None and y is not None:
        ax.scatter(*data.T, c=y, cmap="viridis", vmin=low, vmax=high, s=16, edgecolors="white", linewidths=0.6)
    elif data is not None:
        ax.scatter(*data.T, color="white", s=6, alpha=0.7, linewidths=0)

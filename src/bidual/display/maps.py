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
MOST_LINES = 60
"""Up to as many lines where neurons switch; more would hide the map."""
SWITCH, DATA = 2.0, 3.0
"""Drawing order above the map."""

Grid = tuple[Vector, ...]


def draw_map(
    ax: Axes, grid: Grid, response: Response, data: Matrix | None, y: NDArray[Any] | None, lines: tuple[Matrix, Vector]
) -> None:
    """The values as colours, thin lines where neurons switch, the data above."""
    values = response.values.reshape(grid[0].size, grid[1].size, -1)
    if response.classes is None:
        _surface(ax, grid, values[..., 0], response.label, data, y)
    else:
        colors = [NEGATIVE, POSITIVE] if values.shape[-1] == 1 else colors_of(values.shape[-1])
        if values.shape[-1] == 1:
            _decision(ax, grid, values[..., 0], response)
        else:
            _regions(ax, grid, values, colors)
        if data is not None:
            _classes(ax, data, response.classes, y, colors)
    crossing = segments(grid, *lines)
    for line in crossing if len(crossing) <= MOST_LINES else []:
        ax.plot(*line, color="black", lw=0.6, alpha=0.5, zorder=SWITCH)
    ax.set(xlim=grid[0][[0, -1]], ylim=grid[1][[0, -1]])


def segments(grid: Grid, normals: Matrix, offsets: Vector) -> list[Matrix]:
    """(2, 2) for each line ``s'normals_j + offsets_j = 0`` that crosses the box: its end points, one per column."""
    (x0, x1), (y0, y1) = grid[0][[0, -1]], grid[1][[0, -1]]
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    heights = corners @ normals + offsets
    found = []
    for z in heights.T:
        ends = []
        for a in range(4):
            b = (a + 1) % 4
            if (z[a] > 0) != (z[b] > 0):
                ends.append(corners[a] + z[a] / (z[a] - z[b]) * (corners[b] - corners[a]))
        if len(ends) == 2:
            found.append(np.column_stack(ends))
    return found


def _surface(ax: Axes, grid: Grid, values: Matrix, label: str, data: Matrix | None, y: NDArray[Any] | None) -> None:
    """A regression function, and the targets in the same colours."""
    from matplotlib.ticker import MaxNLocator

    shown = values if y is None else np.append(values, y)
    low, high = float(shown.min()), float(shown.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    levels = MaxNLocator(LEVELS).tick_values(low, high)
    picture = ax.contourf(*grid, values.T, levels=levels, cmap="viridis")
    ax.figure.colorbar(picture, ax=ax, label=label)
    if data is not None and y is not None:
        edge: dict[str, Any] = {"edgecolors": "white", "linewidths": 0.6, "zorder": DATA}
        ax.scatter(data[:, 0], data[:, 1], c=y, cmap="viridis", vmin=levels[0], vmax=levels[-1], s=18, **edge)
    elif data is not None:
        ax.scatter(data[:, 0], data[:, 1], color="white", s=6, alpha=0.7, linewidths=0, zorder=DATA)


def _decision(ax: Axes, grid: Grid, values: Matrix, response: Response) -> None:
    """Scores of two classes, as far in one colour as in the other, and the boundary."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap
    from matplotlib.ticker import MaxNLocator

    pale = ListedColormap(colormaps[DIVERGING](np.linspace(0.22, 0.78, 256)))
    reach = float(np.abs(values - response.boundary).max()) or 1.0
    levels = response.boundary + np.asarray(MaxNLocator(LEVELS, symmetric=True).tick_values(-reach, reach))
    picture = ax.contourf(*grid, values.T, levels=levels, cmap=pale)
    ax.figure.colorbar(picture, ax=ax, label=response.label)
    if values.min() < response.boundary < values.max():
        ax.contour(*grid, values.T, levels=[response.boundary], colors="black", linewidths=1.8)


def _regions(ax: Axes, grid: Grid, scores: NDArray[np.float64], colors: list[Any]) -> None:
    """The class of the largest score at each point, bounded by the places where two are equal."""
    for k, color in enumerate(colors):
        lead = (scores[..., k] - np.delete(scores, k, axis=-1).max(axis=-1)).T
        if lead.max() > 0:
            ax.contourf(*grid, lead, levels=[0.0, np.inf], colors=[color], alpha=0.35)
        if lead.min() < 0 < lead.max():
            ax.contour(*grid, lead, levels=[0.0], colors="black", linewidths=1.2)


def _classes(ax: Axes, data: Matrix, classes: NDArray[Any], y: NDArray[Any] | None, colors: list[Any]) -> None:
    """The data, a colour and a marker for each class."""
    for k, rows in enumerate(class_rows(classes, y, data.shape[0])):
        color = NEUTRAL if y is None else colors[k]
        style: dict[str, Any] = {"edgecolors": "white", "linewidths": 0.6, "zorder": DATA}
        marker = MARKERS[k % len(MARKERS)]
        ax.scatter(data[rows, 0], data[rows, 1], color=color, marker=marker, s=22, label=f"class {classes[k]}", **style)
    if y is not None:
        ax.legend(fontsize="small", ncols=1 if len(classes) < 6 else 2)

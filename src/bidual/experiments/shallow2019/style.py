"""How the figures of this paper look: one colour for each method, panels side by side, one legend below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bidual.display.base import NEUTRAL, PALETTE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = 1e-20
"""Relative losses below this are drawn as this: they are rounding."""
STYLES: dict[str, dict[str, Any]] = {
    "plain": {"color": PALETTE[2], "marker": "o", "label": "gradient descent on the squared loss"},
    "modified": {"color": PALETTE[0], "marker": "s", "label": "modified gradient descent"},
    "continuous": {"color": PALETTE[3], "marker": "^", "ls": "--", "label": "descent on the continuous repair"},
    "relaxation": {"color": PALETTE[0], "marker": "s", "label": "gradient descent on the relaxation $f_r$"},
    "untrained": {"color": NEUTRAL, "marker": "x", "ls": ":", "label": "no training: $A^+y$ and $-A^+1$"},
    "convex": {"color": "black", "marker": "D", "ls": "--", "label": "convex solve of $f_r$, exact"},
}


def new_panels(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, Any]:
    """A figure and its axes (rows, columns), which share their scales along each row."""
    first = new_axes(size)
    figure: Any = first.figure
    first.remove()
    return figure, figure.subplots(rows, columns, sharex=True, sharey="row", squeeze=False)


def draw_quartiles(ax: Axes, steps: list[int], quartiles: list[list[float]], method: str) -> None:
    """The median over the seeds as a line, the middle half as a band; a method without steps has one number."""
    style = {key: value for key, value in STYLES[method].items() if key != "marker"}
    low, middle, high = (np.maximum(values, FLOOR) * np.ones(len(steps)) for values in quartiles)
    ax.plot(steps, middle, lw=2, **style)
    if len(quartiles[1]) > 1:
        ax.fill_between(steps, low, high, color=style["color"], alpha=0.15, lw=0)


def draw_rates(ax: Axes, at: list[float], rates: list[float], method: str) -> None:
    """Shares of the seeds."""
    ax.plot(at, rates, lw=2, ms=5, clip_on=False, zorder=3, **STYLES[method])


def legend_below(figure: Figure, ax: Axes) -> None:
    """One legend for all panels, below them, in as many columns as the figure has room for."""
    handles, labels = ax.get_legend_handles_labels()
    columns = min(len(labels), int(figure.get_figwidth() / 3.4))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)

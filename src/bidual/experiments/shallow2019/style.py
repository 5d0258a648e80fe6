"""How the figures of this paper look: one colour for each method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bidual.display.base import NEUTRAL, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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

"""How the figures of this paper look: one colour for each variant of Frank-Wolfe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bidual.display.base import NEUTRAL, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOOR = 1e-9
"""Shares of the first loss below this are drawn as this."""
STYLES: dict[str, dict[str, Any]] = {
    "open_loop": {"color": PALETTE[2], "label": "open loop, step 2/(t+1) (the paper's)"},
    "line_search": {"color": PALETTE[1], "label": "line search"},
    "away": {"color": PALETTE[5], "label": "away steps"},
    "pairwise": {"color": PALETTE[6], "label": "pairwise"},
    "blended": {"color": PALETTE[8], "label": "blended pairwise"},
    "fully_corrective": {"color": PALETTE[3], "label": "fully corrective (the default)"},
    "pattern_corrective": {"color": PALETTE[0], "lw": 2.6, "label": "pattern-corrective"},
}
RATE = {"color": "black", "ls": "--", "lw": 1.2, "label": r"proven rate, $16 R^2\delta^2/(t+1)$"}
STATED = {"color": NEUTRAL, "ls": ":", "lw": 1.5, "label": r"stated rate, $4 R^2\delta^2/(t+1)$"}


def draw_runs(ax: Axes, at: list[int], runs: list[list[float]], variant: str) -> None:
    """The median over the seeds as a line, each seed a thin one; runs that have ended stay where they are."""
    style = {"lw": 1.9, **STYLES[variant]}
    values = [np.maximum(run, FLOOR) for run in runs]
    length = max(map(len, values))
    filled = np.array([np.append(run, np.full(length - len(run), run[-1])) for run in values])
    for run in values:
        ax.plot(at[: len(run)], run, color=style["color"], lw=0.6, alpha=0.45)
    ax.plot(at[:length], np.median(filled, axis=0), **style)

"""Images side by side, each with a line of text above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bidual.display.base import DIVERGING
from bidual.typing import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LABELS = 60
"""Up to as many images have text above."""
ASPECT = 1.5
"""Width by height that the whole is to fill."""
BETWEEN = 0.5
"""Room between branches, in widths of an image."""


def draw_tiles(
    ax: Axes,
    images: NDArray[np.float64],
    sizes: Vector,
    outputs: NDArray[np.intp],
    names: Sequence[str] | None,
    branches: NDArray[np.intp] | None,
) -> None:
    """The images (m, h, w) or in colour (m, h, w, 3), each scaled to its own largest entry, with its size and the
    output it feeds. Those of a branch (m,) stand together."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    m, h, w = images.shape[:3]
    lane = np.zeros(m, dtype=np.intp) if branches is None else branches
    starts = np.flatnonzero(np.r_[True, lane[1:] != lane[:-1]])
    grouped = 1 < starts.size < m
    labelled = m <= MOST_LABELS
    side, above = 0.12 * w, (0.3 if labelled else 0.12) * h + (0.3 * h if grouped else 0.0)
    gap = BETWEEN if grouped else 0.0
    slots = (m + gap * (starts.size - 1)) * ASPECT * (h + above) / (w + side)
    columns = min(m, math.ceil(math.sqrt(slots)))
    across, down = _places(starts, m, columns, gap)
    points = _points(columns)
    for j, image in enumerate(images):
        left, top = across[j] * (w + side), down[j] * (h + above)
        _draw_image(ax, image, (left, left + w, top + h, top))
        if labelled:
            text = f"{sizes[j]:.2g}" if names is None else f"{names[outputs[j]]}: {sizes[j]:.2g}"
            ax.text(left + w / 2, top - 0.03 * h, text, ha="center", va="bottom", fontsize=points)
    frames = [Rectangle((x * (w + side), y * (h + above)), w, h) for x, y in zip(across, down, strict=True)]
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor="0.6", linewidth=0.5))
    if grouped:
        for j in starts.tolist():
            place = across[j] * (w + side), down[j] * (h + above) - (0.3 if labelled else 0.05) * h
            ax.text(*place, f"branch {lane[j]}", va="bottom", fontsize=points, weight="bold")
    ax.set(xlim=(-side, (across.max() + 1) * (w + side)), ylim=((down.max() + 1) * (h + above), -above))
    ax.set_axis_off()
    if images.ndim == 3:
        colorbar = ax.figure.colorbar(ax.images[-1], ax=ax, shrink=0.6, ticks=[-1, 0, 1])
        colorbar.set_label("signed input weight,\nas a share of the largest", fontsize="small")
    else:
        note = "signed input weights of each channel, as a share of the largest; grey is zero"
        ax.text(1.0, 0.0, note, ha="right", va="top", fontsize="small", transform=ax.transAxes)


def _draw_image(ax: Axes, image: NDArray[np.float64], box: tuple[float, float, float, float]) -> None:
    """Weights as shares of the largest: blue to red, or in colour from none of a channel to all, and 0 grey."""
    share = image / (float(np.abs(image).max()) or 1.0)
    style: dict[str, Any] = {"extent": box, "interpolation": "none"}
    if image.ndim == 3:
        ax.imshow((1.0 + share) / 2.0, **style)
    else:
        ax.imshow(share, cmap=DIVERGING, vmin=-1, vmax=1, **style)


def _places(starts: NDArray[np.intp], m: int, columns: int, gap: float) -> tuple[Vector, NDArray[np.intp]]:
    """(m,), (m,): how far right and on which line images stand. As words of a text, a branch that does not fit the rest
    of a line begins the next one, and branches on a line have a gap between them."""
    across, down = np.zeros(m), np.zeros(m, dtype=np.intp)
    line, column, shift = 0, 0, 0.0
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), m], strict=True):
        if column and column + end - start > columns:
            line, column, shift = line + 1, 0, 0.0
        for j in range(start, end):
            if column == columns:
                line, column, shift = line + 1, 0, 0.0
            across[j], down[j] = column + shift, line
            column += 1
        shift += gap
    return across, down


def _points(columns: int) -> float:
    """The size of text that fits above a tile."""
    return min(8.0, max(4.0, 60.0 / columns))

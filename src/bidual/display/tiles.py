"""Images side by side, each with a line of text above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

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


def draw_tiles(
    ax: Axes, images: NDArray[np.float64], sizes: Vector, outputs: NDArray[np.intp], names: Sequence[str] | None
) -> None:
    """The images (m, h, w), each scaled to its own largest entry, with its size and the output it feeds."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    m, h, w = images.shape
    labelled = m <= MOST_LABELS
    side, above = 0.12 * w, (0.3 if labelled else 0.12) * h
    columns = min(m, math.ceil(math.sqrt(m * ASPECT * (h + above) / (w + side))))
    frames = []
    for j, image in enumerate(images):
        left, top = (j % columns) * (w + side), (j // columns) * (h + above)
        reach = float(np.abs(image).max()) or 1.0
        box = (left, left + w, top + h, top)
        picture = ax.imshow(image / reach, cmap=DIVERGING, vmin=-1, vmax=1, extent=box, interpolation="none")
        frames.append(Rectangle((left, top), w, h))
        if labelled:
            text = f"{sizes[j]:.2g}" if names is None else f"{names[outputs[j]]}: {sizes[j]:.2g}"
            ax.text(left + w / 2, top - 0.03 * h, text, ha="center", va="bottom", fontsize=_points(columns))
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor="0.6", linewidth=0.5))
    ax.set(xlim=(-side, columns * (w + side)), ylim=(math.ceil(m / columns) * (h + above), -above))
    ax.set_axis_off()
    colorbar = ax.figure.colorbar(picture, ax=ax, shrink=0.6, ticks=[-1, 0, 1])
    colorbar.set_label("signed input weight,\nas a share of the largest", fontsize="small")


def _points(columns: int) -> float:
    """The size of text that fits above a tile."""
    return min(8.0, max(4.0, 60.0 / columns))

"""Masks side by side, one panel each over the same columns, with the share of each column above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bidual.display.base import NEGATIVE, POSITIVE
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 300
"""With more rows, several share a line, which shows the part of them that is active."""
NUMBERED = 1 / 20
"""Branches of at least this share of the columns are numbered."""
BARS = (1.02, 0.14)
"""Where the shares stand, and how high, in units of the axes."""
GAP = 0.12
"""Between panels, as a share of their width."""


def draw_panels(
    ax: Axes, names: Sequence[str], masks: Matrix, signs: Vector, branches: NDArray[np.intp] | None
) -> None:
    """Panels (q, n, k) from 0 to 1, blue where a mask is on and its column's sign is 1, red where it is -1.

    ``branches`` (k,), the columns of each together, are told apart by lines.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Patch, Rectangle

    _, n, k = masks.shape
    lefts = np.arange(len(names)) * k * (1 + GAP)
    colors = LinearSegmentedColormap.from_list("signs", [NEGATIVE, "white", POSITIVE])
    shown: dict[str, Any] = {"cmap": colors, "vmin": -1, "vmax": 1, "aspect": "auto", "interpolation": "nearest"}
    for left, mask in zip(lefts, masks, strict=True):
        ax.imshow(_lines(mask) * signs, extent=(left, left + k, n, 0.0), **shown)
    frames = [Rectangle((left, 0), k, n) for left in lefts]
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor="0.4", linewidth=0.6))
    ax.set(xlim=(-0.01 * k, lefts[-1] + 1.01 * k), ylim=(n, 0), xticks=[])
    ax.spines[:].set_visible(False)
    if branches is not None:
        _tell_branches(ax, lefts, branches)
    _draw_shares(ax, lefts, names, masks.mean(axis=1), np.where(signs > 0, POSITIVE, NEGATIVE).tolist())
    used = [(1, POSITIVE, "active, raises the output"), (-1, NEGATIVE, "active, lowers the output")]
    handles = [Patch(color=color, label=label) for sign, color, label in used if (signs == sign).any()]
    top = sum(BARS) + (0.06 if any(names) else 0.0)
    style: dict[str, Any] = {"fontsize": "small", "frameon": False, "columnspacing": 1.0, "handlelength": 1.0}
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, top), ncols=2, **style)


def _draw_shares(ax: Axes, lefts: Vector, names: Sequence[str], shares: Matrix, colors: list[str]) -> None:
    """Bars above the panels (q, k), and above these the names."""
    k = shares.shape[1]
    bars = ax.inset_axes((0.0, BARS[0], 1.0, BARS[1]), sharex=ax)
    for left, name, heights in zip(lefts, names, shares, strict=True):
        bars.bar(left + np.arange(k) + 0.5, heights, width=1.0, color=colors, lw=0)
        bars.plot([left, left + k], [0, 0], color="0.4", lw=0.6)
        bars.text(left + k / 2, 1.1, name, ha="center", va="bottom")
    bars.set(ylim=(0, 1), yticks=[1])
    bars.set_ylabel("share", fontsize="small")
    bars.tick_params(axis="x", bottom=False, labelbottom=False)
    bars.tick_params(axis="y", labelsize="small")
    bars.spines[["top", "right", "bottom"]].set_visible(False)


def tell_groups(ax: Axes, labels: NDArray[Any]) -> None:
    """Lines between the rows of different labels, which stand together, and the labels at the left."""
    ends = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    starts = np.r_[0, ends]
    ax.hlines(ends, *ax.get_xlim(), color="black", lw=0.8)
    ax.set_yticks((starts + np.r_[ends, labels.size]) / 2, [str(label) for label in labels[starts]])
    ax.tick_params(axis="y", left=False)


def tell_values(ax: Axes, values: Vector) -> None:
    """Some of the values of the rows at the left; what is tiny beside the largest is rounding."""
    values = np.where(np.abs(values) > 1e-6 * np.abs(values).max(), values, 0.0)
    rows = np.unique(np.linspace(0, values.size - 1, 5).round().astype(int))
    ax.set_yticks(rows + 0.5, [f"{value:.3g}" for value in values[rows]])


def _lines(mask: Matrix) -> Matrix:
    """(lines, k): the mask, or with many rows the mean over those that share a line."""
    n = mask.shape[0]
    if n <= MOST_LINES:
        return mask
    starts = np.arange(MOST_LINES) * n // MOST_LINES
    return np.add.reduceat(mask, starts) / np.diff(np.r_[starts, n])[:, None]


def _tell_branches(ax: Axes, lefts: Vector, branches: NDArray[np.intp]) -> None:
    """Lines between branches, and their numbers below, if there is room."""
    ends = np.flatnonzero(np.diff(branches)) + 1
    starts = np.r_[0, ends]
    for left in lefts:
        ax.vlines(left + ends, *ax.get_ylim(), color="0.4", lw=0.6)
    ends = np.r_[ends, branches.size]
    wide = ends - starts >= NUMBERED * branches.size
    places = lefts[:, None] + ((starts + ends) / 2)[wide]
    ax.set_xticks(places.ravel(), [str(b) for _ in lefts for b in branches[starts[wide]]], fontsize="small")
    ax.tick_params(axis="x", length=0)

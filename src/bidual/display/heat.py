"""A heat map of vectors, one row each, with bars of their sizes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bidual.display.base import DIVERGING, NEUTRAL, colors_of, has_layout
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMES = 30
"""Up to as many columns are named one by one."""

FEW = 12
"""Up to as many rows are numbered one by one."""
LEGEND_WIDTH = 80
"""Characters in a line of the legend."""


def draw_heat(
    ax: Axes,
    weights: Matrix,
    bias: Vector,
    feature_names: Sequence[str] | None,
    sizes: Vector,
    outputs: NDArray[np.intp],
    output_names: Sequence[str] | None,
    branches: NDArray[np.intp] | None,
) -> None:
    """The weights and bias (if any is not zero) of each neuron; colours of the bars say which output it feeds.

    Lines stand between ``branches`` (m,), whose neurons are together."""
    from matplotlib.ticker import MaxNLocator

    m, d = weights.shape
    has_bias = bool(bias.any())
    shown = np.column_stack([weights, bias]) if has_bias else weights
    reach = float(np.abs(shown).max()) or 1.0
    box = (-0.5, shown.shape[1] - 0.5, m + 0.5, 0.5)
    image = ax.imshow(shown, cmap=DIVERGING, vmin=-reach, vmax=reach, aspect="auto", interpolation="none", extent=box)
    _name_columns(ax, d, feature_names, has_bias)
    ax.set_ylabel("neuron (largest first)")
    if m <= FEW:
        ax.set_yticks(range(1, m + 1))
    else:
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    if branches is not None:
        for row in np.flatnonzero(np.diff(branches)):
            ax.axhline(row + 1.5, color="black", lw=0.8)
        ax.set_ylabel("neuron (by branch, largest first)")
    _draw_sizes(ax, sizes, outputs, output_names)
    # A layout engine sees the bars; without one, the padding must leave their place.
    pad = 0.02 if has_layout(ax) else 0.28
    colorbar = ax.figure.colorbar(image, ax=ax, pad=pad, aspect=30)
    colorbar.set_label("signed input weight", fontsize="small")


def _name_columns(ax: Axes, d: int, names: Sequence[str] | None, has_bias: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    if d <= MOST_NAMES:
        labels = list(names) if names is not None else [str(j) for j in range(d)]
        labels += ["bias"] if has_bias else []
        turned = has_bias or max(map(len, labels)) > 3
        ax.set_xticks(range(len(labels)), labels, rotation=90 if turned else 0, fontsize="small")
        ax.set_xlabel("input feature")
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("input feature" + (", bias last" if has_bias else ""))
    if has_bias:
        ax.axvline(d - 0.5, color="black", lw=0.8)


def _draw_sizes(ax: Axes, sizes: Vector, outputs: NDArray[np.intp], names: Sequence[str] | None) -> None:
    """Bars in the rows of the heat map, right of it."""
    from matplotlib.ticker import MaxNLocator

    panel = ax.inset_axes((1.02, 0.0, 0.22, 1.0), sharey=ax)
    rows = np.arange(1, sizes.size + 1)
    height = 0.8 if sizes.size < 60 else 1.0
    if names is None:
        panel.barh(rows, sizes, height=height, color=NEUTRAL)
    else:
        colors = colors_of(len(names))
        for k in sorted(set(outputs)):
            panel.barh(
                rows[outputs == k], sizes[outputs == k], height=height, color=colors[k], label=f"feeds {names[k]}"
            )
        used = [names[k] for k in sorted(set(outputs))]
        columns = max(1, min(len(used), LEGEND_WIDTH // (max(map(len, used)) + 11)))
        style: dict[str, Any] = {"fontsize": "x-small", "frameon": False, "columnspacing": 1.0, "handlelength": 1.0}
        bars = panel.get_legend_handles_labels()
        ax.legend(*bars, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, **style)
    panel.set_xlim(0.0, float(sizes.max()) * 1.05 or 1.0)
    panel.xaxis.set_major_locator(MaxNLocator(2, prune="lower"))
    panel.tick_params(axis="y", labelleft=False, left=False)
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_xlabel("size")

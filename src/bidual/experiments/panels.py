"""What the figures of all papers share: panels side by side, and one legend below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bidual.display.base import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_panels(rows: int, columns: int, size: tuple[float, float], **layout: Any) -> tuple[Figure, Any]:
    """A figure and its axes (rows, columns); ``layout`` is for matplotlib's ``subplots``."""
    first = new_axes(size)
    figure: Any = first.figure
    first.remove()
    return figure, figure.subplots(rows, columns, squeeze=False, **layout)


def legend_below(figure: Figure, ax: Axes, inches: float = 3.4) -> None:
    """One legend for all panels, below them, in as many columns of ``inches`` as the figure has room for."""
    handles, labels = ax.get_legend_handles_labels()
    columns = min(len(labels), int(figure.get_figwidth() / inches))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)

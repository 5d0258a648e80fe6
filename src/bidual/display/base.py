"""What the displays share: matplotlib imported late, and colours that colour-blind readers tell apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.errors import InvalidParameterError, MissingDependencyError
from bidual.typing import Matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

POSITIVE, NEGATIVE, NEUTRAL = "#2166ac", "#b2182b", "#717581"
"""The ends of the map ``DIVERGING``, and grey."""

DIVERGING = "RdBu"
MARKERS = "os^DvPX<>*"
PALETTE = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#717581"),
    *("#a96b59", "#92dadd", "#e76300", "#b9ac70", "#94a4a2"),
)
"""Ten colours chosen for colour-vision deficiency (Petroff, 2021)."""


class Display(ABC):
    """A plot of plain data, in scikit-learn's manner: data in the constructor, drawing in :meth:`plot`.

    Attributes
    ----------
    figure_, ax_ : the figure and the axes last drawn on, once plotted
    """

    figure_: Figure | SubFigure
    ax_: Axes

    @abstractmethod
    def plot(self, ax: Axes | None = None) -> Display:
        """Draw on ``ax``, or on a new figure, and return self."""

    def _take(self, ax: Axes | None, size: tuple[float, float] = (6.0, 4.0)) -> Axes:
        """The axes to draw on, remembered; those of a new figure of the given inches if there are none."""
        self.ax_ = new_axes(size) if ax is None else ax
        self.figure_ = self.ax_.figure
        return self.ax_


def new_axes(size: tuple[float, float]) -> Axes:
    """The axes of a new pyplot figure."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingDependencyError("plots need matplotlib: pip install 'bidual[plot]'") from error
    return plt.subplots(figsize=size, layout="constrained")[1]


def has_layout(ax: Axes) -> bool:
    """True if a layout engine makes room for what stands beside the axes."""
    figure = ax.get_figure(root=True)
    return figure is not None and figure.get_layout_engine() is not None


def make_room(ax: Axes, below: float) -> None:
    """Leave a share of the axes free below them, where no layout engine does so."""
    if not has_layout(ax):
        box = ax.get_position()
        ax.set_position((box.x0, box.y0 + below * box.height, box.width, box.height * (1 - below)))


def fitted(estimator: Any, *attributes: str) -> list[Any]:
    """The attributes of a fitted estimator; scikit-learn's NotFittedError if it has none of them yet."""
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(estimator, attributes)
    return [getattr(estimator, name) for name in attributes]


def names_of(given: Sequence[str] | None, count: int, what: str) -> list[str] | None:
    """The given names as text, refused if there are not ``count`` of them; None if none are given."""
    if given is None:
        return None
    names = [str(name) for name in given]
    if len(names) != count:
        raise InvalidParameterError(f"{what}_names must name all {count} {what}s, got {len(names)} names")
    return names


def colors_of(count: int) -> list[Any]:
    """As many colours: the palette, or for more a sequential map."""
    if count <= len(PALETTE):
        return list(PALETTE[:count])
    from matplotlib import colormaps

    return list(colormaps["viridis"](np.linspace(0.0, 1.0, count)))


def matrix(name: str, values: ArrayLike) -> Matrix:
    """A float64 matrix, refused if it is none."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise InvalidParameterError(f"{name} must be a matrix, got an array of shape {array.shape}")
    return array


def blank(ax: Axes, text: str) -> None:
    """Empty axes that say why."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)


def class_rows(classes: NDArray[Any], y: NDArray[Any] | None, n: int) -> list[NDArray[np.intp]]:
    """The rows of each class; all n in one list if their labels are not known."""
    if y is None:
        return [np.arange(n)]
    return [np.flatnonzero(y.reshape(n, -1)[:, 0] == label) for label in classes]

"""The learned function: a curve over one feature, or a map over two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.display.base import Display, matrix
from bidual.display.curves import draw_curves, kinks
from bidual.display.maps import draw_map
from bidual.display.responses import Response, hidden_units, no_units, respond
from bidual.display.slices import Slice, data_of, slice_of
from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@final
class FunctionDisplay(Display):
    """Values of a function on a grid of one or two features, with data and the places where neurons switch.

    Parameters
    ----------
    axes : the grid, one increasing vector for each of the one or two features
    response : the values at the points of the grid, the last feature fastest
    feature_names : names of the features that move
    data : (n, k), the moving features of observations
    y : (n,) or (n, c), the targets of the observations
    normals, offsets : (k, m) and (m,), neuron j switches where ``x'normals_j + offsets_j = 0``
    title : what there is to say about the features that stand still
    """

    def __init__(
        self,
        axes: Sequence[ArrayLike],
        response: Response,
        *,
        feature_names: Sequence[str] | None = None,
        data: ArrayLike | None = None,
        y: ArrayLike | None = None,
        normals: ArrayLike | None = None,
        offsets: ArrayLike | None = None,
        title: str = "",
    ) -> None:
        self.axes: tuple[Vector, ...] = tuple(np.asarray(axis, dtype=np.float64) for axis in axes)
        if len(self.axes) not in (1, 2):
            raise InvalidParameterError(f"axes must hold one or two grids, got {len(self.axes)}")
        self.response = replace(response, values=matrix("values", response.values))
        points = int(np.prod([axis.size for axis in self.axes]))
        if self.response.values.shape[0] != points:
            raise InvalidParameterError(
                f"the response must have {points} rows, one for each point, got {response.values.shape}"
            )
        self.feature_names = list(feature_names or [f"feature {j}" for j in range(len(self.axes))])
        self.data: Matrix | None = None if data is None else matrix("data", data)
        self.y: NDArray[Any] | None = None if y is None else np.asarray(y)
        self.normals = np.zeros((len(self.axes), 0)) if normals is None else matrix("normals", normals)
        self.offsets: Vector = np.zeros(0) if offsets is None else np.asarray(offsets, dtype=np.float64)
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        features: Sequence[int | str] | int | str | None = None,
        *,
        y: ArrayLike | None = None,
        at: Mapping[int | str, float] | None = None,
        response_method: str = "auto",
        output: int = 0,
        grid_resolution: int = 200,
        feature_names: Sequence[str] | None = None,
        switches: bool = True,
        ax: Axes | None = None,
    ) -> FunctionDisplay:
        """Evaluate a fitted estimator on a slice through its inputs, and plot.

        Parameters
        ----------
        estimator : fitted classifier or regressor; one of this library also tells where its neurons switch
        X : (n, d) data, which set the range, stand in the plot, and give the medians
        features : one or two features by index or name; the first two (or the only one) if None
        y : (n,) or (n, c) targets of the data; without them only the places of the data are shown
        at : values of features that stand still, in place of their medians
        response_method : ``"auto"``, ``"decision_function"``, ``"predict_proba"`` or ``"predict"``
        output : which output of a regressor with several is mapped over two features
        grid_resolution : points along each feature
        feature_names : names of the columns of X, if X has none
        switches : mark where the neurons of the first hidden layer switch
        ax : axes to draw on; those of a new figure if None
        """
        rows, names = data_of(X, feature_names)
        if features is None:
            features = tuple(range(min(2, rows.shape[1])))
        chosen = (features,) if isinstance(features, int | str | np.integer) else tuple(features)
        targets = None if y is None else np.asarray(y)
        if targets is not None and targets.shape[:1] != rows.shape[:1]:
            raise InvalidDataError(f"y must have {rows.shape[0]} rows as X has, got shape {targets.shape}")
        cut = slice_of(rows, chosen, at or {}, names, grid_resolution)
        normals, offsets = cut.hyperplanes(*(hidden_units(estimator) if switches else None) or no_units(rows.shape[1]))
        if len(chosen) == 1:
            cut = cut.refined(kinks(normals, offsets))
        answer = respond(estimator, X, cut.rows, response_method)
        if answer.classes is None and len(chosen) == 2:
            answer, targets = (
                answer.only(output),
                targets if targets is None or targets.ndim == 1 else targets[:, output],
            )
        return cls(
            cut.axes,
            answer,
            feature_names=[names[j] for j in cut.features],
            data=rows[:, list(cut.features)],
            y=targets,
            normals=normals,
            offsets=offsets,
            title=_still(cut, names, at or {}),
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> FunctionDisplay:
        """Draw on ``ax``, or on a new figure, and return self."""
        ax = self._take(ax)
        if len(self.axes) == 1:
            draw_curves(ax, self.axes[0], self.response, self.data, self.y, kinks(self.normals, self.offsets))
            ax.set(xlabel=self.feature_names[0], ylabel=self.response.label)
        else:
            draw_map(ax, self.axes, self.response, self.data, self.y, (self.normals, self.offsets))
            ax.set(xlabel=self.feature_names[0], ylabel=self.feature_names[1])
        ax.set_title(self.title, fontsize="medium")
        return self


def _still(cut: Slice, names: Sequence[str], at: Mapping[int | str, float]) -> str:
    """What there is to say about the features that do not move."""
    others = len(names) - len(cut.features)
    if others == 0:
        return ""
    given = ", ".join(f"{k if isinstance(k, str) else names[k]} = {v:g}" for k, v in at.items())
    rest = others - len(at)
    medians = f"{rest} other feature{'s' if rest > 1 else ''} at the median" if rest > 0 else ""
    return ", ".join(filter(None, [given, medians]))

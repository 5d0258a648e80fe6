"""Which neurons are active at which rows: the activation patterns of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.display.base import Display, blank, fitted, matrix
from bidual.display.hidden_paths import active_paths, largest_paths
from bidual.display.mask_panels import draw_panels, tell_groups, tell_values
from bidual.display.slices import data_of
from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.network import Network
from bidual.typing import Outputs, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@final
class ActivationPatternDisplay(Display):
    """Activation patterns on data: its rows from top to bottom, a column for each path, coloured where it is active.

    A path is a neuron, or with several hidden layers one neuron of each: the layers' masks stand side by side, and
    beside them their product, the rows where all neurons of the path are active. Blue paths raise the output, red ones
    lower it. Above each column stands its share of active rows. Paths are sorted by size, the product of the lengths of
    their weights, and by branch.

    "Active" is where a gate is open, or what enters the activation is positive; a linear unit always is. Of gates that
    are themselves paths through a network, each layer has its masks. A filter is active at a share of an image's
    patches, shown by the strength of the colour.

    Parameters
    ----------
    network : any network with a hidden layer
    X : (n, d), its inputs
    y : (n,) values by which the rows are sorted, upward; the first output of the network if None
    labels : (n,), rows of one label stand together, in the order of ``y``; all are of one kind if None
    sorted_by : what ``y`` is
    max_paths : draw only so many, the largest
    """

    def __init__(
        self,
        network: Network,
        X: ArrayLike,
        *,
        y: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        sorted_by: str = "prediction",
        max_paths: int = 40,
    ) -> None:
        if len(network.layers) < 2:
            raise InvalidParameterError("the network has no hidden layer, hence no activation patterns")
        if max_paths < 1:
            raise InvalidParameterError(f"max_paths must be at least 1, got {max_paths!r}")
        rows = matrix("X", X)
        values: Vector = network(rows)[:, 0] if y is None else np.asarray(y, dtype=np.float64)
        kinds = None if labels is None else np.asarray(labels)
        for name, given in (("y", values), ("labels", kinds)):
            if given is not None and given.shape != rows.shape[:1]:
                raise InvalidDataError(f"{name} must have shape ({rows.shape[0]},) as X has rows, got {given.shape}")
        group = np.zeros(rows.shape[0]) if kinds is None else np.unique(kinds, return_inverse=True)[1]
        order = np.lexsort((values, group))
        self.paths = largest_paths(network, max_paths)
        self.masks = active_paths(network, rows[order], self.paths)
        self.branched = network.n_branches is not None or network.layers[0].gates is not None
        self.y: Vector = values[order]
        self.labels: NDArray[Any] | None = None if kinds is None else kinds[order]
        self.sorted_by = sorted_by

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike | None = None, *, max_paths: int = 40, ax: Axes | None = None
    ) -> ActivationPatternDisplay:
        """Plot the activation patterns of a fitted estimator on the rows of X.

        Parameters
        ----------
        estimator : fitted classifier or regressor of this library
        X : (n, d) data
        y : (n,) or (n, c) targets, by which the rows are sorted: by class, and in it by the score of the class, or by
            the (first) value; without them, by what the estimator predicts
        max_paths : draw only so many, the largest
        ax : axes to draw on; those of a new figure if None
        """
        network, encoding = fitted(estimator, "network_", "encoding_")
        rows, _ = data_of(X, None)
        targets = None if y is None else np.asarray(y)
        if targets is not None and targets.shape[:1] != rows.shape[:1]:
            raise InvalidDataError(f"y must have {rows.shape[0]} rows as X has, got shape {targets.shape}")
        Z = encoding.inputs.apply("X", rows)
        classes = getattr(estimator, "classes_", None)
        if classes is None:
            if targets is None:
                return cls(network, Z, max_paths=max_paths).plot(ax)
            return cls(network, Z, y=targets.reshape(rows.shape[0], -1)[:, 0], sorted_by="y", max_paths=max_paths).plot(
                ax
            )
        labels = np.asarray(estimator.predict(X)) if targets is None else targets
        by = f"{'predicted class' if targets is None else 'class'} and score"
        scores = _scores(network(Z), labels, classes)
        return cls(network, Z, y=scores, labels=labels, sorted_by=by, max_paths=max_paths).plot(ax)

    def plot(self, ax: Axes | None = None) -> ActivationPatternDisplay:
        """Draw on ``ax``, or on a new figure that fits the number of panels, and return self."""
        names, masks = _names(self.masks.shape[0]), self.masks
        if len(names) > 1:
            names, masks = [*names, "all active"], np.concatenate([masks, masks.prod(axis=0, keepdims=True)])
        k = self.paths.sizes.size
        ax = self._take(ax, (min(12.0, max(5.0, 2.0 + 0.1 * k * len(names))), 4.5))
        if k == 0:
            blank(ax, "no neurons: the network is its intercept")
            return self
        draw_panels(ax, names, masks, self.paths.signs, self.paths.branches if self.branched else None)
        if self.labels is None:
            tell_values(ax, self.y)
        else:
            tell_groups(ax, self.labels)
        ax.set_ylabel(f"rows, by {self.sorted_by}")
        ax.set_xlabel(self._columns())
        return self

    def _columns(self) -> str:
        """What the columns are."""
        k, total = self.paths.sizes.size, self.paths.total
        what = "neurons" if self.masks.shape[0] == 1 else "paths"
        some = f"the {k} largest of {total} {what}" if k < total else f"{what}, the largest first"
        return f"{some}, by branch" if self.branched else some


def _names(n_hidden: int) -> list[str]:
    """What stands above the masks of the hidden layers; nothing where there is only one."""
    return [""] if n_hidden == 1 else [f"layer {k}" for k in range(1, n_hidden + 1)]


def _scores(F: Outputs, labels: NDArray[Any], classes: NDArray[Any]) -> Vector:
    """(n,): the output of each row's class."""
    if F.shape[1] == 1:
        return F[:, 0]
    place = np.minimum(np.searchsorted(classes, labels), F.shape[1] - 1)
    return F[np.arange(F.shape[0]), place]

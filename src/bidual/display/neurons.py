"""The neurons of a network: what each looks at, which way it pushes, and how large it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.display.base import Display, blank, fitted, matrix, names_of
from bidual.display.heat import draw_heat
from bidual.display.hidden_paths import by_branch, outgoing
from bidual.display.tiles import draw_tiles
from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.typing import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@final
class NeuronDisplay(Display):
    """Neurons from the largest to the smallest: input weights of unit length as colours, and the sizes.

    The weights carry the sign of the output weight: where they are positive, a larger feature pushes the output up
    while the neuron is active.

    Parameters
    ----------
    weights : (m, d), signed input weights, one row for each neuron; with its bias, a row is scaled to unit length
    sizes : (m,), not negative
    bias : (m,), signed as the weights; None if there is none
    outputs : (m,), the output that each neuron feeds most; None if there is one
    branches : (m,), the branch of each neuron, the largest branch first; None if there are no branches
    feature_names : names of the d features
    output_names : names of the outputs
    image_shape : (h, w) with h * w = d: draw the weights of each neuron as an image; (h, w, 3), or (3, h, w) if that is
        how the features are ordered: in colour, where grey is zero
    max_neurons : draw only so many, the largest
    """

    def __init__(
        self,
        weights: ArrayLike,
        sizes: ArrayLike,
        *,
        bias: ArrayLike | None = None,
        outputs: ArrayLike | None = None,
        branches: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        max_neurons: int | None = None,
    ) -> None:
        W = matrix("weights", weights)
        m, d = W.shape
        b = np.zeros(m) if bias is None else np.asarray(bias, dtype=np.float64)
        s = np.asarray(sizes, dtype=np.float64)
        feeds = np.zeros(m, dtype=np.intp) if outputs is None else np.asarray(outputs, dtype=np.intp)
        lane = np.zeros(m, dtype=np.intp) if branches is None else np.asarray(branches, dtype=np.intp)
        for name, values in (("sizes", s), ("bias", b), ("outputs", feeds), ("branches", lane)):
            if values.shape != (m,):
                raise InvalidParameterError(f"{name} must have shape ({m},), one for each neuron, got {values.shape}")
        if image_shape is not None and not _is_image(image_shape, d):
            raise InvalidParameterError(
                f"image_shape must be (h, w) with h * w = {d} features, or (h, w, 3) or (3, h, w), got {image_shape!r}"
            )
        if max_neurons is not None and max_neurons < 1:
            raise InvalidParameterError(f"max_neurons must be at least 1, got {max_neurons!r}")
        order = np.argsort(-s, kind="stable")[:max_neurons]
        order = order[by_branch(s[order], lane[order])]
        length = np.sqrt((W * W).sum(axis=1) + b * b)
        unit = np.where(length > 0, length, 1.0)
        self.n_neurons = m
        self.weights = (W / unit[:, None])[order]
        self.bias: Vector = (b / unit)[order]
        self.sizes: Vector = s[order]
        self.outputs: NDArray[np.intp] = feeds[order]
        self.branches: NDArray[np.intp] | None = None if branches is None else lane[order]
        self.feature_names = names_of(feature_names, d, "feature")
        last = int(feeds.max(initial=0))
        self.output_names = [str(k) for k in range(last + 1)] if output_names is None else [*map(str, output_names)]
        if len(self.output_names) <= last:
            raise InvalidParameterError(f"output_names must name at least {last + 1} outputs, got {self.output_names}")
        self.image_shape = image_shape

    @classmethod
    def from_network(
        cls,
        network: Network,
        *,
        feature_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        max_neurons: int | None = None,
        ax: Axes | None = None,
    ) -> NeuronDisplay:
        """Plot the first hidden layer of a network, parallel branches one after the other, without the neurons of zero
        weights that fill up a branch; filters as images.

        A neuron's size is the product of the lengths of its input weights, with the bias, and of its output weights;
        its sign is that of the largest of the latter. In a deeper network these are summed over the neuron's paths to
        the output, each the product of its weights.
        """
        if len(network.layers) < 2:
            raise InvalidParameterError("the network has no hidden layer, hence no neurons to show")
        first = network.layers[0]
        W = np.swapaxes(first.weight, -1, -2).reshape(-1, first.weight.shape[-2])
        b = first.bias.ravel()
        A, lengths = outgoing(network)
        largest = np.abs(A).argmax(axis=1)
        sign = np.where(A[np.arange(b.size), largest] < 0, -1.0, 1.0)
        sizes = np.sqrt((W * W).sum(axis=1) + b * b) * lengths
        branches, kept = None if first.paths is None else first.paths[0], np.ones(b.size, dtype=bool)
        if network.n_branches is not None:
            branches, kept = np.repeat(np.arange(network.n_branches), first.bias.shape[-1]), sizes > 0
        if first.patches is not None:  # the features are those of a patch
            feature_names = None
            if image_shape is None and first.patches.channels in (1, 3):
                image_shape = first.patches.filter_shape
        return cls(
            (sign[:, None] * W)[kept],
            sizes[kept],
            bias=(sign * b)[kept],
            outputs=largest[kept],
            branches=None if branches is None else branches[kept],
            feature_names=feature_names,
            output_names=output_names,
            image_shape=image_shape,
            max_neurons=max_neurons,
        ).plot(ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        image_shape: tuple[int, ...] | None = None,
        max_neurons: int | None = None,
        ax: Axes | None = None,
    ) -> NeuronDisplay:
        """Plot the ``network_`` of a fitted estimator, whose weights are in standard units, so that they compare."""
        (network,) = fitted(estimator, "network_")
        classes = getattr(estimator, "classes_", ())
        return cls.from_network(
            network,
            feature_names=getattr(estimator, "feature_names_in_", None) if feature_names is None else feature_names,
            output_names=classes if len(classes) == network.n_outputs else None,
            image_shape=image_shape,
            max_neurons=max_neurons,
            ax=ax,
        )

    def plot(self, ax: Axes | None = None) -> NeuronDisplay:
        """Draw on ``ax``, or on a new figure that fits the number of neurons, and return self."""
        m, d = self.weights.shape
        several = len(set(self.outputs)) > 1
        names = self.output_names if several else None
        if self.image_shape is not None or m == 0:
            ax = self._take(ax)
        else:
            ax = self._take(ax, (min(6.0, 4.0 + 0.25 * d), min(4.0, max(3.0 if several else 2.4, 1.4 + 0.3 * m))))
        if m == 0:
            blank(ax, "no neurons: the network is its intercept")
            return self
        if self.image_shape is not None:
            images = self.weights.reshape(m, *self.image_shape)
            if images.ndim == 4 and images.shape[3] != 3:
                images = np.moveaxis(images, 1, 3)
            draw_tiles(ax, images, self.sizes, self.outputs, names, self.branches)
        else:
            draw_heat(ax, self.weights, self.bias, self.feature_names, self.sizes, self.outputs, names, self.branches)
        if m < self.n_neurons:
            ax.set_title(f"the {m} largest of {self.n_neurons} neurons", fontsize="medium")
        return self


def _is_image(shape: object, d: int) -> bool:
    """True for the shape of an image of d entries, grey or with three channels."""
    if not isinstance(shape, tuple | list) or len(shape) not in (2, 3) or min(shape) < 1 or np.prod(shape) != d:
        return False
    return len(shape) == 2 or 3 in (shape[0], shape[2])

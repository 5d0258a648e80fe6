"""The neurons of a network: what each looks at, which way it pushes, and how large it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.display.base import Display, blank, fitted, matrix, names_of
from bidual.display.heat import draw_heat
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
    feature_names : names of the d features
    output_names : names of the outputs
    image_shape : (h, w) with h * w = d: draw the weights of each neuron as an image
    max_neurons : draw only so many, the largest
    """

    def __init__(
        self,
        weights: ArrayLike,
        sizes: ArrayLike,
        *,
        bias: ArrayLike | None = None,
        outputs: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        image_shape: tuple[int, int] | None = None,
        max_neurons: int | None = None,
    ) -> None:
        W = matrix("weights", weights)
        m, d = W.shape
        b = np.zeros(m) if bias is None else np.asarray(bias, dtype=np.float64)
        s = np.asarray(sizes, dtype=np.float64)
        feeds = np.zeros(m, dtype=np.intp) if outputs is None else np.asarray(outputs, dtype=np.intp)
        for name, values in (("sizes", s), ("bias", b), ("outputs", feeds)):
            if values.shape != (m,):
                raise InvalidParameterError(f"{name} must have shape ({m},), one for each neuron, got {values.shape}")
        if image_shape is not None and (
            np.shape(image_shape) != (2,) or min(image_shape) < 1 or np.prod(image_shape) != d
        ):
            raise InvalidParameterError(f"image_shape must be (h, w) with h * w = {d} features, got {image_shape!r}")
        if max_neurons is not None and max_neurons < 1:
            raise InvalidParameterError(f"max_neurons must be at least 1, got {max_neurons!r}")
        order = np.argsort(-s, kind="stable")[:max_neurons]
        length = np.sqrt((W * W).sum(axis=1) + b * b)
        unit = np.where(length > 0, length, 1.0)
        self.n_neurons = m
        self.weights = (W / unit[:, None])[order]
        self.bias: Vector = (b / unit)[order]
        self.sizes: Vector = s[order]
        self.outputs: NDArray[np.intp] = feeds[order]
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
        image_shape: tuple[int, int] | None = None,
        max_neurons: int | None = None,
        ax: Axes | None = None,
    ) -> NeuronDisplay:
        """Plot the first hidden layer of a network, parallel branches one after the other.

        A neuron's size is the product of the lengths of its input weights, with the bias, and of its output weights;
        its sign is that of the largest of the latter. In a deeper network these are the weights into the next layer.
        """
        if len(network.layers) < 2:
            raise InvalidParameterError("the network has no hidden layer, hence no neurons to show")
        first, second = network.layers[:2]
        W = np.swapaxes(first.weight, -1, -2).reshape(-1, network.n_inputs)
        b, A = first.bias.ravel(), second.weight.reshape(-1, second.weight.shape[-1])
        largest = np.abs(A).argmax(axis=1)
        sign = np.where(A[np.arange(b.size), largest] < 0, -1.0, 1.0)
        sizes = np.sqrt((W * W).sum(axis=1) + b * b) * np.linalg.norm(A, axis=1)
        return cls(
            sign[:, None] * W,
            sizes,
            bias=sign * b,
            outputs=largest if len(network.layers) == 2 else None,
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
        image_shape: tuple[int, int] | None = None,
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
            draw_tiles(ax, self.weights.reshape(m, *self.image_shape), self.sizes, self.outputs, names)
        else:
            draw_heat(ax, self.weights, self.bias, self.feature_names, self.sizes, self.outputs, names)
        if m < self.n_neurons:
            ax.set_title(f"the {m} largest of {self.n_neurons} neurons", fontsize="medium")
        return self

"""The neurons of a network: what each looks at, which way it pushes, and how large it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.display.base import Display, blank, fitted, make_room, matrix, names_of
from bidual.display.heat import draw_heat, draw_sizes
from bidual.display.tiles import draw_tiles
from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.typing import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@final
class NeuronDisplay(Display):
    """Neurons from the largest to the smallest: input weights of unit length as colours, beside them the sizes.

    The weights carry the sign of the output weight: where they are positive, a larger feature pushes the output up
    while the neuron is active.

    Parameters
    ----------
    weights : (m, d), signed input weights, one row for each neuron; rows are scaled to unit length with their bias
    sizes : (m,), not negative
    bias : (m,), signed as the weights; None if there is none
    outputs : (m,), the output that each neuron feeds most; 0 for all if None
    feature_names, output_names : names of the d features, and of the outputs
    image_shape : (h, w) with h * w = d: draw the weights of each neuron as an image
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
    ) -> None:
        W = matrix("weights", weights)
        m, d = W.shape
        b = np.zeros(m) if bias is None else np.asarray(bias, dtype=np.float64)
        s = np.asarray(sizes, dtype=np.float64)
        out = np.zeros(m, dtype=np.intp) if outputs is None else np.asarray(outputs, dtype=np.intp)
        for name, values in (("sizes", s), ("bias", b), ("outputs", out)):
            if values.shape != (m,):
                raise InvalidParameterError(f"{name} must have shape ({m},), one for each neuron, got {values.shape}")
        if image_shape is not None and (len(image_shape) != 2 or int(np.prod(image_shape)) != d):
            raise InvalidParameterError(f"image_shape must be (h, w) with h * w = {d} features, got {image_shape!r}")
        order = np.argsort(-s, kind="stable")
        length = np.sqrt((W * W).sum(axis=1) + b * b)
        unit = np.where(length > 0, length, 1.0)
        self.weights = (W / unit[:, None])[order]
        self.bias: Vector = (b / unit)[order]
        self.sizes: Vector = s[order]
        self.outputs: NDArray[np.intp] = out[order]
        self.feature_names = names_of(feature_names, d, "feature")
        self.output_names = names_of(output_names, max(len(output_names or ()), int(out.max(initial=0)) + 1), "output")
        self.image_shape = image_shape

    @classmethod
    def from_network(
        cls,
        network: Network,
        *,
        feature_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        image_shape: tuple[int, int] | None = None,
        ax: Axes | None = None,
    ) -> NeuronDisplay:
        """Plot the first hidden layer of a network, with parallel branches one after the other.

        A neuron's size is the product of the lengths of its input weights, with the bias, and its output weights. In
        deeper networks these are the weights into the next layer, and the sign is that of the largest.
        """
        if len(network.layers) < 2:
            raise InvalidParameterError("the network has no hidden layer, hence no neurons to show")
        first, second = network.layers[:2]
        W = np.moveaxis(np.atleast_3d(first.weight.T), 1, -1) if network.n_branches is None else first.weight
        return cls(W, [0.0])


    def plot(self, ax: Axes | None = None) -> NeuronDisplay:
        return self

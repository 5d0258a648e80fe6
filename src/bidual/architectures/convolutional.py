"""Two-layer convolutional networks: every unit sees all patches of an image, and what it gives is pooled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.base import Architecture, Bias, OutputNorm, PatternPrices, Witness
from bidual.architectures.linear import block_prices
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.architectures.pieces import PiecewiseLinear, bent_refusal
from bidual.errors import InvalidParameterError
from bidual.network import Layer
from bidual.operators.bits import Bits
from bidual.operators.blocks import row_blocks
from bidual.operators.pooled import PooledData
from bidual.patches import Patches
from bidual.typing import Masks, Matrix, Outputs, Rows, Vector


@final
@dataclass(frozen=True)
class Convolutional(Architecture):
    """Units ``pool over the patches r of  phi(u'x_r)``: filters u of the ``inner`` units, pooled over an image.

    The lifted rows are the patches, N for each image, one image after the other, so a pattern has n N rows. Pooling S
    is linear: with V on n images, ``<V, S h> = <S'V, h>``, so that a unit scores against V what the inner unit scores
    against ``S'V`` on the patches, and every bound of the inner architecture holds as it is. The convex program is
    ``F = sum_j S D_j X U_j`` with the cones and norms of the inner one (Ergen & Pilanci 2021, Implicit convex
    regularizers of CNN architectures). One patch that is the whole image gives the inner architecture itself.

    Raises InvalidParameterError for inner units that are not linear on pieces, or whose bias is free.
    """

    inner: PiecewiseLinear
    patches: Patches
    bias: Bias = field(init=False, repr=False, compare=False)
    outputs: OutputNorm = field(init=False, repr=False, compare=False)
    gated: bool = field(init=False, repr=False, compare=False)
    faces: bool = field(init=False, repr=False, compare=False)
    slope: float | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if bent_refusal(self.inner) is not None or self.inner.n_features is not None:
            name = type(self.inner).__name__
            raise InvalidParameterError(
                f"inner must have units that are linear on pieces, of any number of features, not {name}; use ReLU"
            )
        if self.inner.bias == "free":
            raise InvalidParameterError("bias='free' is not for convolutional units; use 'penalized' or 'none'")
        for name in ("bias", "outputs", "gated", "faces", "slope"):
            object.__setattr__(self, name, getattr(self.inner, name))

    @property
    def n_features(self) -> int:
        return self.patches.n_inputs

    @property
    def units(self) -> PiecewiseLinear:
        return self.inner

    def lift(self, X: Rows) -> Rows:
        """(n N, p): the patches of the images, with the bias column."""
        return self.inner.lift(self.patches(X))

    def fan_in(self, d: int) -> int:
        return self.patches.length

    def input_norm(self, U: Matrix) -> Vector:
        return self.inner.input_norm(U)

    def split(self, amplitudes: Vector) -> tuple[Vector, Vector]:
        return self.inner.split(amplitudes)

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return replace(self.inner.layer(weight, bias, neurons), patches=self.patches)

    def activations(self, Xl: Rows, neurons: Neurons) -> Matrix:
        """(n, m): pooled, block of images by block of images."""
        N = self.patches.count
        H = np.empty((Xl.shape[0] // N, len(neurons)))
        for images in row_blocks(H.shape[0], N * max(len(neurons), Xl.shape[1])):
            rows = slice(N * images.start, N * images.stop)
            H[images] = self.patches.pool(self.inner.activations(Xl[rows], neurons))
        return H

    def masked(self, Xl: Rows, masks: Masks | Bits, device: str = "cpu", spare: float = inf) -> PooledData:
        return PooledData(Xl, masks, self.patches.count, self.patches.share, self.slope or 0.0, device, spare)

    def all_patterns(self, Xl: Rows) -> Patterns:
        return self.inner.all_patterns(Xl)

    def most_patterns(self, n: int, r: int) -> int:
        return self.inner.most_patterns(n, r)

    def patterns(self, Xl: Rows, neurons: Neurons) -> Patterns:
        return self.inner.patterns(Xl, neurons)

    def lies_on(self, Xl: Rows, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
        return self.inner.lies_on(Xl, neurons, patterns)

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        if self.gated:
            return block_prices(self.masked(Xl, patterns.bits).adjoint(V), self.outputs, patterns.gates)
        return self.inner.on_patterns(Xl, patterns, self.patches.spread(V), floor)

    def bound_by_witness(self, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        C = self.masked(Xl, self.inner.proof_masks(Xl, patterns)).adjoint(V)
        return self.inner.bound_of(C, Xl, patterns, self.patches.spread(V), witness)

    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        return self.inner.norm_bound(Xl, self.patches.spread(V))

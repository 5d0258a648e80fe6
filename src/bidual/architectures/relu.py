"""Two-layer networks with exact ReLU, leaky ReLU or absolute-value units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures import bounds
from bidual.architectures.arrangement import MARGIN, enumerate_cells, most_cells
from bidual.architectures.base import Bias, OutputNorm, PatternPrices, Witness
from bidual.architectures.boxes import AXES, BoxSearch
from bidual.architectures.branches import Branches, tree_bound
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns, compatible
from bidual.architectures.pieces import PiecewiseLinear
from bidual.architectures.semidefinite import score_bound, score_bounds
from bidual.errors import InvalidParameterError
from bidual.network import Layer
from bidual.operators.cone import Cones
from bidual.typing import Matrix, Outputs, Rows, Vector

SMALLEST = 1e-8
"""A projection shorter than this, relative to what was projected, is rounding error and no neuron."""

ROUNDING = 1e-12
"""What is left of a balanced dual vector's sum, relative to its absolute sum, is rounding."""


@final
@dataclass(frozen=True)
class ReLU(PiecewiseLinear):
    """Units ``phi(u'x)`` with ``phi(z) = max(z, 0) + slope * min(z, 0)``: 0 is ReLU, .01 leaky ReLU, -1 absolute value.

    On a cell of the data's hyperplane arrangement a unit is linear, so the best unit of a cell is a projection on its
    cone; the training problem is the convex program over all cells (Pilanci & Ergen 2020, Ergen & Pilanci 2021).
    With several outputs: ``"separate"`` is exactly one network for each output; for ``"shared"`` the best unit of a
    cell is a nonconvex problem (Sahiner et al. 2020), searched from below and bounded from above by a spectral norm.
    """

    slope: float = 0.0
    bias: Bias = "penalized"
    outputs: OutputNorm = "separate"

    def __post_init__(self) -> None:
        if not -1.0 <= self.slope < 1.0:
            raise InvalidParameterError(f"slope must lie in [-1, 1), got {self.slope!r}; slope 1 is Linear")

    def slopes(self, Xl: Rows, neurons: Neurons, Z: Matrix | None = None) -> Matrix:
        return np.where((Xl @ neurons.inputs if Z is None else Z) > 0, 1.0, self.slope)

    def all_patterns(self, Xl: Rows) -> Patterns:
        return enumerate_cells(Xl)

    def most_patterns(self, n: int, r: int) -> int:
        return most_cells(n, r)

    def lies_on(self, Xl: Rows, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
        """(m, P): which neurons lie in the cone of which pattern, up to rounding at their hyperplanes."""
        scale = np.abs(Xl) @ np.abs(neurons.inputs)
        return compatible(Xl @ neurons.inputs / np.maximum(scale, 1e-300), patterns, MARGIN)

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return Layer(weight, bias, "relu", slope=self.slope)

    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        each = [bounds.rectifier(Xl, v, self.slope, free=self.bias == "free") for v in V.T]
        return float(max(each) if self.outputs == "separate" else np.linalg.norm(each))

    def semidefinite_bound(self, Xl: Rows, V: Outputs, touch: Matrix) -> float:
        if self.bias == "free" or touch.shape != (V.shape[1], 2, V.shape[0]):
            return np.inf
        each = [
            max(score_bound(Xl, s * v, self.slope, t) for s, t in zip((1, -1), ts, strict=True))
            for v, ts in zip(V.T, touch, strict=True)
        ]
        return float(max(each) if self.outputs == "separate" else np.linalg.norm(each))

    def branched_bound(self, Xl: Rows, V: Outputs, branches: Branches, cells: Patterns | None = None) -> float:
        if self.bias == "free" or (self.outputs == "shared" and V.shape[1] > 1):
            return np.inf
        return tree_bound(V, branches, lambda v, touch, sides: score_bounds(Xl, v, self.slope, touch, sides))

    def box_bound(self, Xl: Rows, V: Outputs, value: float, limit: int) -> float:
        if self.bias == "free" or (self.outputs == "shared" and V.shape[1] > 1) or np.linalg.matrix_rank(Xl) > AXES:
            return np.inf
        return BoxSearch(Xl, V, self.slope).prove(value, limit)

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        C = self.masked(Xl, patterns.bits).adjoint(V)
        if self.outputs == "shared" and V.shape[1] > 1:
            return self._shared_on_patterns(Xl, patterns, V, C, floor)
        free, rounding = self.bias == "free", ROUNDING * float(np.abs(V).sum())
        loose = np.linalg.norm(C, axis=1)
        j, k = (np.repeat(place, 2) for place in np.nonzero((loose > floor) | free))
        sign = np.tile([1.0, -1.0], j.size // 2)
        cones = Cones(Xl, patterns.masks, free)
        found = cones.project(j, sign[:, None] * C[j, :, k], floor, rounding=rounding)
        bound = max(float(loose[loose <= floor].max(initial=0.0)), float(found.bounds.max(initial=0.0)))
        lengths = self.input_norm(found.points.T)
        neuron = found.finished & (lengths > SMALLEST * loose[j, k])
        neuron &= lengths >= 1e-3 * lengths[neuron].max(initial=0.0)  # shorter ones may be rounded out of their cells
        inputs = found.points[neuron].T / lengths[neuron]
        outputs = np.eye(V.shape[1])[:, k[neuron]] * sign[neuron]
        return self._ranked(Xl, V, inputs, outputs, bound, Witness.of(j, k, sign, found))

    def _ranked(
        self, Xl: Rows, V: Outputs, inputs: Matrix, outputs: Matrix, bound: float, witness: Witness | None = None
    ) -> PatternPrices:
        """The neurons, scored as the network's units they are, best first."""
        neurons = Neurons(inputs, outputs)
        scores = np.einsum("nm,nm->m", V @ neurons.outputs, self.activations(Xl, neurons))
        order = np.argsort(-scores, kind="stable")
        return PatternPrices(neurons.take(order), scores[order], bound, witness)

    def _shared_on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, C: Matrix, floor: float) -> PatternPrices:
        """Units with several outputs: alternate between the best u and the best a, from the leading singular pair."""
        free = self.bias == "free"
        loose = np.linalg.svd(C, compute_uv=False)[:, 0]
        j = np.repeat(np.flatnonzero((loose > floor) | free), 2)
        a = np.linalg.svd(C[j])[2][:, 0] * np.tile([1.0, -1.0], j.size // 2)[:, None]
        cones = Cones(Xl, patterns.masks, free)
        inputs, outputs = [np.zeros((0, Xl.shape[1]))], [np.zeros((0, V.shape[1]))]
        for _ in range(20):
            u = cones.project(j, np.einsum("gpc,gc->gp", C[j], a)).points
            lengths = self.input_norm(u.T)
            long = lengths > SMALLEST * np.linalg.norm(C[j], axis=(1, 2))
            j, a, u = j[long], a[long], u[long] / lengths[long, None]
            better = np.einsum("gpc,gp->gc", C[j], u)
            better /= np.maximum(np.linalg.norm(better, axis=1, keepdims=True), 1e-300)
            rests = np.abs(better - a).max(axis=1, initial=0.0) <= 1e-9
            inputs.append(u[rests])
            outputs.append(better[rests])
            j, a = j[~rests], better[~rests]
        bound = float("inf") if free else float(loose.max(initial=0.0))
        return self._ranked(Xl, V, np.vstack(inputs).T, np.vstack(outputs).T, bound)

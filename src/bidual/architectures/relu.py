"""Two-layer networks with exact ReLU, leaky ReLU or absolute-value units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import bounds
from bidual.architectures.arrangement import enumerate_cells, most_cells
from bidual.architectures.base import Architecture, Bias, OutputNorm, PatternPrices, Witness
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.architectures.semidefinite import score_bound
from bidual.errors import InvalidParameterError
from bidual.network import Layer
from bidual.operators.cone import Projection, project
from bidual.operators.masked import MaskedData
from bidual.typing import Matrix, Outputs, Rows, Vector

SMALLEST = 1e-8
"""A projection shorter than this, relative to what was projected, is rounding error and no neuron."""

ROUNDING = 1e-12
"""What is left of a balanced dual vector's sum, relative to its absolute sum, is rounding."""


@final
@dataclass(frozen=True)
class ReLU(Architecture):
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

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        C = MaskedData(Xl, patterns.bits, self.slope).adjoint(V)
        if self.outputs == "shared" and V.shape[1] > 1:
            return self._shared_on_patterns(Xl, patterns, V, C, floor)
        free, rounding = self.bias == "free", ROUNDING * float(np.abs(V).sum())
        loose = np.linalg.norm(C, axis=1)
        bound = float(loose[loose <= floor].max(initial=0.0))
        found: list[tuple[float, Vector, int, float]] = []
        proofs: list[tuple[int, int, float, Projection]] = []
        masks = patterns.masks
        for j, k in zip(*np.nonzero((loose > floor) | free), strict=True):
            A = np.where(masks[:, j : j + 1], Xl, -Xl)
            for sign in (1.0, -1.0):
                projection = project(sign * C[j, :, k], A, floor, free, rounding)
                bound = max(bound, projection.bound)
                proofs.append((j, k, sign, projection))
                length = float(self.input_norm(projection.point[:, None])[0])
                if projection.finished and length > SMALLEST * loose[j, k]:
                    found.append((length, projection.point / length, k, sign))
        return self._ranked(Xl, V, found, bound, _witness(proofs))

    def _ranked(
        self, Xl: Rows, V: Outputs, found: list[tuple[float, Vector, int, float]], bound: float, witness: Witness | None
    ) -> PatternPrices:
        """The found (length, input, output, sign), scored as the network's units they are, best first; those far
        shorter than the longest are left out, since rounding may have moved them out of their cells."""
        longest = max((length for length, *_ in found), default=0.0)
        found = [entry for entry in found if entry[0] >= 1e-3 * longest]
        neurons = Neurons(
            np.array([u for _, u, _, _ in found]).reshape(len(found), Xl.shape[1]).T,
            np.array([sign * np.eye(V.shape[1])[k] for _, _, k, sign in found]).reshape(len(found), V.shape[1]).T,
        )
        scores = np.einsum("nm,nm->m", V @ neurons.outputs, self.activations(Xl, neurons))
        order = np.argsort(-scores, kind="stable")
        return PatternPrices(neurons.take(order), scores[order], bound, witness)

    def _shared_on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, C: Matrix, floor: float) -> PatternPrices:
        """Units with several outputs: alternate between the best u and the best a, from the leading singular pair."""
        free = self.bias == "free"
        loose = np.linalg.svd(C, compute_uv=False)[:, 0]
        inputs, outputs = [], []
        masks = patterns.masks
        for j in np.flatnonzero((loose > floor) | free):
            A = np.where(masks[:, j : j + 1], Xl, -Xl)
            leading = np.linalg.svd(C[j])[2][0]
            for a in (leading, -leading):
                for _ in range(20):
                    u = project(C[j] @ a, A, free_bias=free).point
                    length = float(self.input_norm(u[:, None])[0])
                    if length <= SMALLEST * float(np.linalg.norm(C[j])):
                        break
                    u, previous = u / length, a
                    a = C[j].T @ u
                    a = a / max(float(np.linalg.norm(a)), 1e-300)
                    if np.abs(a - previous).max() <= 1e-9:
                        inputs.append(u)
                        outputs.append(a)
                        break
        neurons = Neurons(
            np.array(inputs).reshape(len(inputs), Xl.shape[1]).T, np.array(outputs).reshape(len(inputs), V.shape[1]).T
        )
        scores = np.einsum("nm,nm->m", V @ neurons.outputs, self.activations(Xl, neurons))
        order = np.argsort(-scores, kind="stable")
        bound = float("inf") if free else float(loose.max(initial=0.0))
        return PatternPrices(neurons.take(order), scores[order], bound)


def _witness(proofs: list[tuple[int, int, float, Projection]]) -> Witness:
    sizes = [p.rows.size for *_, p in proofs]
    return Witness(
        np.array([(j, k, sign) for j, k, sign, _ in proofs], dtype=np.int64).reshape(len(proofs), 3),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.concatenate([p.rows for *_, p in proofs]).astype(np.int64) if proofs else np.zeros(0, dtype=np.int64),
        np.concatenate([p.multipliers for *_, p in proofs]) if proofs else np.zeros(0),
    )

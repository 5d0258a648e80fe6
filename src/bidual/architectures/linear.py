"""Two-layer linear networks: the reference every nonlinear network must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.base import Bias, OutputNorm, PatternPrices
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.architectures.pieces import PiecewiseLinear
from bidual.errors import InvalidParameterError
from bidual.network import Layer
from bidual.typing import Matrix, Outputs, Rows, Vector


@final
@dataclass(frozen=True)
class Linear(PiecewiseLinear):
    """Units ``u'x``: with ``"separate"`` outputs a group penalty ``sum_k ||w_k||``, with ``"shared"`` the nuclear norm
    of the coefficient matrix (Ergen & Pilanci 2020). The best unit is a singular vector, so every bound is exact."""

    bias: Bias = "penalized"
    outputs: OutputNorm = "separate"

    def __post_init__(self) -> None:
        if self.bias == "free":
            raise InvalidParameterError("bias='free' of a linear unit is the output intercept; use that, and 'none'")

    def slopes(self, Xl: Rows, neurons: Neurons, Z: Matrix | None = None) -> Matrix:
        return np.ones((Xl.shape[0], len(neurons)))

    def all_patterns(self, Xl: Rows) -> Patterns:
        return Patterns(np.ones((Xl.shape[0], 1), dtype=bool), np.zeros((Xl.shape[1], 1)))

    def most_patterns(self, n: int, r: int) -> int:
        return 1

    def patterns(self, Xl: Rows, neurons: Neurons) -> Patterns:
        return self.all_patterns(Xl)

    def lies_on(self, Xl: Rows, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
        return np.ones((len(neurons), len(patterns)), dtype=bool)

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return Layer(weight, bias, "linear")

    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        C = Xl.T @ V
        return float(np.linalg.norm(C, axis=0).max() if self.outputs == "separate" else np.linalg.norm(C, 2))

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        return block_prices((Xl.T @ V)[None], self.outputs, None)


def block_prices(C: Matrix, outputs: OutputNorm, gates: Matrix | None) -> PatternPrices:
    """The best units of blocks without cones: C (P, p, c) holds ``X'D_j V``, and ``max <C_j, U>`` over unit blocks is
    attained at a column (separate outputs) or at singular pairs (shared outputs)."""
    P, p, c = C.shape
    if outputs == "separate":
        scores = np.linalg.norm(C, axis=1)
        U = C / np.where(scores > 0, scores, 1.0)[:, None, :]
        inputs, a = U.transpose(1, 0, 2).reshape(p, P * c), np.tile(np.eye(c), P)
        scores, each = scores.ravel(), c
    else:
        left, values, right = np.linalg.svd(C, full_matrices=False)
        each = values.shape[1]
        inputs = left.transpose(1, 0, 2).reshape(p, P * each)
        a, scores = right.reshape(P * each, c).T, values.ravel()
    neurons = Neurons(inputs, a, None if gates is None else np.repeat(gates, each, axis=1))
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > 0]
    return PatternPrices(neurons.take(order), scores[order], float(scores.max(initial=0.0)))

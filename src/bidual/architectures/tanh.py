"""Two-layer networks with tanh units (Bengio et al. 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures.base import Bias, OutputNorm, PatternPrices, Witness
from bidual.architectures.bounded import Bounded
from bidual.architectures.neurons import Neurons, no_neurons
from bidual.architectures.patterns import Patterns
from bidual.network import Layer
from bidual.typing import Matrix, Outputs, Rows, Vector


@final
@dataclass(frozen=True)
class Tanh(Bounded):
    """Units ``tanh(u'x)``.

    A tanh unit is a mixture of sign units, ``tanh(a) = integral of sign(a - s) sech(s)^2 / 2 ds``, and a sign unit the
    limit of ``tanh(r u'x)``. So networks of tanh units and of sign units (with biases) have the same infimum, which
    tanh units need not attain, and what bounds the scores of sign units bounds theirs. They have no patterns.
    """

    bias: Bias = "penalized"
    outputs: OutputNorm = "separate"

    def activations(self, Xl: Rows, neurons: Neurons) -> Matrix:
        return np.tanh(Xl @ neurons.inputs)

    def patterns(self, Xl: Rows, neurons: Neurons) -> Patterns:
        return _no_patterns(Xl)

    def all_patterns(self, Xl: Rows) -> Patterns:
        return _no_patterns(Xl)

    def most_patterns(self, n: int, r: int) -> int:
        return 0

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        return PatternPrices(no_neurons(Xl.shape[1], V.shape[1]), np.zeros(0), np.inf)

    def bound_by_witness(self, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        return np.inf

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return Layer(weight, bias, "tanh")


def _no_patterns(Xl: Rows) -> Patterns:
    return Patterns(np.zeros((Xl.shape[0], 0), dtype=bool), np.zeros((Xl.shape[1], 0)))

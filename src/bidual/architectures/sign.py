"""Two-layer networks with sign units: ConvexNN (Bengio et al. 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.activations import sign
from bidual.architectures.arrangement import enumerate_cells, most_cells
from bidual.architectures.base import Bias, OutputNorm, PatternPrices, Witness
from bidual.architectures.bounded import Bounded
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.network import Layer
from bidual.typing import Matrix, Outputs, Rows, Vector


@final
@dataclass(frozen=True)
class Sign(Bounded):
    """Units ``sign(u'x)``, +1 at 0. On a pattern a unit is constant, so every pattern is one column of a lasso."""

    bias: Bias = "penalized"
    outputs: OutputNorm = "separate"
    faces = True

    def activations(self, Xl: Rows, neurons: Neurons) -> Matrix:
        return sign(Xl @ neurons.inputs, 0.0, None)

    def all_patterns(self, Xl: Rows) -> Patterns:
        """Every cell. With a bias no unit has another pattern; see
        :func:`bidual.architectures.arrangement.covers_faces`."""
        return enumerate_cells(Xl)

    def most_patterns(self, n: int, r: int) -> int:
        return most_cells(n, r)

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        neurons, scores = self.aim(patterns.gates, V.T @ _signs(patterns))
        return PatternPrices(neurons, scores, float(scores.max(initial=0.0)) * (1 + 1e-12))

    def bound_by_witness(self, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        return self.on_patterns(Xl, patterns, V, 0.0).bound

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return Layer(weight, bias, "sign")


def _signs(patterns: Patterns) -> Matrix:
    return np.where(patterns.masks, 1.0, -1.0)

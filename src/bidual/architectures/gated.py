"""Two-layer networks with gated ReLU units: the gate decides when a unit is active, the weight what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import bounds
from bidual.architectures.arrangement import enumerate_cells, most_cells
from bidual.architectures.base import Bias, OutputNorm, PatternPrices
from bidual.architectures.linear import block_prices
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.architectures.pieces import PiecewiseLinear
from bidual.errors import InvalidParameterError
from bidual.network import Layer
from bidual.operators.masked import MaskedData
from bidual.typing import Matrix, Outputs, Rows, Vector


class Gated(PiecewiseLinear):
    """Units ``1[gate open at x] u'x``: the program over patterns without its cones.

    With several outputs, ``"separate"`` charges ``sum ||U_jk||`` (a group for each pattern and output) and ``"shared"``
    the nuclear norm ``sum_j ||U_j||_*`` of the blocks U_j (p, c), which is exactly the weight decay of units that
    share a gate (Sahiner et al. 2020).
    """

    gated = True

    def __post_init__(self) -> None:
        if self.bias == "free":
            raise InvalidParameterError(
                "bias='free' has no finite neuron bound for gated units; use 'penalized', or 'none' with an intercept"
            )

    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        each = bounds.gate(Xl, V)
        return float(each.max() if self.outputs == "separate" else np.linalg.norm(each))

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        return block_prices(MaskedData(Xl, patterns.bits).adjoint(V), self.outputs, patterns.gates)


@final
@dataclass(frozen=True)
class GatedReLU(Gated):
    """Units ``1[g'x >= 0] u'x`` (Mishkin, Sahiner & Pilanci 2022), each with a gate g of its own."""

    bias: Bias = "penalized"
    outputs: OutputNorm = "separate"
    faces = True

    def slopes(self, Xl: Rows, neurons: Neurons, Z: Matrix | None = None) -> Matrix:
        return (Xl @ neurons.gates >= 0).astype(float)  # type: ignore[operator]

    def all_patterns(self, Xl: Rows) -> Patterns:
        """Every cell. A gate through data points opens on them too, which need not be the pattern of any cell: see
        :func:`bidual.architectures.arrangement.covers_faces`."""
        return enumerate_cells(Xl)

    def most_patterns(self, n: int, r: int) -> int:
        return most_cells(n, r)

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        gates = neurons.gates
        assert gates is not None
        open_, threshold = (gates, np.zeros(gates.shape[1])) if self.bias == "none" else (gates[:-1], gates[-1])
        return Layer(weight, bias, "gated", gate=open_, gate_bias=threshold)

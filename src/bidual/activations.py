"""What a neuron does with its input: one table, name -> array function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from bidual.typing import Matrix

Function = Callable[[Matrix, float, Matrix | None], Matrix]
"""``(z, slope, gate) -> output``, elementwise; ``slope`` and ``gate`` matter to the activations that say so."""


@final
@dataclass(frozen=True)
class Activation:
    """An activation function, and what it needs."""

    function: Function
    has_slope: bool = False
    has_gate: bool = False
    zero_at_zero: bool = True
    """True if an input of 0 gives an output of 0, so that a neuron of zero weights and bias is no neuron."""


def linear(z: Matrix, slope: float, gate: Matrix | None) -> Matrix:
    """z."""
    return z


def relu(z: Matrix, slope: float, gate: Matrix | None) -> Matrix:
    """``slope * z + (1 - slope) max(z, 0)``: ReLU (slope 0), leaky ReLU (0.01), absolute value (-1)."""
    return np.where(z > 0, z, slope * z)


def gated(z: Matrix, slope: float, gate: Matrix | None) -> Matrix:
    """``z * 1[gate >= 0]``: gated ReLU, whose gate is another linear function of the same input."""
    assert gate is not None, "a gated layer without its gate"
    return z * (gate >= 0)


def tanh(z: Matrix, slope: float, gate: Matrix | None) -> Matrix:
    """tanh(z)."""
    return np.tanh(z)


def sign(z: Matrix, slope: float, gate: Matrix | None) -> Matrix:
    """+1 where z >= 0 and -1 elsewhere; nan stays nan."""
    return np.where(z >= 0, 1.0, np.where(z < 0, -1.0, z))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "linear": Activation(linear),
        "relu": Activation(relu, has_slope=True),
        "gated": Activation(gated, has_gate=True),
        "tanh": Activation(tanh),
        "sign": Activation(sign, zero_at_zero=False),
    }
)

"""What a network was trained to make small: a loss over the rows, and what its weights cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures.base import OutputNorm
from bidual.errors import InvalidParameterError
from bidual.losses import Loss
from bidual.network import Network
from bidual.typing import Outputs, Rows, Weights


@final
@dataclass(frozen=True, eq=False)
class Objective:
    """``sum_i s_i l(f(x_i), y_i) + 1/2 (p |W|^2 + q |b|^2 + r |A|^2 + s |c|^2)``, for ``f(x) = A phi(W x + b) + c``.

    A network with one hidden layer and weight decay, whoever trained it: the conventions differ in which weights are
    charged, and how much.

    Parameters
    ----------
    loss : a smooth loss of :mod:`bidual.losses`
    row_weight : (n,) or one number for all, s_i
    hidden, output : p and r, of the weights, positive
    hidden_bias, output_bias : q and s, of the biases; 0: free of charge, None: the network has none
    outputs : "shared" (``|A|^2`` is the sum of squares, as everywhere else) or "separate" (for each hidden unit the
        square of the 1-norm of its output weights, as in this library's estimators)

    Raises
    ------
    InvalidParameterError
        A charge that is not as stated, hidden biases that are free while the output bias is not, or a loss with kinks.
    """

    loss: Loss
    row_weight: float | Weights
    hidden: float
    output: float
    hidden_bias: float | None
    output_bias: float | None
    outputs: OutputNorm = "shared"

    def __post_init__(self) -> None:
        if not self.loss.smooth:
            raise InvalidParameterError(f"loss must be smooth, got {self.loss.name!r}; use 'squared_hinge'")
        for name in ("hidden", "output"):
            charge = getattr(self, name)
            if not (charge > 0 and math.isfinite(charge)):
                raise InvalidParameterError(
                    f"{name} must be a positive number, got {charge!r}: where weights cost nothing, a network that is "
                    "wide enough fits any targets, and there is nothing to bound"
                )
        for name in ("hidden_bias", "output_bias"):
            charge = getattr(self, name)
            if not (charge is None or (charge >= 0 and math.isfinite(charge))):
                raise InvalidParameterError(f"{name} must be a number from 0, or None, got {charge!r}")
        if self.hidden_bias == 0 and self.output_bias != 0:
            raise InvalidParameterError(
                f"output_bias must be 0 where hidden_bias is, got {self.output_bias!r}: hidden units with free biases "
                "make a constant free of charge"
            )

    @property
    def beta(self) -> float:
        """The price of size, ``sqrt(p r)``: what ``p/2 |u|^2 + r/2 |a|^2`` is at least for ``|u| |a| = 1``."""
        return math.sqrt(self.hidden * self.output)

    def weights(self, n: int) -> Weights:
        """(n,): s_i."""
        return np.broadcast_to(np.asarray(self.row_weight, dtype=float), (n,)).copy()

    def value(self, network: Network, X: Rows, Y: Outputs) -> float:
        """The objective of a network as it is."""
        hidden, last = network.layers
        each = np.abs(last.weight).sum(axis=1) if self.outputs == "separate" else np.linalg.norm(last.weight, axis=1)
        decay = self.hidden * np.sum(hidden.weight**2) + self.output * np.sum(each**2)
        decay += (self.hidden_bias or 0.0) * np.sum(hidden.bias**2) + (self.output_bias or 0.0) * np.sum(last.bias**2)
        return self.loss.value(network(X), Y, self.weights(X.shape[0])) + 0.5 * float(decay)

    def __str__(self) -> str:
        charges = [
            f"{charge:.4g}/2 x {what}"
            for charge, what in (
                (self.hidden, "squared hidden weights"),
                (self.hidden_bias, "squared hidden biases"),
                (self.output, "squared output weights"),
                (self.output_bias, "squared output biases"),
            )
            if charge
        ]
        weights = np.unique(self.row_weight)
        each = f"{weights[0]:.4g} for each row" if weights.size == 1 else "weighted rows"
        return f"{self.loss.name} loss ({each}) + {' + '.join(charges)}"

    def same_as(self, other: Objective) -> bool:
        """True if both charge the same."""
        return self._terms == other._terms and np.array_equal(self.row_weight, other.row_weight)

    @property
    def _terms(self) -> tuple[object, ...]:
        return self.loss, self.hidden, self.output, self.hidden_bias, self.output_bias, self.outputs

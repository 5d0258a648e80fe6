"""Units whose outputs lie in [-1, 1] however large their weights: sign and tanh."""

from __future__ import annotations

import numpy as np

from bidual.architectures.base import Architecture
from bidual.errors import InvalidParameterError
from bidual.typing import Matrix, Outputs, Rows, Vector


class Bounded(Architecture):
    """Units ``phi(u'x)`` with ``|phi| <= 1``. Only output weights are paid for: ``|u| = 1`` for every u, and the size
    of a network is the sum of the norms of its output weights (Bengio et al. 2006). ``bias="penalized"`` gives the
    units a bias, which like u costs nothing."""

    def __post_init__(self) -> None:
        if self.bias == "free":
            name = type(self).__name__
            raise InvalidParameterError(
                f"{name} does not charge its biases anyway: use bias='penalized' in place of 'free'"
            )

    def input_norm(self, U: Matrix) -> Vector:
        return np.ones(U.shape[1])

    def split(self, amplitudes: Vector) -> tuple[Vector, Vector]:
        """The output weights carry all."""
        return np.ones_like(amplitudes), amplitudes

    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        """``||v||_1``, the score of a unit that is right on every row."""
        each = np.abs(V).sum(axis=0)
        return float(each.max(initial=0.0) if self.outputs == "separate" else np.linalg.norm(each))

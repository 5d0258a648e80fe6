"""Units whose outputs lie in [-1, 1] however large their weights: sign and tanh."""

from __future__ import annotations

from math import inf

import numpy as np

from bidual.architectures.base import Architecture
from bidual.architectures.neurons import Neurons
from bidual.architectures.sweep import best_signs, sweep_work
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
        return self.joint(np.abs(V).sum(axis=0))

    def sweep_bound(self, Xl: Rows, V: Outputs, limit: float = inf) -> float:
        """The largest score of a sign unit with a bias, by :func:`~bidual.architectures.sweep.best_signs`.

        tanh units are mixtures of these, and units without a bias have patterns that units with a small bias have too.
        With shared outputs it is the norm of what the outputs score one by one, which no unit need attain.
        """
        X = self.biased(Xl)
        return self.joint(best_signs(X, V, 0)[0]) if sweep_work(X) <= limit else inf

    def biased(self, Xl: Rows) -> Rows:
        """The rows with a bias column, whether the units have a bias or not."""
        return np.column_stack([Xl, np.ones(Xl.shape[0])]) if self.bias == "none" else Xl

    def joint(self, each: Vector) -> float:
        """A bound of all scores, from one for each output (c,)."""
        return float(each.max(initial=0.0) if self.outputs == "separate" else np.linalg.norm(each))

    def aim(self, U: Matrix, C: Matrix) -> tuple[Neurons, Vector]:
        """(neurons, scores): the units of inputs U (p, m) whose activations have the products C (c, m) with a dual
        vector, each with the outputs it scores most with, or with each output; best first."""
        if self.outputs == "shared":
            scores, inputs = np.linalg.norm(C, axis=0), U
            outputs = C / np.maximum(scores, 1e-300)
        else:
            k, j = np.nonzero(C)
            scores, inputs, outputs = np.abs(C[k, j]), U[:, j], np.eye(C.shape[0])[:, k] * np.sign(C[k, j])
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > 0]
        return Neurons(inputs, outputs).take(order), scores[order]

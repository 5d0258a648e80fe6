"""What gradient descent on several ReLU neurons may minimise. None is convex for two neurons or more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np

from bidual.typing import Masks, Matrix, Vector


class Objective(ABC):
    """``f_m(X) + 2 sum_i y_i sum_(j pulled by row i) (-a_i'x_j)`` with ``f_m(X) = ||sum_j (Ax_j)_+ - y||^2``.

    Row i pulls neurons only where it is idle: where it activates none, and f_m has no gradient. X (d, m) holds one
    neuron in each column. All arrays may have leading axes: problems side by side.

    Ergen & Pilanci (2019). For one neuron, both objectives that pull are the convex f_r of the paper. For more neurons
    the paper's is stated to be convex and is not; only where all activation patterns are held fixed is it quadratic.
    """

    @abstractmethod
    def pulled(self, Z: Matrix) -> Masks:
        """(n, m): which neurons each row pulls, from the preactivations Z (n, m)."""

    def value(self, A: Matrix, y: Vector, X: Matrix) -> Vector:
        """The objective, a number for each problem."""
        Z = A @ X
        pull = -2.0 * np.einsum("...n,...nm->...", y, Z * self.pulled(Z))
        return np.asarray(squared_loss(Z, y) + pull)

    def gradient(self, A: Matrix, y: Vector, X: Matrix) -> Matrix:
        """(d, m): ``2 A' (mask_j (sum_k (Ax_k)_+ - y))`` for each neuron j, where mask_j are the rows that activate or
        pull it. At a kink, that of one side."""
        Z = A @ X
        residual = np.maximum(Z, 0.0).sum(axis=-1) - y
        mask = (Z >= 0.0) | self.pulled(Z)
        return np.asarray(2.0 * (np.swapaxes(A, -1, -2) @ (mask * residual[..., None])))


@final
class Plain(Objective):
    """The squared loss f_m itself: no row pulls."""

    def pulled(self, Z: Matrix) -> Masks:
        return np.zeros(Z.shape, dtype=bool)


@final
class Modified(Objective):
    """An idle row pulls every neuron: the paper's relaxation of several neurons, f_mp.

    It jumps where a row becomes idle: the pull of the other neurons is there at once.
    """

    def pulled(self, Z: Matrix) -> Masks:
        return np.broadcast_to(_idle(Z), Z.shape)


@final
class Continuous(Objective):
    """An idle row pulls the neuron nearest to it: ``f_m + 2 sum_i y_i (-max_j a_i'x_j)_+``, which is continuous."""

    def pulled(self, Z: Matrix) -> Masks:
        return _idle(Z) & (np.arange(Z.shape[-1]) == np.argmax(Z, axis=-1)[..., None])


OBJECTIVES: dict[str, Objective] = {"plain": Plain(), "modified": Modified(), "continuous": Continuous()}


def squared_loss(Z: Matrix, y: Vector) -> Vector:
    """``||sum_j (z_j)_+ - y||^2`` for preactivations Z (n, m), a number for each problem."""
    residual = np.maximum(Z, 0.0).sum(axis=-1) - y
    return np.asarray(np.sum(residual * residual, axis=-1))


def _idle(Z: Matrix) -> Masks:
    """(n, 1): the rows that activate no neuron."""
    return ~np.any(Z >= 0.0, axis=-1, keepdims=True)

"""The ridge path: the best linear fits of each norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import brentq

from bidual.theorems.base import rank
from bidual.theorems.problem import DeepProblem
from bidual.typing import Vector


@final
@dataclass(frozen=True, eq=False)
class RidgePath:
    """``w(nu) = argmin ||design w - y||^2 + ||w||^2 / nu`` for one output, nu from 0 (no fit) to inf (least norm).

    In coordinates of the singular vectors: ``w = V q``, ``q = nu s c / (1 + nu s^2)``, ``c = U'y``; the gradient
    ``design'(y - design w)`` is ``V g``, ``g = s c / (1 + nu s^2) = q / nu``.
    """

    s: Vector
    c: Vector
    Vt: Vector

    @classmethod
    def of(cls, problem: DeepProblem) -> RidgePath:
        (U, s, Vt), r = problem.svd, rank(problem)
        return cls(s[:r], U[:, :r].T @ problem.Y[:, 0], Vt[:r])

    @property
    def last(self) -> float:
        """log nu that is as good as inf: nu s^2 beyond all precision, and still no overflow."""
        return 600.0 - 2.0 * max(float(np.log(self.s[0])), 0.0)

    def weights(self, nu: float) -> Vector:
        """w(nu), (p,)."""
        return self.Vt.T @ self._q(nu)

    def norm(self, nu: float) -> float:
        """||w(nu)||, increasing."""
        return float(np.linalg.norm(self._q(nu)))

    def slope(self, nu: float) -> float:
        """The norm of the gradient, falling: minus the derivative of the least loss by the norm."""
        return float(np.linalg.norm(self.s * self.c / (1.0 + nu * self.s**2)))

    def with_slope(self, slope: float) -> float:
        """nu where the norm of the gradient is ``slope > 0``; 0 if it is nowhere that large."""
        excess = self.slope(0.0) / slope - 1.0
        if not excess > 0:
            return 0.0
        low, high = np.log(excess / self.s[0] ** 2), np.log(excess / self.s[-1] ** 2)
        return _root(lambda t: self.slope(np.exp(t)) / slope - 1.0, low, high)

    def with_norm(self, norm: float) -> float:
        """nu where ``||w||`` is ``norm``, below that of the least-norm fit; inf from there on."""
        if norm >= self.norm(np.inf):
            return np.inf
        if norm == 0:
            return 0.0
        low = np.log(norm / self.slope(0.0))  # ||w|| <= nu times the largest slope
        high = low + 1.0
        while high < self.last and self.norm(np.exp(high)) < norm:
            high += high - low
        return _root(lambda t: 1.0 - self.norm(np.exp(t)) / norm, low, min(high, self.last))

    def _q(self, nu: float) -> Vector:
        return self.c / self.s if np.isinf(nu) else nu * self.s * self.c / (1.0 + nu * self.s**2)


def _root(function: object, low: float, high: float) -> float:
    """exp of the root of a falling function, or of the end beyond which rounding put it."""
    assert callable(function)
    if function(low) <= 0:
        return float(np.exp(low))
    if function(high) >= 0:
        return float(np.exp(high))
    return float(np.exp(brentq(function, low, high, xtol=1e-15, rtol=1e-15)))

"""Least squares."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, final

import numpy as np

from bidual.losses.base import Loss
from bidual.losses.checks import check_real
from bidual.losses.dual import quadratic_peak
from bidual.typing import Outputs, Vector, Weights


@final
@dataclass(frozen=True)
class Squared(Loss):
    """``L(F) = 1/2 sum_i s_i ||F_i - Y_i||^2``: half the weighted SUM of squares, not the mean.

    Conjugate: ``L*(Z) = sum_i ||Z_i||^2 / (2 s_i) + <Z, Y>``, for every Z. (Boyd & Vandenberghe, Convex
    Optimization, section 3.3.)
    """

    name: ClassVar[str] = "squared"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "real"
    smooth: ClassVar[bool] = True

    def check_targets(self, Y: Outputs) -> None:
        check_real(Y, self.name)

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        return float(0.5 * s @ np.sum((F - Y) ** 2, axis=1))

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        return s[:, None] * (F - Y)

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, None]:
        return np.repeat(s[:, None], F.shape[1], axis=1), None

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        return (G + step * s[:, None] * Y) / (1.0 + step * s[:, None])

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        return float(np.sum(Z * (0.5 * Z / s[:, None] + Y)))

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        return inf

    def balance(self, V: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """The nearest balanced vector in the norm of the conjugate: what a best intercept leaves of the residual."""
        mean: Vector = V.sum(axis=0) / s.sum()
        return V - s[:, None] * mean

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        return quadratic_peak(float(np.sum(V * Y)) - slope, float(np.sum(V * V / s[:, None])), limit)

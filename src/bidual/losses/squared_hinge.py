"""Two classes, by the square of the missing margin."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, final

import numpy as np

from bidual.losses.base import Loss
from bidual.losses.checks import check_signs
from bidual.losses.dual import ROUNDING, quadratic_peak, unit_step
from bidual.typing import Outputs, Weights


@final
@dataclass(frozen=True)
class SquaredHinge(Loss):
    """``L(F) = 1/2 sum_ik s_i max(0, 1 - Y_ik F_ik)^2``, Y = +-1.

    Conjugate: with ``a = -Y Z / s``, ``L*(Z) = sum_ik s_i (a^2 / 2 - a)`` where every a >= 0, else inf. At
    ``Z = grad L(F)``, a is the missing margin. (The L2-loss support vector machine, Cortes & Vapnik 1995.)
    """

    name: ClassVar[str] = "squared_hinge"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "signs"
    smooth: ClassVar[bool] = True

    def check_targets(self, Y: Outputs) -> None:
        check_signs(Y, self.name)

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        return float(0.5 * s @ np.sum(np.maximum(0.0, 1.0 - Y * F) ** 2, axis=1))

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        return -s[:, None] * Y * np.maximum(0.0, 1.0 - Y * F)

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, None]:
        return s[:, None] * (Y * F < 1.0), None

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        pull = step * s[:, None]
        return G + Y * np.maximum(0.0, 1.0 - Y * G) * (pull / (1.0 + pull))

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        a = -Y * Z / s[:, None]
        if not a.min() >= -ROUNDING * max(1.0, float(a.max())):
            return inf
        a = np.maximum(a, 0.0)
        return float(s @ np.sum(a * (0.5 * a - 1.0), axis=1))

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        a = Y * V / s[:, None]
        return inf if a.min() >= -ROUNDING * a.max() else unit_step(a)

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        limit = min(limit, self.domain_step(V, Y, s))
        return quadratic_peak(float(np.sum(V * Y)) - slope, float(np.sum(V * V / s[:, None])), limit)

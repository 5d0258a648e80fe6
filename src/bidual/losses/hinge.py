"""Two classes, by their margin."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, final

import numpy as np

from bidual.losses.base import Loss
from bidual.losses.checks import check_signs
from bidual.losses.dual import ROUNDING, quadratic_peak, unit_step
from bidual.losses.smoothed_hinge import SmoothedHinge
from bidual.typing import Outputs, Weights


@final
@dataclass(frozen=True)
class Hinge(Loss):
    """``L(F) = sum_ik s_i max(0, 1 - Y_ik F_ik)``, Y = +-1.

    Conjugate: with ``a = -Y Z / s``, ``L*(Z) = -sum_ik s_i a`` where every a is in [0, 1], else inf. A subgradient
    is a poor dual vector (a = 0 or 1 at every row): solvers work on :meth:`smoothed` with shrinking width. (Cortes &
    Vapnik 1995; Bengio et al. 2006, where a is the dual variable.)
    """

    name: ClassVar[str] = "hinge"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "signs"
    smooth: ClassVar[bool] = False

    def smoothed(self, width: float) -> SmoothedHinge:
        return SmoothedHinge(width)

    def check_targets(self, Y: Outputs) -> None:
        check_signs(Y, self.name)

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        return float(s @ np.sum(np.maximum(0.0, 1.0 - Y * F), axis=1))

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        return -s[:, None] * Y * (Y * F < 1.0)

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, None]:
        return np.zeros_like(F), None

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        return G + Y * np.clip(1.0 - Y * G, 0.0, step * s[:, None])

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        a = -Y * Z / s[:, None]
        if not (a.min() >= -ROUNDING and a.max() <= 1.0 + ROUNDING):
            return inf
        return -float(s @ np.sum(np.clip(a, 0.0, 1.0), axis=1))

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        return unit_step(Y * V / s[:, None])

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        return quadratic_peak(float(np.sum(V * Y)) - slope, 0.0, min(limit, self.domain_step(V, Y, s)))

"""The hinge with its kinks rounded: how a solver reaches the hinge itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import ClassVar, Literal, final

import numpy as np

from bidual.errors import InvalidParameterError
from bidual.losses.base import Loss
from bidual.losses.checks import check_signs
from bidual.losses.dual import ROUNDING, quadratic_peak, unit_step
from bidual.typing import Outputs, Weights


@final
@dataclass(frozen=True)
class SmoothedHinge(Loss):
    """``L(F) = sum_ik s_i h(1 - Y_ik F_ik)``, Y = +-1, where ``h(m) = 0`` for m <= 0, ``m^2 / (2 width)`` up to the
    width and ``m - width / 2`` beyond.

    Conjugate: with ``a = -Y Z / s``, ``L*(Z) = sum_ik s_i (width a^2 / 2 - a)`` where every a is in [0, 1], else inf:
    the domain of the hinge, so its dual vectors are dual vectors of the hinge, which it undercuts by at most
    ``width / 2`` at each row. (Nesterov 2005; also called the Huberised hinge.)
    """

    width: float = 1.0
    name: ClassVar[str] = "smoothed_hinge"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "signs"
    smooth: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (isfinite(self.width) and self.width > 0):
            raise InvalidParameterError(f"width must be a positive finite number, got {self.width!r}")

    def check_targets(self, Y: Outputs) -> None:
        check_signs(Y, self.name)

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        missing = np.maximum(0.0, 1.0 - Y * F)
        short = np.minimum(missing, self.width)
        return float(s @ np.sum(short * (missing - 0.5 * short) / self.width, axis=1))

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        return -s[:, None] * Y * np.clip((1.0 - Y * F) / self.width, 0.0, 1.0)

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, None]:
        missing = 1.0 - Y * F
        return s[:, None] * ((missing > 0) & (missing < self.width)) / self.width, None

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        pull = step * s[:, None]
        return G + Y * np.clip((1.0 - Y * G) * (pull / (self.width + pull)), 0.0, pull)

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        a = -Y * Z / s[:, None]
        if not (a.min() >= -ROUNDING and a.max() <= 1.0 + ROUNDING):
            return inf
        a = np.clip(a, 0.0, 1.0)
        return float(s @ np.sum(a * (0.5 * self.width * a - 1.0), axis=1))

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        return unit_step(Y * V / s[:, None])

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        curvature = self.width * float(np.sum(V * V / s[:, None]))
        return quadratic_peak(float(np.sum(V * Y)) - slope, curvature, min(limit, self.domain_step(V, Y, s)))

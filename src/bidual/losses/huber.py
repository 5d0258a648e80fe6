"""Least squares with a bounded influence of every row."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import ClassVar, Literal, final

import numpy as np

from bidual.errors import InvalidParameterError
from bidual.losses.base import Loss
from bidual.losses.checks import check_real
from bidual.losses.dual import ROUNDING, quadratic_peak
from bidual.typing import Outputs, Weights


@final
@dataclass(frozen=True)
class Huber(Loss):
    """``L(F) = sum_ik s_i h(F_ik - Y_ik)`` with ``h(r) = r^2/2`` if ``|r| <= delta``, else ``delta |r| - delta^2/2``.

    Conjugate: ``L*(Z) = sum_ik Z_ik^2 / (2 s_i) + Z_ik Y_ik`` where every ``|Z_ik| <= delta s_i``, else inf.
    ``delta`` is in the unit of the targets: rescale them or delta. (Huber 1964; Boyd & Vandenberghe, section 6.1.2.)
    """

    delta: float = 1.35

    name: ClassVar[str] = "huber"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "real"
    smooth: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (isfinite(self.delta) and self.delta > 0.0):
            raise InvalidParameterError(
                f"delta={self.delta!r} must be a positive finite number: "
                "give the residual beyond which a row is an outlier"
            )

    def check_targets(self, Y: Outputs) -> None:
        check_real(Y, self.name)

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        residual = np.abs(F - Y)
        near = np.minimum(residual, self.delta)
        return float(s @ np.sum(near * (residual - 0.5 * near), axis=1))

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        return s[:, None] * np.clip(F - Y, -self.delta, self.delta)

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, None]:
        return s[:, None] * (np.abs(F - Y) <= self.delta), None

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        residual, pull = G - Y, step * s[:, None]
        return G - np.clip(residual * (pull / (1.0 + pull)), -self.delta * pull, self.delta * pull)

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        residual = Z / s[:, None]
        if not np.abs(residual).max() <= self.delta * (1.0 + ROUNDING):
            return inf
        residual = np.clip(residual, -self.delta, self.delta)
        return float(s @ np.sum(residual * (0.5 * residual + Y), axis=1))

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        top = float(np.max(np.abs(V) / s[:, None]))
        return self.delta / top if top > 0.0 else inf

    def balance(self, V: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """The shift that balances a squared loss, clipped to the domain; what the clipping leaves is scaled away."""
        bound = self.delta * s[:, None]
        return super().balance(np.clip(V - s[:, None] * (V.sum(axis=0) / s.sum()), -bound, bound), Y, s)

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        limit = min(limit, self.domain_step(V, Y, s))
        return quadratic_peak(float(np.sum(V * Y)) - slope, float(np.sum(V * V / s[:, None])), limit)

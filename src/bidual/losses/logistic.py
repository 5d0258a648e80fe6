"""Two classes, by their log-likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, final

import numpy as np

from bidual.losses.base import Loss
from bidual.losses.checks import check_signs
from bidual.losses.dual import ROUNDING, entropy_peak, unit_step
from bidual.losses.functions import expit, rising_root, xlogx
from bidual.typing import Outputs, Weights


@final
@dataclass(frozen=True)
class Logistic(Loss):
    """``L(F) = sum_ik s_i log(1 + exp(-Y_ik F_ik))``, Y = +-1; several columns are independent yes/no questions.

    Conjugate: with ``a = -Y Z / s``, ``L*(Z) = sum_ik s_i (a log a + (1 - a) log(1 - a))`` where every a is in [0, 1]
    (``0 log 0 = 0``), else inf. At ``Z = grad L(F)``, a is the probability given to the wrong sign. (Boyd &
    Vandenberghe, section 7.1.1 and exercise 3.36.)
    """

    name: ClassVar[str] = "logistic"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "signs"
    smooth: ClassVar[bool] = True

    def check_targets(self, Y: Outputs) -> None:
        check_signs(Y, self.name)

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        return float(s @ np.sum(np.logaddexp(0.0, -Y * F), axis=1))

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        return -s[:, None] * Y * expit(-Y * F)

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, None]:
        return s[:, None] * expit(F) * expit(-F), None

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        """In margins: ``M = Y F`` is the root of ``M - pull expit(-M) = Y G`` with ``pull = step s``.

        With ``w = expit(-M)`` this is ``log w - log(1 - w) + pull w = -Y G``. It starts from ``pull w = W``, where W is
        about the root of ``W + log W = log pull - Y G`` (Lambert's function), which leaves out ``log(1 - w)``.
        """
        low, pull = Y * G, step * s[:, None]

        def excess(M: Outputs) -> tuple[Outputs, Outputs]:
            wrong = expit(-M)
            return M - low - pull * wrong, 1.0 + pull * wrong * (1.0 - wrong)

        high, power = low + pull * expit(-low), np.log(pull) - low
        large, small = np.maximum(power, 1.0), np.exp(np.minimum(power, 1.0))
        w = np.clip(np.where(power > 1.0, large - np.log(large), small / (1.0 + small)) / pull, 1e-300, 0.99)
        return Y * rising_root(excess, low, high, np.clip(np.log1p(-w) - np.log(w), low, high))

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        a = -Y * Z / s[:, None]
        if not (a.min() >= -ROUNDING and a.max() <= 1.0 + ROUNDING):
            return inf
        a = np.clip(a, 0.0, 1.0)
        return float(s @ np.sum(xlogx(a) + xlogx(1.0 - a), axis=1))

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        return unit_step(Y * V / s[:, None])

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        wrong: Outputs = Y * V / s[:, None]
        rate = np.stack([wrong, -wrong])  # the probabilities (1 - t a, t a) of the right and the wrong sign
        start = np.stack([np.ones_like(wrong), np.zeros_like(wrong)])
        return entropy_peak(s[:, None] * rate, start, rate, slope, min(limit, self.domain_step(V, Y, s)))

"""Several classes, by their log-likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, final

import numpy as np
from scipy.special import wrightomega

from bidual.losses.base import Loss
from bidual.losses.checks import check_one_hot
from bidual.losses.dual import ROUNDING, entropy_peak, unit_step
from bidual.losses.functions import logsumexp, rising_root, softmax, xlogx
from bidual.typing import Outputs, Weights


@final
@dataclass(frozen=True)
class Multinomial(Loss):
    """``L(F) = sum_i s_i (log sum_k exp F_ik - <F_i, Y_i>)``, the cross-entropy of one-hot rows Y.

    Conjugate: with ``Q = Y + Z / s``, ``L*(Z) = sum_ik s_i Q_ik log Q_ik`` (``0 log 0 = 0``) where every row of Q is
    in the simplex, else inf. A dual vector is ``V = s (Y - Q)``, its dual value the entropy of Q; at ``V = -grad
    L(F)``, Q is the softmax of F. (Boyd & Vandenberghe, example 3.25.)
    """

    name: ClassVar[str] = "multinomial"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "one_hot"
    smooth: ClassVar[bool] = True

    def check_targets(self, Y: Outputs) -> None:
        check_one_hot(Y, self.name)

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        return float(s @ logsumexp(F - np.sum(F * Y, axis=1, keepdims=True)))

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        # The true class gives exactly what the others take: rows sum to 0 also where the fit is nearly perfect.
        taken: Outputs = s[:, None] * (1.0 - Y) * softmax(F)
        total: Outputs = taken.sum(axis=1, keepdims=True)
        return taken - Y * total

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, Outputs]:
        P: Outputs = softmax(F)
        return s[:, None] * P, np.sqrt(s)[:, None] * P

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        # With pull = step s and A = G + pull Y, the softmax Q of F has pull Q = A - F = A - log Q - l, where l =
        # logsumexp F: so pull Q_k = omega(log pull + A_k - l), omega the Wright function (omega + log omega = x), and
        # l makes every row of Q sum to 1. (Corless & Jeffrey 2002 on omega.)
        pull = step * s[:, None]
        A = np.log(pull) + G + pull * Y
        top: Outputs = A.max(axis=1, keepdims=True)

        def missing(level: Outputs) -> tuple[Outputs, Outputs]:
            w = wrightomega(A - level)
            return 1.0 - w.sum(axis=1, keepdims=True) / pull, (w / (1.0 + w)).sum(axis=1, keepdims=True) / pull

        lowest = top - pull - np.log(pull)  # where the largest Q alone is 1
        highest = top - pull / A.shape[1] - np.log(pull / A.shape[1])  # where no Q is more than 1/c
        level = rising_root(missing, lowest, highest, lowest)
        w = wrightomega(A - level)
        log_w = np.where(w > 1.0, np.log(np.maximum(w, 1.0)), A - level - w)
        # Known up to a constant for each row, which is that of G: the gradient moves no mass in or out of a row.
        return log_w + (G - log_w).mean(axis=1, keepdims=True)

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        Q = Y + Z / s[:, None]
        if not (Q.min() >= -ROUNDING and np.abs(Q.sum(axis=1) - 1.0).max() <= ROUNDING):
            return inf
        Q = np.clip(Q, 0.0, 1.0)
        return float(s @ np.sum(xlogx(Q), axis=1))

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        # t V / s moves mass t a_ik >= 0 from the class of row i, which has 1 to give, to every other class k.
        moved = (2.0 * Y - 1.0) * V / s[:, None]
        return unit_step(moved, torn=float(np.abs(V.sum(axis=1) / s).max()))

    def balance(self, V: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """Rounds Q to a transport plan with the class totals of Y (Altschuler, Weed & Rigollet 2017).

        Columns of Q with too much mass are scaled down; what this frees in each row goes to the other columns in
        proportion to what they miss.
        """
        excess = -V.sum(axis=0)
        missing = np.maximum(-excess, 0.0)
        if not missing.any():
            return V
        Q = s[:, None] * np.maximum(Y - V / s[:, None], 0.0)
        mass = Q.sum(axis=0)
        taken: Outputs = Q * np.divide(np.maximum(excess, 0.0), mass, out=np.zeros_like(mass), where=mass > 0.0)
        given: Outputs = np.outer(taken.sum(axis=1), missing / missing.sum())
        return V + taken - given

    def best_scaling(self, V: Outputs, Y: Outputs, s: Weights, limit: float, slope: float) -> float:
        return entropy_peak(V, Y, V / s[:, None], slope, min(limit, self.domain_step(V, Y, s)))

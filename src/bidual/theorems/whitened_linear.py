"""Deep linear networks on whitened data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.network import Network
from bidual.theorems.base import ROUNDING, Theorem, least, shrink, singular_values, uneven
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem

WHITE = 1e-8
"""Relative spread of the singular values of whitened data."""


@final
@dataclass(frozen=True)
class WhitenedLinear(Theorem):
    """All singular values of X equal c (``XX' = c^2 I`` or ``X'X = c^2 I``): shrink those of ``X'Y / c`` one by one.

    ``W = U diag(s) V'`` with ``s = prox_L(sigma / c; beta / c^2)`` for ``X'Y / c = U diag(sigma) V'``, any number of
    outputs (Ergen & Pilanci 2020; the soft threshold, ``prox_2``, is right for two layers only). Batch normalisation
    makes it hold for all data.
    """

    name = "whitened linear"
    about = "linear networks with beta > 0"

    def covers(self, problem: DeepProblem) -> bool:
        return problem.activation == "linear" and problem.beta > 0

    def violation(self, problem: DeepProblem) -> str | None:
        if (off := uneven(problem.svd[1])) <= WHITE:
            return None
        return (
            f"it needs XX' = c^2 I or X'X = c^2 I, but the singular values of X spread by {off:.2e} of the largest "
            "one; whiten X, set batch_norm=True, take regularizer='lth_power', which is convex for any data, or "
            "fallback='local'"
        )

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        c = problem.norm
        target = Paths.of(problem.design.T @ problem.Y / (c or 1.0))
        s, tie = shrink(problem, target.products, c)
        return Paths(target.inputs, s, target.outputs), tie

    def bound(self, problem: DeepProblem, network: Network) -> float:
        return general_bound(problem)


def general_bound(problem: DeepProblem) -> float:
    """A lower bound for linear networks on any data, tight on whitened ones.

    With ``c_1 >= ... >= c_r`` the singular values of X, W has those of ``F = X W`` over ``c_1`` at least, which bounds
    the price by that of F; if X has full column rank, ``||X W|| >= c_r ||W||`` bounds the loss by that of W.
    """
    X, Y, s = problem.design, problem.Y, problem.svd[1]
    by_price = least(problem, singular_values(Y), problem.norm)
    if X.shape[0] < X.shape[1] or not s[-1] > 1e-8 * s[0]:
        return by_price
    target = singular_values(X.T @ Y) / s[-1]
    outside = (0.5 - ROUNDING) * float(np.sum(Y * Y)) - 0.5 * float(np.sum(target**2))
    return max(by_price, outside + least(problem, target, float(s[-1])))

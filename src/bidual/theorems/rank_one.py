"""Deep ReLU networks on data of rank one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.errors import InfeasibleError
from bidual.network import Network
from bidual.theorems.base import Theorem, least, shrink
from bidual.theorems.paths import Paths
from bidual.theorems.problem import FITTED, DeepProblem
from bidual.typing import Vector

ALIGNED = 1e-10
"""Relative size of what is left of data of rank one, and of entries of the wrong sign."""


@final
@dataclass(frozen=True)
class RankOneReLU(Theorem):
    """``X = c a'`` with ``c >= 0``: every hidden unit is a multiple of c, so one path along ``(a, Y'c)`` is optimal.

    With ``kappa = ||a|| ||c||`` and ``z = Y'c / ||c||``, its product is ``prox_L(||z|| / kappa; beta / kappa^2)``
    (Ergen & Pilanci 2020, Theorem 3, for any number of outputs). The sign condition is needed: with c of both signs,
    networks of three or more layers share layers between the signs, and are better.
    """

    name = "rank-one ReLU"
    about = "ReLU networks"

    def covers(self, problem: DeepProblem) -> bool:
        return problem.activation == "relu"

    def violation(self, problem: DeepProblem) -> str | None:
        s = problem.svd[1]
        if s.size > 1 and s[1] > ALIGNED * s[0]:
            return f"it needs X of rank one, but its second singular value is {s[1] / s[0]:.2e} of the first"
        c, _ = _factors(problem)
        if c.min() < -ALIGNED * c.max():
            return (
                "it needs X = c a' with all c of one sign, but "
                f"{np.sum(c < 0)} of {c.size} rows have the other sign; " + _instead(problem)
            )
        return None

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        c, a = _factors(problem)
        z, off = _split(problem, c)
        size = float(np.linalg.norm(z))
        if problem.beta == 0 and off > FITTED * np.hypot(size, off):
            raise InfeasibleError(
                f"no ReLU network fits: X = c a' has rank one, but {off / np.hypot(size, off):.2e} of Y is not along "
                "c; put a price on the weights, beta > 0"
            )
        s, tie = shrink(problem, np.array([size]), float(np.linalg.norm(c)))
        return Paths(a[:, None], s, z[None] / (size or 1.0)), tie

    def bound(self, problem: DeepProblem, network: Network) -> float:
        if problem.beta == 0:  # ||Y|| = ||f(X)|| <= ||X|| prod ||W_l||
            return least(problem, np.array([np.linalg.norm(problem.Y)]), problem.norm)
        c, a = _factors(problem)
        c = np.maximum(c, 0.0)
        z, off = _split(problem, c)
        ideal = 0.5 * off**2 + least(problem, np.array([np.linalg.norm(z)]), float(np.linalg.norm(c)))
        rest = float(np.linalg.norm(problem.design - c[:, None] * a))
        return ideal - _slack(problem, problem.objective(network), off, rest)


def _factors(problem: DeepProblem) -> tuple[Vector, Vector]:
    """(c, a) with ``X = c a'``, ``||a|| = 1``, and most of c positive."""
    a = problem.svd[2][0]
    c = problem.design @ a
    return (c, a) if c.max() >= -c.min() else (-c, -a)


def _split(problem: DeepProblem, c: Vector) -> tuple[Vector, float]:
    """``Y'c / ||c||``, and the norm of the part of Y that is not along c."""
    unit = c / (float(np.linalg.norm(c)) or 1.0)
    z = problem.Y.T @ unit
    return z, float(np.linalg.norm(problem.Y - unit[:, None] * z))


def _slack(problem: DeepProblem, primal: float, off: float, rest: float) -> float:
    """How much lower than on ``c a'`` the optimum can be on data at distance ``rest``.

    A network no worse than ``primal`` has a residual below ``sqrt(2 primal)`` and a product of norms below S, so its
    outputs differ by ``e = S rest`` at most. S follows from the price: primal less the loss, ``(off - e)^2 / 2`` at
    least; a first S gives a better one.
    """
    S = problem.longest(primal)
    for _ in range(4 if rest > 0 else 0):
        loss = 0.5 * max(off - S * rest, 0.0) ** 2
        S = min(S, problem.longest(max(primal - loss, 0.0) + 1e-15 * primal))
    e = S * rest if rest > 0 else 0.0
    return e * float(np.sqrt(2 * primal)) + 0.5 * e * e


def _instead(problem: DeepProblem) -> str:
    """What to do where no ReLU theorem applies."""
    if problem.n_layers == 2:
        return "bidual.MLPRegressor solves two layers for any data, and so does bidual.solvers on problem.two_layer()"
    return "two layers (bidual.MLPRegressor) and batch_norm=True need fewer assumptions"

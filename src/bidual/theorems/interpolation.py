"""Linear networks of least norm that fit their targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.errors import InfeasibleError
from bidual.network import Network
from bidual.theorems.base import ROUNDING, Theorem, rank, singular_values
from bidual.theorems.paths import Paths
from bidual.theorems.problem import FITTED, DeepProblem


@final
@dataclass(frozen=True)
class LinearInterpolation(Theorem):
    """The pseudo-inverse ``X^+ Y``, at every depth and for any data: it has the least of every singular value.

    The optimum is ``(L / 2) sum_i sigma_i(X^+ Y)^(2 / L)``; for two layers ``||X^+ Y||_*`` (Ergen & Pilanci 2020, whose
    objective has no 1/2: theirs is twice that).
    """

    name = "linear interpolation"
    about = "linear networks with beta = 0"

    def covers(self, problem: DeepProblem) -> bool:
        return problem.activation == "linear" and problem.beta == 0

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        (U, s, Vt), r = problem.svd, rank(problem)
        inside = U[:, :r].T @ problem.Y
        norm = float(np.linalg.norm(problem.Y))
        off = float(np.linalg.norm(problem.Y - U[:, :r] @ inside))
        if off > FITTED * norm:
            raise InfeasibleError(
                f"no linear network fits: {off / norm:.2e} of Y lies outside the range of X (rank {r}); put a price on "
                "the weights, beta > 0"
            )
        return Paths.of(Vt[:r].T @ (inside / s[:r, None])), False

    def bound(self, problem: DeepProblem, network: Network) -> float:
        """``design W = Y`` gives ``A'Y = (A'design) W``, so ``sigma_i(W) >= sigma_i(A'Y) / ||A'design||`` for any A;
        here ``A = U S^-1``."""
        (U, s, _), r = problem.svd, rank(problem)
        A = U[:, :r] / s[:r]
        rounding = ROUNDING * float(np.linalg.norm(np.abs(A).T @ np.abs(problem.Y)))
        values = singular_values(A.T @ problem.Y) - rounding if r else np.zeros(1)
        largest = float(np.linalg.norm(A.T @ problem.design, 2)) if r else 1.0
        return float(problem.cost(np.maximum(values, 0.0) / largest).sum())

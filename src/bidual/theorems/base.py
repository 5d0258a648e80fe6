"""What a theorem is: a precondition, an optimal network, and a bound that holds for every network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from bidual.network import Network
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem
from bidual.theorems.prox import prox
from bidual.typing import Matrix, Outputs, Vector

ROUNDING = 1e-15
"""Of a sum of products, relative to that of their absolute values."""


class Theorem(ABC):
    """An optimal network in closed form, for the problems whose data meet a precondition.

    The bound rests on the data alone, never on the precondition: where that holds only nearly, the gap says by how
    much.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    """The problems that :meth:`covers` is true of, in words."""

    def accepts(self, problem: DeepProblem) -> str | None:
        """None, or the sentence that says which assumption is violated, by how much, and what to do."""
        return self.violation(problem) if self.covers(problem) else f"it is about {self.about}"

    @abstractmethod
    def covers(self, problem: DeepProblem) -> bool:
        """Whether the theorem is about such networks and prices, whatever the data."""

    def violation(self, problem: DeepProblem) -> str | None:
        """None if the data are as they must be, else the sentence of :meth:`accepts`."""
        return None

    @abstractmethod
    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        """The paths of an optimal network, and whether it is a tie: the zero network, and another one as good.

        InfeasibleError if beta is 0 and no network fits.
        """

    @abstractmethod
    def bound(self, problem: DeepProblem, network: Network) -> float:
        """A lower bound of the objective of every network in scope; ``network`` gives the dual vector where one is
        needed."""

    def outside(self, problem: DeepProblem, network: Network) -> str | None:
        """None if the network is in the scope of the bound, else why not."""
        return None


def shrink(problem: DeepProblem, z: Vector, kappa: float) -> tuple[Vector, bool]:
    """``argmin_s (kappa s - z)^2 / 2 + cost(s)`` for each z, and if one is a tie; ``z / kappa`` if beta is 0."""
    if kappa == 0:
        return np.zeros_like(z), False
    s, tie = prox(z / kappa, problem.beta / kappa / kappa, problem.order)
    return s, bool(tie.any())


def least(problem: DeepProblem, z: Vector, kappa: float) -> float:
    """``sum_k min_s (kappa s - z_k)^2 / 2 + cost(s)``; ``sum_k cost(z_k / kappa)`` if beta is 0. It grows with z, which
    is taken less its rounding."""
    z = np.maximum(z - ROUNDING * z.max(initial=0.0), 0.0)
    s, _ = shrink(problem, z, kappa)
    if problem.beta == 0:
        return float(problem.cost(s).sum())
    return float(np.minimum(0.5 * (kappa * s - z) ** 2 + problem.cost(s), 0.5 * z**2).sum())


def dual_value(problem: DeepProblem, V: Outputs) -> float:
    """``max_t <t V, Y> - ||t V||^2 / 2`` over multiples with ``||design' t V||_2 <= beta``: a lower bound of ``1/2
    ||design W - Y||^2 + beta ||W||_*`` for every W (Ergen & Pilanci 2020)."""
    slope, square = float(np.linalg.norm(problem.design.T @ V, 2)), float(np.sum(V * V))
    if square == 0:
        return 0.0
    inner = float(np.sum(V * problem.Y)) - ROUNDING * float(np.sum(np.abs(V * problem.Y)))
    t = max(0.0, min(inner / square, problem.beta / (slope * (1 + 1e-14)) if slope > 0 else np.inf))
    return t * inner - 0.5 * t * t * square


def singular_values(A: Matrix) -> Vector:
    """In falling order."""
    return np.asarray(np.linalg.svd(A, compute_uv=False), dtype=float)


def uneven(values: Vector) -> float:
    """``(largest - smallest) / largest`` of singular values in falling order, 0 if all are 0."""
    return float((values[0] - values[-1]) / values[0]) if values[0] > 0 else 0.0


def rank(problem: DeepProblem) -> int:
    """Numerical rank of the design, as :func:`numpy.linalg.matrix_rank` has it."""
    s = problem.svd[1]
    return int(np.sum(s > max(problem.design.shape) * np.finfo(float).eps * s[0]))

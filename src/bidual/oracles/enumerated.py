"""The oracle that looks at every cell of the data's arrangement, and so proves its bound for every neuron."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import final

import numpy as np

from bidual.architectures import Architecture, Neurons, ParallelReLU3, Patterns
from bidual.architectures.arrangement import check_count, covers_faces
from bidual.certificate import DualPoint, pattern_point
from bidual.errors import RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Outputs, never


@final
@dataclass(frozen=True)
class Enumerated(Oracle):
    """The best neuron of every cell; the bound has scope ``global``. Refuses more than ``limit`` cells.

    Gates that lie on hyperplanes can open rows that no cell opens together (without a bias, the gate 0 opens all):
    where there are such, the bound of gated and of sign units has scope ``patterns``. Refuses tanh units, which have no
    patterns.
    """

    limit: int = 20_000

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        if isinstance(problem.architecture, ParallelReLU3):
            raise RefusedError("second-layer patterns of ParallelReLU3 are no cells to enumerate; use SecondMasks")
        cells = most_patterns(problem)
        if cells == 0:
            name = type(problem.architecture).__name__
            raise RefusedError(f"{name} units have no activation patterns to enumerate; use TanhAscent")
        if cells > self.limit:
            raise RefusedError(
                f"enumeration of up to {cells} activation patterns exceeds limit={self.limit}; raise it, or use "
                "LocalSearch for a priced gap"
            )
        patterns = all_patterns(problem)
        point, prices = pattern_point(problem, V, patterns, 0.0)
        if problem.architecture.faces and not covers_faces(problem.lifted, patterns):
            return Pricing(prices.neurons, prices.scores, point)
        exact = problem.architecture.most_patterns(*problem.lifted.shape) == 1
        bound = replace(point.bound, scope="global", method="closed form" if exact else "enumeration")
        return Pricing(prices.neurons, prices.scores, DualPoint(V, bound))


def most_patterns(problem: Problem) -> int:
    """An upper bound of the number of cells of the problem's data."""
    rank = int(np.linalg.matrix_rank(problem.lifted))
    return problem.architecture.most_patterns(problem.lifted.shape[0], rank)


def all_patterns(problem: Problem) -> Patterns:
    """Every cell of the problem's data, remembered for the last few data sets.

    Raises RefusedError where double precision cannot tell the cells.
    """
    return _cached(problem.architecture, problem.lifted.tobytes(), problem.lifted.shape)


@lru_cache(maxsize=8)
def _cached(architecture: Architecture, data: bytes, shape: tuple[int, int]) -> Patterns:
    X = np.frombuffer(data).reshape(shape)
    patterns = architecture.all_patterns(X)
    if architecture.most_patterns(*shape) > 1:
        check_count(X, patterns)
    return patterns

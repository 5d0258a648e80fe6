"""The oracle of a finite list of activation patterns: exact on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Neurons, Patterns
from bidual.certificate import pattern_point
from bidual.errors import InvalidDataError, InvalidParameterError, RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Outputs, never


@final
@dataclass(frozen=True, eq=False)
class Listed(Oracle):
    """The best neuron on each of the given patterns, by projection on its cone; the bound has scope ``patterns``."""

    patterns: Patterns
    closed = True

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        if self.patterns.bits.n != problem.lifted.shape[0]:
            raise InvalidDataError(f"patterns are of {self.patterns.bits.n} rows, X has {problem.lifted.shape[0]}")
        point, prices = pattern_point(problem, V, self.patterns, 0.0)
        return Pricing(prices.neurons, prices.scores, point)


@final
@dataclass(frozen=True)
class Sampled(Oracle):
    """:class:`Listed` on the patterns of ``n_patterns`` gates that the architecture draws: the same for the same data
    and seed."""

    n_patterns: int = 200
    seed: int = 0
    closed = True

    def __post_init__(self) -> None:
        if self.n_patterns < 1:
            raise InvalidParameterError(f"n_patterns must be at least 1, got {self.n_patterns!r}")

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        patterns = drawn(problem, self.n_patterns, self.seed)
        return Listed(patterns).price(problem, V, current, target, rng, expired)


def drawn(problem: Problem, n_patterns: int, seed: int, antithetic: bool = False) -> Patterns:
    """Patterns of random gates; RefusedError if none is open at any row, as those of few branches may be."""
    patterns = problem.architecture.sample(problem.lifted, n_patterns, seed, antithetic)
    if len(patterns) == 0:
        raise RefusedError("none of the drawn gates is open at any row; draw more branches, or take another seed")
    return patterns

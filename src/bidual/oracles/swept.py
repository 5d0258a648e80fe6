"""The exact oracle of sign units: a sweep through every plane in which hyperplanes of the data meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Bounded, Neurons, Sign
from bidual.architectures.sweep import best_signs, sweep_work
from bidual.certificate import SWEEP_WORK, Bound, DualPoint
from bidual.errors import InvalidParameterError, RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, never


@final
@dataclass(frozen=True)
class Swept(Oracle):
    """The sign units that score most, by :func:`~bidual.architectures.sweep.best_signs`: exact, O(n^(r-1) log n) for
    rows of rank r with the bias column, so O(n^2 log n) for two features. The bound has scope ``global``.

    Up to ``keep`` units for each output. Refuses more than ``limit`` work
    (:func:`~bidual.architectures.sweep.sweep_work`; 1e8 takes a second or two), and rows too close to dependent to tell
    apart in double precision. With shared outputs, and without a bias, the bound is proven, but need not be attained.
    """

    keep: int = 20
    limit: float = SWEEP_WORK

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise InvalidParameterError(f"keep must be at least 1, got {self.keep!r}")

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        architecture = problem.architecture
        if not isinstance(architecture, Sign):
            name = type(architecture).__name__
            raise RefusedError(f"Swept finds sign units, not {name} units; use Enumerated, LocalSearch or TanhAscent")
        work = sweep_work(architecture.biased(problem.lifted))
        if work > self.limit:
            raise RefusedError(
                f"a sweep takes {work:.2g} operations, over limit={self.limit:.2g}; raise it, or use MixedInteger, or "
                "LineSearch for a priced gap"
            )
        U, point = swept(architecture, problem, V, self.keep)
        found = priced(architecture, problem, U, V, self.keep)
        return Pricing(found.neurons, found.scores, point)


def swept(architecture: Bounded, problem: Problem, V: Outputs, keep: int) -> tuple[Matrix, DualPoint]:
    """The inputs (p, m) of the best sign units of each output, and V with the bound that the same sweep proves."""
    Xl = problem.lifted
    each, units = best_signs(Xl, V, keep)
    value = architecture.sweep_bound(Xl, V) if architecture.bias == "none" else architecture.joint(each)
    return np.hstack(units), DualPoint(V, Bound(value, "global", "sweep"))


def priced(architecture: Bounded, problem: Problem, U: Matrix, V: Outputs, keep: int) -> Pricing:
    """The best units among those of inputs U (p, m), up to ``keep`` for each output."""
    H = architecture.activations(problem.lifted, Neurons(U, np.zeros((V.shape[1], U.shape[1]))))
    neurons, scores = architecture.aim(U, V.T @ H)
    first = np.arange(min(len(neurons), keep * V.shape[1]))
    return Pricing(neurons.take(first), scores[first])

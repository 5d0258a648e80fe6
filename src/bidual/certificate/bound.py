"""A proven bound of every neuron's score: what it covers, how it was proven, and what that takes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bidual.architectures.base import PatternPrices, Witness
from bidual.architectures.branches import Branches
from bidual.architectures.patterns import Patterns
from bidual.errors import RefusedError
from bidual.problem import Problem
from bidual.relaxation import relaxable, relaxed_dual
from bidual.typing import Expired, Matrix, Outputs, never

Scope = Literal["global", "patterns"]
Method = Literal[
    "enumeration",
    "norms",
    "semidefinite",
    "branch and bound",
    "sweep",
    "closed form",
    "projection",
    "convex combination",
]

PROVES: dict[str, Scope] = {
    "enumeration": "global",
    "norms": "global",
    "semidefinite": "global",
    "branch and bound": "global",
    "sweep": "global",
    "closed form": "global",
    "projection": "patterns",
}
"""The scope of what each method proves; a convex combination proves the least of its parts."""


@dataclass(frozen=True)
class Bound:
    """A proven bound: no neuron in scope scores more than ``value`` against the dual vector it came with.

    scope : ``"global"`` (every neuron of the architecture) or ``"patterns"`` (those on the listed patterns).
    method : ``"enumeration"`` of all cells, ``"norms"``, ``"semidefinite"``, ``"branch and bound"``, ``"sweep"`` or
    ``"closed form"`` (global); ``"projection"`` on the listed cells (patterns); ``"convex combination"`` of other dual
    vectors, whose bounds are known (global if all of them are). ``patterns``, ``witness``, ``touch``
    (c, 2, n), the enclosures of :func:`~bidual.architectures.semidefinite.score_bound`, ``branches`` and ``boxes``, the
    number of boxes that a search over directions takes, are what a proof needs beyond the dual vector; ``parts`` are
    the weights and the dual vectors of a combination.
    """

    value: float
    scope: Scope
    method: Method
    patterns: Patterns | None = None
    witness: Witness | None = None
    touch: Matrix | None = None
    branches: Branches | None = None
    boxes: int | None = None
    parts: tuple[tuple[float, DualPoint], ...] = ()

    def join(self, other: Bound) -> Bound:
        """The bound over the patterns of both, for the same dual vector."""
        mine, theirs = self.patterns, other.patterns
        assert mine is not None and theirs is not None and self.scope == other.scope == "patterns"
        patterns = Patterns(mine.bits.join(theirs.bits), np.hstack([mine.gates, theirs.gates]))
        witness = None
        if self.witness is not None and other.witness is not None:
            witness = self.witness.join(other.witness, len(mine))
        return Bound(max(self.value, other.value), "patterns", self.method, patterns, witness)


@dataclass(frozen=True)
class DualPoint:
    """A dual vector V (n, c) with a proven bound of its neuron scores; ``value(problem) <= optimum over the scope``."""

    V: Outputs
    bound: Bound

    def value(self, problem: Problem) -> float:
        return problem.dual(self.V, self.bound.value)


def norm_point(problem: Problem, V: Outputs) -> DualPoint:
    """V with the closed-form bound of the architecture."""
    exact = problem.architecture.most_patterns(*problem.lifted.shape) == 1
    value = problem.architecture.norm_bound(problem.lifted, V)
    return DualPoint(V, Bound(value, "global", "closed form" if exact else "norms"))


def semidefinite_point(problem: Problem, V: Outputs, touch: Matrix) -> DualPoint:
    """V with the bound that the enclosures prove."""
    value = problem.architecture.semidefinite_bound(problem.lifted, V, touch)
    return DualPoint(V, Bound(value, "global", "semidefinite", touch=touch))


def branched_point(problem: Problem, V: Outputs, branches: Branches, cells: Patterns | None = None) -> DualPoint:
    """V with the bound that the leaves of a search tree prove, some with the list of all cells."""
    value = problem.architecture.branched_bound(problem.lifted, V, branches, cells)
    return DualPoint(V, Bound(value, "global", "branch and bound", cells, branches=branches))


def sweep_point(problem: Problem, V: Outputs, limit: float = np.inf) -> DualPoint | None:
    """V with the bound by sweeps through the data's arrangement; None where there is none, where it takes more than
    ``limit`` work, or where rows are too close to dependent."""
    with suppress(RefusedError):
        value = problem.architecture.sweep_bound(problem.lifted, V, limit)
        if value < np.inf:
            return DualPoint(V, Bound(value, "global", "sweep"))
    return None


def relaxed_point(problem: Problem, expired: Expired = never) -> DualPoint | None:
    """The dual vector that is best for the semidefinite bound, whatever the network; None where there is none."""
    if not relaxable(problem):
        return None
    return semidefinite_point(problem, *relaxed_dual(problem, expired))


def pattern_point(problem: Problem, V: Outputs, patterns: Patterns, floor: float) -> tuple[DualPoint, PatternPrices]:
    """V with the bound over the listed patterns, and the best neurons on them (those above ``floor``)."""
    prices = problem.architecture.on_patterns(problem.lifted, patterns, V, floor)
    return DualPoint(V, Bound(prices.bound, "patterns", "projection", patterns, prices.witness)), prices


def combined_point(parts: Sequence[tuple[float, DualPoint]]) -> DualPoint:
    """``sum_i w_i V_i`` with the bound ``sum_i w_i kappa_i``, for weights ``w_i > 0``.

    The largest score is a support function of V: convex, and homogeneous. Parts of scope patterns must have one list.
    """
    V = np.sum([weight * point.V for weight, point in parts], axis=0)
    value = sum(weight * point.bound.value for weight, point in parts)
    patterns = next((point.bound.patterns for _, point in parts if point.bound.scope == "patterns"), None)
    scope: Scope = "global" if patterns is None else "patterns"
    return DualPoint(V, Bound(value, scope, "convex combination", patterns, parts=tuple(parts)))

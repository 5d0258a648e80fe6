"""What two fits prove of every strength between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from bidual.architectures import Patterns
from bidual.certificate import Certificate, DualPoint, Scope, combined_point, pattern_point, relative
from bidual.network import Network
from bidual.paths.mixture import mixture
from bidual.paths.strengths import at_strength
from bidual.problem import Problem
from bidual.solvers import Solution
from bidual.typing import Outputs

PIECES = 32
"""Pieces of a span, between whose ends convexity bounds the gap."""

ROUNDING = 1e-12

Ends = tuple[DualPoint, DualPoint]
"""A dual vector with a proven bound at either end."""


@final
@dataclass(frozen=True, eq=False)
class Knot:
    """A strength that was solved: the problem with it, and its certified solution."""

    problem: Problem
    solution: Solution

    @property
    def beta(self) -> float:
        """The strength."""
        return self.problem.penalty.value(1.0)

    @cached_property
    def F(self) -> Outputs:
        """(n, c): the network's predictions."""
        return self.solution.network(self.problem.X)

    @cached_property
    def size(self) -> float:
        """The network's size."""
        return self.problem.architecture.size(self.solution.network)

    @property
    def patterns(self) -> Patterns:
        """The patterns that the certificate lists, or those of the network's neurons."""
        listed = self.solution.certificate.point.bound.patterns
        if listed is not None and self.solution.certificate.scope == "patterns":
            return listed
        neurons, _ = self.problem.architecture.from_network(self.solution.network)
        return self.problem.architecture.patterns(self.problem.lifted, neurons).distinct()

    def lies_on(self, patterns: Patterns) -> bool:
        """True if every neuron of the network lies on one of the patterns."""
        architecture = self.problem.architecture
        neurons, _ = architecture.from_network(self.solution.network)
        return bool(architecture.lies_on(self.problem.lifted, neurons, patterns).any(axis=1).all())


@final
@dataclass(frozen=True, eq=False)
class Span:
    """The strengths between two knots (f_0, V_0) at beta_0 and (f_1, V_1) at beta_1.

    At ``beta = (1 - s) beta_0 + s beta_1`` it has the network ``f_s = (1 - s) f_0 + s f_1``, and the dual vector
    ``V_s = (1 - s) V_0 + s V_1`` of scores at most beta, as a score is convex in V. With the squared loss and optimal
    ends, whose V are their residuals, the gap is

        ``s (1 - s) (beta_0 R_1 - <V_0, f_1> + beta_1 R_0 - <V_1, f_0>)``,    R the size:

    zero where no neuron of either end is one that the other would rather have slid or left out.

    whole : dual points of scope global; listed : on the patterns of both networks, where those are needed.
    """

    upper: Knot
    lower: Knot
    whole: Ends
    listed: Ends | None

    @classmethod
    def between(cls, upper: Knot, lower: Knot, eps: float) -> Span:
        """The span, with dual points on patterns if the global ones leave a larger relative gap than eps."""
        whole = upper.solution.certificate.global_point, lower.solution.certificate.global_point
        if worst_gap(upper, lower, whole) <= eps:
            return cls(upper, lower, whole, None)
        return cls(upper, lower, whole, listed_ends(upper, lower))

    @property
    def scope(self) -> Scope:
        """What ``worst`` holds for."""
        return "global" if self.listed is None else "patterns"

    @cached_property
    def worst(self) -> float:
        """A relative gap that no strength of the span exceeds."""
        return worst_gap(self.upper, self.lower, self.listed or self.whole)

    @cached_property
    def at_ends(self) -> float:
        """The larger relative gap of the two ends, which no further knot between them lowers."""
        ends = self.listed or self.whole
        return max(worst_gap(knot, knot, (end, end)) for knot, end in zip((self.upper, self.lower), ends, strict=True))

    def share(self, beta: float) -> float:
        """s in [0, 1], that of the nearest end for strengths outside."""
        width = self.upper.beta - self.lower.beta
        return min(max((self.upper.beta - beta) / width, 0.0), 1.0) if width > 0.0 else 0.0

    def network(self, beta: float) -> Network:
        """f_s."""
        return mixture(self.upper.solution.network, self.lower.solution.network, self.share(beta))

    def certificate(self, beta: float) -> Certificate:
        """``dual <= optimum over the scope <= primal`` for f_s at the strength; its ``verify`` proves it again.

        The priced gap is the gap if no neuron beats the best one that was found at the ends.
        """
        problem, s = at_strength(self.upper.problem, beta), self.share(beta)
        primal = problem.objective(self.network(beta))
        whole = point = self._combined(self.whole, s)
        dual = whole_dual = priced = whole.value(problem)
        if self.listed is not None:
            listed = self._combined(self.listed, s)
            priced = max(priced, problem.dual(listed.V, self._found(s)))
            if listed.value(problem) > dual:
                point, dual = listed, listed.value(problem)
        gap, methods = max(primal - priced, 0.0), (point.bound.method, whole.bound.method)
        return Certificate(primal, dual, point.bound.scope, methods[0], whole_dual, methods[1], gap, point, whole)

    def _combined(self, ends: Ends, s: float) -> DualPoint:
        """V_s."""
        if s in (0.0, 1.0):
            return ends[int(s)]
        knots = self.upper, self.lower
        weights = (share * fitting(knot, end) for share, knot, end in zip((1.0 - s, s), knots, ends, strict=True))
        return combined_point([*zip(weights, ends, strict=True)])

    def _found(self, s: float) -> float:
        """A bound of the score of every neuron that was looked at, against V_s."""
        assert self.listed is not None
        found = [
            fitting(knot, end) * max(end.bound.value, knot.solution.best_found)
            for knot, end in zip((self.upper, self.lower), self.listed, strict=True)
        ]
        return (1.0 - s) * found[0] + s * found[1]


def fitting(knot: Knot, point: DualPoint) -> float:
    """The largest t <= 1 with scores of ``t V`` of at most beta."""
    bound = point.bound.value * (1.0 + ROUNDING)
    return knot.beta / bound if bound > knot.beta else 1.0


def listed_ends(upper: Knot, lower: Knot) -> Ends | None:
    """The ends' dual vectors with bounds on one list of patterns, on which the neurons of both networks lie; None where
    there is no such list."""
    knots, mine, theirs = (upper, lower), upper.patterns, lower.patterns
    points = tuple(knot.solution.certificate.point for knot in knots)
    if mine.same_as(theirs) and all(point.bound.scope == "patterns" for point in points):
        return points[0], points[1]
    joined = mine.join(theirs) if len(mine) and len(theirs) else max(mine, theirs, key=len)
    if not (len(joined) and all(knot.lies_on(joined) for knot in knots)):
        return None
    first, last = (pattern_point(knot.problem, knot.solution.V, joined, knot.beta)[0] for knot in knots)
    return first, last


def worst_gap(upper: Knot, lower: Knot, ends: Ends) -> float:
    """A relative gap that no strength between the knots exceeds.

    In each of a number of pieces, the loss of f_s is at most its chord and ``-L*(-V_s)`` at least its chord; the price
    ``beta R`` exceeds its chord by at most ``|d beta| |d R| / 4``. A ratio of chords is largest at an end.
    """
    pieces = list(_pieces(upper, lower, ends))
    step = (lower.beta - upper.beta) * (lower.size - upper.size) / PIECES**2
    slack = max(-step, 0.0) / 4.0
    return float(max(relative(max(primal + slack - dual, 0.0), primal + slack) for primal, dual in pieces))


def _pieces(upper: Knot, lower: Knot, ends: Ends) -> Iterator[tuple[float, float]]:
    """(objective of f_s, dual value of V_s) at the ends of the pieces."""
    problem = upper.problem
    a, b = (fitting(knot, end) * end.V for knot, end in zip((upper, lower), ends, strict=True))
    for s in np.linspace(0.0, 1.0, PIECES + 1):
        beta, size = ((1.0 - s) * u + s * v for u, v in ((upper.beta, lower.beta), (upper.size, lower.size)))
        yield (
            problem.loss_value((1.0 - s) * upper.F + s * lower.F) + beta * size,
            problem.dual_at((1.0 - s) * a + s * b),
        )

"""The regularisation path: fits at few strengths, which certify every strength between them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import final

from bidual.architectures import ParallelReLU3
from bidual.certificate import Certificate, Scope
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.paths.span import Knot, Span
from bidual.paths.strengths import at_strength
from bidual.problem import Problem
from bidual.solvers import Solver, Status, Stop
from bidual.solvers.base import Callback

FIRST_STEP = 7.0
"""How far to go at first, in the logarithm of the strength, for each unit of the root of eps."""

SHORTEST = 1 / 16
"""Spans this short, in units of the first step, are not cut again."""

SAFE = 0.9
"""The share of eps that the next span shall use, as its gap is predicted from the last."""

INNER = 0.2
"""The share of eps to which strengths are solved."""

NEAR = 3.0
"""A network is worth to begin from at strengths down to this part of its own: further down many neurons are missing,
which a start from nothing finds together."""


@final
@dataclass(frozen=True, eq=False)
class RegularizationPath:
    """Certified networks at every strength of a range.

    spans : from the strongest to the weakest penalty, one after the other; eps : the relative gap that was asked for;
    asked : (largest, least), the range that was asked for.
    """

    spans: tuple[Span, ...]
    eps: float
    asked: tuple[float, float]

    @property
    def knots(self) -> tuple[Knot, ...]:
        """The strengths that were solved, falling."""
        upper, last = [span.upper for span in self.spans], self.spans[-1].lower
        return tuple(upper) if len(self.spans) == 1 and last is upper[0] else (*upper, last)

    @property
    def largest(self) -> float:
        """The largest strength of the range that is covered."""
        return self.spans[0].upper.beta

    @property
    def least(self) -> float:
        """The least strength of the range that is covered; that which was asked for, unless time ran out."""
        return self.spans[-1].lower.beta

    @property
    def worst(self) -> float:
        """A relative gap that no strength of the range exceeds, over ``scope``."""
        return max(span.worst for span in self.spans)

    @property
    def scope(self) -> Scope:
        """``"global"``, or ``"patterns"`` if some spans are proven over listed patterns only."""
        return "global" if all(span.scope == "global" for span in self.spans) else "patterns"

    @property
    def complete(self) -> bool:
        """True if all strengths that were asked for are within eps."""
        return self.least <= self.asked[1] and self.worst <= self.eps

    def span(self, beta: float) -> Span:
        """The span that holds the strength, or that of the nearest end."""
        return next((span for span in self.spans if beta >= span.lower.beta), self.spans[-1])

    def at(self, beta: float) -> tuple[Network, Certificate]:
        """A network for the strength and its certificate, which is valid outside the range, too."""
        if not (isfinite(beta) and beta > 0):
            raise InvalidParameterError(f"a strength must be a positive finite number, got {beta!r}")
        span = self.span(beta)
        return span.network(beta), span.certificate(beta)


def path(
    problem: Problem,
    solver: Solver,
    strengths: Sequence[float],
    eps: float = 0.05,
    stop: Stop | None = None,
    start: Network | None = None,
    callback: Callback | None = None,
) -> RegularizationPath:
    """Networks with a relative gap of at most eps at every strength from the first to the last of ``strengths``.

    All of ``strengths`` are solved, falling, the first from ``start`` if that is given, each from the network of the
    one before where that is near; and more between them, where two neighbours do not yet certify every strength between
    (:class:`~bidual.paths.span.Span`). The next strength is as far as the last span's gap, which is quadratic in its
    length, lets expect. Where eps is out of the proof's reach at a strength itself, the path goes on with the gap that
    is proven there: see ``worst``, and ``scope`` for what it is proven over.

    stop : tolerance and rounds of each solve, by default a gap of ``eps / 5``; ``time_limit`` is that of the whole
    path, which then ends early, at ``least``. callback : sees every record of every solve; returning True ends the path
    early, too.

    Raises InvalidParameterError for strengths or an eps that are not positive, RefusedError where the solver refuses.
    """
    if not eps > 0:
        raise InvalidParameterError(f"eps must be a positive number, got {eps!r}; 0.05 is five percent")
    for beta in strengths:
        if not (isfinite(beta) and beta > 0):
            raise InvalidParameterError(f"strengths must be positive finite numbers, got {beta!r}; drop it")
    goals = sorted({float(beta) for beta in strengths}, reverse=True)
    if not goals:
        raise InvalidParameterError("strengths is empty; give at least one")
    walk = _Walk(problem, solver, eps, stop or Stop(INNER * min(eps, 0.1)), callback)
    if isinstance(problem.architecture, ParallelReLU3):
        raise RefusedError("a path joins networks of one hidden layer; use ReLU units of two layers, or gated units")
    first = walk.solve(goals[0], start)
    spans = tuple(walk.spans(first, goals[1:])) or (Span.between(first, first, eps),)
    return RegularizationPath(spans, eps, (goals[0], goals[-1]))


class _Walk:
    """From a strength down to the next, as far at a time as the gap allows."""

    def __init__(
        self, problem: Problem, solver: Solver, eps: float, stop: Stop, callback: Callback | None = None
    ) -> None:
        self.problem, self.solver, self.eps, self.stop, self.callback = problem, solver, eps, stop, callback
        self.deadline, self.step = time.monotonic() + stop.time_limit, FIRST_STEP * min(eps, 1.0) ** 0.5
        self.shortest = SHORTEST * self.step

    def solve(self, beta: float, start: Network | None) -> Knot:
        problem = at_strength(self.problem, beta)
        left = max(self.deadline - time.monotonic(), 0.0)
        solution = self.solver.solve(problem, replace(self.stop, time_limit=left), self.callback, start)
        if solution.status in (Status.INTERRUPTED, Status.CALLBACK_STOPPED):
            self.deadline = -math.inf
        return Knot(problem, solution)

    def spans(self, last: Knot, goals: Sequence[float]) -> Iterator[Span]:
        """The spans down to the last goal, or as far as the time allows."""
        ahead: list[Knot] = []
        for goal in goals:
            while last.beta > goal:
                if not ahead:
                    left = math.log(last.beta / goal)
                    steps = max(round(left / self.step), 1)
                    far = last.beta * math.exp(-left / steps) if steps > 1 else goal
                    near = last.beta <= NEAR * far
                    ahead.append(self.solve(far, last.solution.network if near else None))
                span = Span.between(last, ahead[-1], self.eps)
                length = math.log(last.beta / ahead[-1].beta)
                allowed = self.eps if span.at_ends < self.eps else span.at_ends + self.eps
                self.step = length * self._growth(span, allowed)
                over = time.monotonic() >= self.deadline
                if span.worst <= (self.eps if over else allowed) or length <= self.shortest:
                    yield span
                    last = ahead.pop()
                if over:
                    return
                if last is span.upper:
                    middle = math.sqrt(last.beta * ahead[-1].beta)
                    ahead.append(self.solve(middle, span.network(middle)))

    def _growth(self, span: Span, allowed: float) -> float:
        """How much longer the next span may be."""
        used, room = max(span.worst - span.at_ends, 0.0), max(SAFE * allowed - span.at_ends, 0.0)
        return min(max(math.sqrt(room / used), 0.5), 2.0) if used > 0.0 else 2.0

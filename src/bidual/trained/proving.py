"""The best lower bound that there is time for, whatever proves it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from bidual.certificate import DualPoint, pattern_point, relaxed_point
from bidual.errors import RefusedError
from bidual.network import Network
from bidual.oracles import BranchAndBound, most_patterns
from bidual.oracles.enumerated import all_patterns
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Solution, Status, Stop, WorkingSet
from bidual.typing import Outputs

logger = logging.getLogger("bidual")

SHARE = 0.4
"""Of the time, for the solver: the bound needs the dual vector of a good network."""

RATE = 8_000
"""Cells times rows and outputs that are priced in a second, about."""


@final
@dataclass(frozen=True, eq=False)
class Proof:
    """The best network found, and a dual point that bounds every network of any width."""

    solution: Solution
    point: DualPoint


def prove(
    problem: Problem,
    stop: Stop,
    seed: int = 0,
    start: Network | None = None,
    max_neurons: int | None = None,
) -> Proof:
    """Solve, then try one proof after the other until the gap is ``stop.tol`` or the time is spent.

    The solver offers bounds from norms, from the semidefinite relaxation and, where all patterns can be listed in
    seconds, by enumeration. For its last dual vector, longer enumeration and branch and bound are tried.
    """
    deadline = time.monotonic() + stop.time_limit

    def expired() -> bool:
        return time.monotonic() >= deadline

    solver = WorkingSet(seed=seed, max_neurons=max_neurons)
    solution = solver.solve(problem, Stop(stop.tol, stop.max_iter, SHARE * stop.time_limit), start=start)
    point = solution.certificate.global_point
    primal, value = solution.certificate.primal, solution.certificate.global_dual
    for candidate in _candidates(problem, solution, deadline):
        if candidate is not None and candidate.bound.scope == "global" and candidate.value(problem) > value:
            point, value = candidate, candidate.value(problem)
            logger.info("lower bound %.9g by %s", value, point.bound.method)
        if primal - value <= stop.tol * abs(primal) or expired():
            break
    return Proof(solution, point)


def _candidates(problem: Problem, solution: Solution, deadline: float) -> Iterator[DualPoint | None]:
    """Dual points, those that take longest last."""
    yield None
    if solution.status == Status.TIME_LIMIT:  # the solver had no time for it
        half = time.monotonic() + 0.5 * (deadline - time.monotonic())
        yield relaxed_point(problem, lambda: time.monotonic() >= half)
    V = problem.dual_vector(solution.network(problem.X))
    if most_patterns(problem) * problem.Y.size <= RATE * (deadline - time.monotonic()):
        yield _enumerated(problem, V)
    with suppress(RefusedError):
        neurons, _ = problem.architecture.from_network(solution.network)
        oracle, rng = BranchAndBound(search=None, tol=1e-4), np.random.default_rng(0)
        yield oracle.price(problem, V, neurons, math.inf, rng, lambda: time.monotonic() >= deadline).dual


def _enumerated(problem: Problem, V: Outputs) -> DualPoint | None:
    """V with the bound over every cell; those that a quick look shows to be below the price are not looked at again."""
    assert isinstance(problem.penalty, Strength)
    try:
        patterns = all_patterns(problem)
    except RefusedError:  # rows too close to tell their cells
        return None
    point, _ = pattern_point(problem, V, patterns, problem.penalty.beta)
    return DualPoint(V, replace(point.bound, scope="global", method="enumeration"))

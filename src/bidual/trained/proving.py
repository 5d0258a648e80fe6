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

from bidual.architectures import no_neurons
from bidual.certificate import DualPoint, pattern_point, relaxed_point
from bidual.errors import RefusedError
from bidual.network import Network
from bidual.oracles import BranchAndBound, most_patterns
from bidual.oracles.enumerated import all_patterns
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Solution, Status, Stop, WorkingSet
from bidual.trained.free_biases import charging
from bidual.typing import Expired, Outputs

logger = logging.getLogger("bidual")

SHARE = 0.4
"""Of the time, for the solver: the bound needs the dual vector of a good network."""

SHARES = (0.6, 0.9)
"""Of :func:`~bidual.trained.free_biases.charging`: the first is best for the relaxation, the other where branch and
bound comes to its end."""

RATE = 8_000
"""Cells times rows and outputs that are priced in a second, about."""


@final
@dataclass(frozen=True, eq=False)
class Proof:
    """The best network found, and a dual point that bounds every network of any width.

    ``problem`` is what the point is of: the one that was solved, or one that charges its free biases, with ``share``.
    """

    solution: Solution
    problem: Problem
    point: DualPoint
    share: float | None = None

    @property
    def value(self) -> float:
        """The lower bound."""
        return self.point.value(self.problem)


def prove(
    problem: Problem, stop: Stop, seed: int = 0, start: Network | None = None, max_neurons: int | None = None
) -> Proof:
    """Solve, then try one proof after the other until the gap is ``stop.tol`` or the time is spent.

    The solver offers bounds from norms, from the semidefinite relaxation and, where all patterns can be listed in
    seconds, by enumeration. For its last dual vector, longer enumeration and branch and bound are tried.
    """
    deadline = time.monotonic() + stop.time_limit
    solver = WorkingSet(seed=seed, max_neurons=max_neurons)
    solution = solver.solve(problem, Stop(stop.tol, stop.max_iter, SHARE * stop.time_limit), start=start)
    best = Proof(solution, problem, solution.certificate.global_point)
    candidates = _candidates(problem, solution, deadline)
    primal = solution.certificate.primal
    while primal - best.value > stop.tol * abs(primal) and time.monotonic() < deadline:
        proof = next(candidates, best)
        if proof is best:
            break
        if proof.point.bound.scope == "global" and proof.value > best.value:
            best = proof
            logger.info("lower bound %.9g by %s", best.value, best.point.bound.method)
    return best


def _candidates(problem: Problem, solution: Solution, deadline: float) -> Iterator[Proof]:
    """Proofs of global bounds, those that take longest last."""

    def left(part: float) -> Expired:
        """Until a part of the time is spent that is left now."""
        end = time.monotonic() + part * (deadline - time.monotonic())
        return lambda: time.monotonic() >= end

    free = problem.architecture.bias == "free"
    shares = SHARES if free else (None,)
    bounding = {share: problem if share is None else charging(problem, share) for share in shares}
    if free or solution.status == Status.TIME_LIMIT:  # the solver has none, or had no time for it
        relaxed = relaxed_point(bounding[shares[0]], left(0.5))
        if relaxed is not None:
            yield Proof(solution, bounding[shares[0]], relaxed, shares[0])
    V = problem.dual_vector(solution.network(problem.X))
    if most_patterns(problem) * problem.Y.size <= RATE * (deadline - time.monotonic()):
        point = _enumerated(problem, V)
        if point is not None:
            yield Proof(solution, problem, point)
    for place, share in enumerate(shares):
        branched = _branched(bounding[share], V, left(1.0 / (len(shares) - place)))
        if branched is not None:
            yield Proof(solution, bounding[share], branched, share)


def _branched(problem: Problem, V: Outputs, expired: Expired) -> DualPoint | None:
    """V with the bound of a search that may be cut short."""
    neurons, rng = no_neurons(problem.lifted.shape[1], problem.n_outputs), np.random.default_rng(0)
    with suppress(RefusedError):
        return BranchAndBound(search=None, tol=1e-4).price(problem, V, neurons, math.inf, rng, expired).dual
    return None


def _enumerated(problem: Problem, V: Outputs) -> DualPoint | None:
    """V with the bound over every cell; those that a quick look shows to be below the price are not looked at again."""
    assert isinstance(problem.penalty, Strength)
    try:
        patterns = all_patterns(problem)
    except RefusedError:  # rows too close to tell their cells
        return None
    point, _ = pattern_point(problem, V, patterns, problem.penalty.beta)
    return DualPoint(V, replace(point.bound, scope="global", method="enumeration"))

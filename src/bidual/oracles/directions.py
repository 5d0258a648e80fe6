"""The search over directions as an oracle: for many rows of few dimensions."""

from __future__ import annotations

import logging

import numpy as np

from bidual.architectures import Neurons, ReLU, no_neurons
from bidual.architectures.boxes import AXES, BoxSearch
from bidual.architectures.cones import ConeSearch
from bidual.certificate import Bound, DualPoint
from bidual.oracles.base import Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Outputs, Vector

TOL = 1e-4
"""A bound no further above the best score is as good: near it, boxes become too many."""

SHARE = 0.1
"""Of the way from the best score to a target above it, likewise."""

ROWS = 32
"""Where there are at least this many rows, and"""

FACTOR = 0.25
"""at least this times two to the power of their rank, their sides take longer to search (measured)."""

logger = logging.getLogger("bidual")


def directions_are_few(problem: Problem) -> bool:
    """True where the neuron's direction is searched faster than the sides of the rows are."""
    n, rank = problem.X.shape[0], int(np.linalg.matrix_rank(problem.lifted))
    return rank <= AXES and n >= max(ROWS, FACTOR * 2.0**rank)


def search_directions(
    problem: Problem, architecture: ReLU, V: Outputs, found: Pricing, target: float, limit: int, expired: Expired
) -> Pricing:
    """The neurons found, others that the search comes upon, and its bound."""
    search = BoxSearch(problem.lifted, V, architecture.slope)
    found = found.join(search_on(search, problem, V, found.best_found, target, limit, expired))
    logger.info("branch and bound: %d boxes, bound %.9g", search.count, search.bound)
    bound = Bound(search.bound, "global", "branch and bound", boxes=search.count)
    return Pricing(found.neurons, found.scores, DualPoint(V, bound))


def search_on(
    search: BoxSearch | ConeSearch,
    problem: Problem,
    V: Outputs,
    best: float,
    target: float,
    limit: int,
    expired: Expired,
    share: float = SHARE,
) -> Pricing:
    """Halve boxes until the bound is as good as the ``best`` score, or a neuron scores more than the target; returns
    the neurons that scored more than the best yet."""
    found = Pricing(no_neurons(problem.lifted.shape[1], V.shape[1]), np.zeros(0))
    while not search.done and search.count < limit and not expired():
        missing = target - best if target < np.inf else 0.0
        enough = best + max(TOL * best, share * missing)
        if found.best_found > target or search.bound <= enough:
            break
        output, sign, u = search.step(enough)
        if search.score(output, sign, u) > best:
            found = found.join(best_nearby(problem, V, u, best))
            best = max(best, found.best_found)
    return found


def best_nearby(problem: Problem, V: Outputs, u: Vector, floor: float) -> Pricing:
    """The best neurons of the cell of direction u; those that score no more than ``floor`` may be left out."""
    unit = Neurons(u[:, None] / np.linalg.norm(u), np.eye(V.shape[1])[:, :1])
    patterns = problem.architecture.patterns(problem.lifted, unit)
    prices = problem.architecture.on_patterns(problem.lifted, patterns, V, floor)
    return Pricing(prices.neurons, prices.scores)

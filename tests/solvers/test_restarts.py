"""Searching on from the best network: never worse, sometimes better, and always judged."""

from __future__ import annotations

import numpy as np
import pytest

from bidual import MLPRegressor
from bidual.architectures import GatedReLU, ReLU
from bidual.errors import InvalidParameterError, RefusedError
from bidual.losses import Squared
from bidual.oracles import LocalSearch
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers import Restarts, Status, Stop, WorkingSet

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 6))
Y = (np.maximum(X @ RNG.normal(size=(6, 5)), 0) @ RNG.normal(size=(5, 1))) + RNG.normal(size=(60, 1))
BLIND = WorkingSet(LocalSearch(n_starts=1), width=5)
"""A search so poor that it misses neurons."""


def problem(penalty: Penalty) -> Problem:
    return Problem(X, Y, Squared(), ReLU(), penalty)


@pytest.mark.parametrize("penalty", [Strength(2.0), Ball(5.0)], ids=repr)
def test_never_worse_and_the_same_each_time(penalty: Penalty) -> None:
    stop = Stop(1e-4)
    alone = BLIND.solve(problem(penalty), stop)
    more = Restarts(BLIND, 3).solve(problem(penalty), stop)
    assert more.status == alone.status == Status.OPTIMAL_ON_PATTERNS
    assert more.certificate.primal <= alone.certificate.primal * (1 + 1e-4)
    more.certificate.verify(problem(penalty), more.network)
    again = Restarts(BLIND, 3).solve(problem(penalty), stop)
    assert again.network == more.network


def test_finds_what_a_poor_search_missed() -> None:
    alone = BLIND.solve(problem(Strength(2.0)), Stop(1e-4))
    more = Restarts(BLIND, 5).solve(problem(Strength(2.0)), Stop(1e-4))
    assert more.certificate.primal < alone.certificate.primal * (1 - 1e-4)


def test_a_limit_ends_it() -> None:
    solution = Restarts(BLIND, 1000).solve(problem(Strength(2.0)), Stop(1e-4, max_iter=3))
    assert solution.status == Status.ITERATION_LIMIT and len(solution.history) == 4
    solution.certificate.verify(problem(Strength(2.0)), solution.network)


def test_through_the_estimator() -> None:
    model = MLPRegressor(alpha=0.1, restarts=1, tol=1e-2, random_state=0).fit(X, Y[:, 0])
    alone = MLPRegressor(alpha=0.1, tol=1e-2, random_state=0).fit(X, Y[:, 0])
    assert len(model.history_) > len(alone.history_) and model.status_ == "optimal_on_patterns"
    model.certificate_.verify(X, Y[:, 0])


@pytest.mark.parametrize("restarts", [0, -1])
def test_refuses_no_restarts(restarts: int) -> None:
    with pytest.raises(InvalidParameterError, match=f"restarts must be at least 1, got {restarts}"):
        Restarts(BLIND, restarts)


def test_refuses_units_with_gates() -> None:
    gated = Problem(X, Y, Squared(), GatedReLU(), Strength(2.0))
    with pytest.raises(RefusedError, match="random neurons, which have no gates"):
        Restarts(WorkingSet()).solve(gated)

"""The semidefinite relaxation of the training problem: a lower bound of every network, and a good one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from losses.cases import random_targets

from bidual.architectures import GatedReLU, ReLU
from bidual.certificate import certify, norm_point, relaxed_point, verify_bound
from bidual.losses import LOSSES, Squared
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.relaxation import relaxable
from bidual.solvers import Stop, WorkingSet


def random_problem(seed: int, loss: str, penalty: Penalty, n: int = 8, d: int = 1, slope: float = 0.0) -> Problem:
    rng = np.random.default_rng(seed)
    made, c = LOSSES[loss](), 3 if loss == "multinomial" else int(rng.integers(1, 3))
    return Problem(rng.normal(size=(n, d)), random_targets(made, rng, n, c), made, ReLU(slope), penalty)


@pytest.mark.parametrize("loss", LOSSES)
@given(seed=st.integers(0, 2**32 - 1), ball=st.booleans(), slope=st.sampled_from([0.0, 0.1, -1.0]))
@settings(max_examples=4, deadline=None)
def test_never_above_the_optimum(loss: str, seed: int, ball: bool, slope: float) -> None:
    strength = float(10 ** np.random.default_rng(seed).uniform(-2, 0.5))
    problem = random_problem(seed, loss, Ball(strength) if ball else Strength(strength), slope=slope)
    point = relaxed_point(problem)
    assert point is not None
    verify_bound(problem, point)
    solution = WorkingSet().solve(problem, Stop(tol=1e-6))
    assert point.value(problem) <= solution.certificate.primal
    assert solution.certificate.global_dual <= solution.certificate.primal


@pytest.mark.parametrize(("penalty", "most"), [(Strength(3.0), 0.02), (Strength(30.0), 0.001), (Ball(1.0), 0.01)])
def test_tight_under_a_strong_penalty(penalty: Penalty, most: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 8))
    Y = np.maximum(X[:, :1], 0) - np.maximum(X[:, 1:2] + X[:, 2:3], 0)
    problem = Problem(X, Y - Y.mean(), Squared(), ReLU(), penalty)
    solution = WorkingSet().solve(problem, Stop(tol=1e-4))
    loose = norm_point(problem, problem.dual_vector(solution.network(X))).value(problem)
    certificate = certify(problem, solution.network)
    certificate.verify(problem, solution.network)
    gap = 1.0 - loose / certificate.primal
    assert certificate.global_relative_gap <= most and 5 * certificate.global_relative_gap <= gap


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_units_of_length_do_not_matter(scale: float) -> None:
    problem = random_problem(3, "squared", Strength(0.1), 12, 4)
    other = Problem(scale * problem.X, problem.Y, problem.loss, ReLU(bias="none"), Strength(0.1 * scale))
    same = Problem(problem.X, problem.Y, problem.loss, ReLU(bias="none"), Strength(0.1))
    values = [relaxed_point(p).value(p) for p in (other, same)]  # type: ignore[union-attr]
    assert values[0] == pytest.approx(values[1], rel=1e-3)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 5), (3, 20)])
def test_more_features_than_rows(n: int, d: int) -> None:
    problem = random_problem(0, "squared", Strength(0.01), n, d)
    point = relaxed_point(problem)
    assert point is not None and point.V.shape == problem.Y.shape
    verify_bound(problem, point)


def test_nothing_to_learn() -> None:
    for Y in (np.zeros((5, 1)), np.ones((5, 2))):
        problem = Problem(np.zeros((5, 2)), Y, Squared(), ReLU(), Strength(0.1))
        point = relaxed_point(problem)
        assert point is not None and point.value(problem) == pytest.approx(0.0, abs=1e-12)


def test_the_same_every_time_and_valid_when_cut_short() -> None:
    problem = random_problem(1, "logistic", Strength(0.1), 20, 3)
    a, b, cut = relaxed_point(problem), relaxed_point(problem), relaxed_point(problem, lambda: True)
    assert a is not None and b is not None and cut is not None and a.bound.touch is not None
    assert a.V.tobytes() == b.V.tobytes() and a.bound.touch.tobytes() == b.bound.touch.tobytes()
    verify_bound(problem, cut)
    assert cut.value(problem) <= a.value(problem) * (1 + 1e-2)


def test_where_there_is_none() -> None:
    problem = random_problem(0, "squared", Strength(0.1))
    for architecture in (ReLU(bias="free"), GatedReLU()):
        other = Problem(problem.X, problem.Y, problem.loss, architecture, problem.penalty)
        assert not relaxable(other) and relaxed_point(other) is None
    assert relaxable(problem)
    empty = Problem(problem.X, problem.Y, problem.loss, problem.architecture, Ball(0.0))
    assert not relaxable(empty) and relaxed_point(empty) is None

"""The interior-point reference, on every loss, architecture and penalty."""

from __future__ import annotations

import sys
from typing import final

import numpy as np
import pytest

from bidual.architectures import GatedReLU, Linear, ParallelGated, PiecewiseLinear, ReLU
from bidual.architectures.patterns import sample
from bidual.errors import InvalidParameterError, MissingDependencyError, RefusedError
from bidual.losses import LOSSES, Squared
from bidual.oracles import Enumerated
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import Budget, Conic, Status, Stop
from bidual.solvers.inner.conic_losses import CONIC_LOSSES
from bidual.testing import example_problems


@final
class OtherLoss(Squared):
    name = "other"


def squared_problem(n: int = 8, d: int = 2, c: int = 1, seed: int = 0, architecture=None, **options) -> Problem:
    rng = np.random.default_rng(seed)
    architecture = architecture or ReLU()
    return Problem(rng.normal(size=(n, d)), rng.normal(size=(n, c)), Squared(), architecture, Strength(0.2), **options)


SOLVABLE = [
    problem
    for problem in example_problems()
    if isinstance(problem.architecture, PiecewiseLinear) and not isinstance(problem.architecture, ParallelGated)
]
"""Those whose activation patterns can be listed, and are convex in the weights."""


@pytest.mark.parametrize("problem", SOLVABLE, ids=lambda p: f"{p.loss.name}-{p.architecture}")
def test_every_problem_is_solved_to_its_certificate(problem: Problem) -> None:
    solution = Conic().solve(problem, Stop(tol=1e-7))
    assert solution.status == Status.OPTIMAL, str(solution.certificate)
    solution.certificate.verify(problem, solution.network)


def test_every_loss_is_known() -> None:
    assert set(CONIC_LOSSES) == set(LOSSES)


@pytest.mark.parametrize("problem", example_problems()[:7], ids=lambda p: repr(p.architecture))
def test_the_multiplier_is_the_dual_vector(problem: Problem) -> None:
    (iterate,) = Conic().iterates(problem, None, Budget(1e-6))
    expected = problem.dual_vector(iterate.network(problem.X))
    np.testing.assert_allclose(iterate.V, expected, atol=1e-5)
    assert iterate.pricing.dual is not None and iterate.pricing.dual.bound.scope == "global"


def test_a_ball_is_not_left() -> None:
    problem = squared_problem()
    problem = Problem(problem.X, problem.Y, Squared(), ReLU(), Ball(0.4))
    solution = Conic().solve(problem, Stop(tol=1e-8))
    assert solution.status == Status.OPTIMAL
    assert problem.architecture.size(solution.network) == pytest.approx(0.4)


def test_few_patterns_are_worse_than_all_and_say_so() -> None:
    problem = squared_problem()
    some = Conic(sample(problem.lifted, 4, seed=0)).solve(problem, Stop(tol=1e-7))
    everything = Conic().solve(problem, Stop(tol=1e-7))
    assert some.certificate.scope == "patterns" and some.status == Status.OPTIMAL_ON_PATTERNS
    assert some.certificate.primal > everything.certificate.primal * (1 + 1e-3)
    assert some.certificate.global_dual <= everything.certificate.primal


def test_shared_gates_use_the_nuclear_norm() -> None:
    problem = squared_problem(n=6, c=2, architecture=GatedReLU(outputs="shared"))
    separate = squared_problem(n=6, c=2, architecture=GatedReLU())
    solution = Conic().solve(problem, Stop(tol=1e-7))
    assert solution.status == Status.OPTIMAL
    assert solution.certificate.primal < Conic().solve(separate, Stop(tol=1e-7)).certificate.primal


def test_scales_of_data_and_weights() -> None:
    problem = squared_problem(weights=np.full(8, 1.0))
    value = Conic().solve(problem, Stop(tol=1e-7)).certificate.primal
    scaled = Problem(1e3 * problem.X, problem.Y, Squared(), ReLU(bias="none"), Strength(200.0))
    plain = Problem(problem.X, problem.Y, Squared(), ReLU(bias="none"), Strength(0.2))
    values = [Conic().solve(p, Stop(tol=1e-7)).certificate.primal for p in (scaled, plain)]
    assert values[0] == pytest.approx(values[1], rel=1e-7)
    twice = Problem(problem.X, problem.Y, Squared(), ReLU(), Strength(0.4), np.full(8, 2.0))
    assert Conic().solve(twice, Stop(tol=1e-7)).certificate.primal == pytest.approx(2 * value, rel=1e-7)


def test_what_is_refused_and_what_to_do_instead() -> None:
    shared = squared_problem(c=2, architecture=ReLU(outputs="shared"))
    assert "GatedReLU" in (Conic().accepts(shared) or "")
    assert "WorkingSet" in (Conic(limit=10).accepts(squared_problem()) or "")
    other = Problem(*(np.ones((2, 1)),) * 2, OtherLoss(), Linear(), Strength(1.0))
    assert "'other'" in (Conic().accepts(other) or "")
    with pytest.raises(RefusedError, match="'other'"):
        next(Conic().iterates(other, None, Budget(1e-6)))
    opposite = np.array([[1.0], [-1.0]])
    special = Problem(opposite, opposite, Squared(), GatedReLU(bias="none"), Strength(0.1))
    try:
        special.architecture.all_patterns(special.lifted)
    except RefusedError as refusal:
        assert Conic().accepts(special) == str(refusal)


def test_parameters() -> None:
    with pytest.raises(InvalidParameterError, match="tol"):
        Conic(tol=0.0)
    with pytest.raises(InvalidParameterError, match="limit"):
        Conic(limit=0)


def test_without_cvxpy_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'bidual\[conic\]'"):
        Conic().solve(squared_problem())


def test_a_failed_solve_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    import cvxpy

    def fail(*_: object, **__: object) -> None:
        raise cvxpy.SolverError("no")

    monkeypatch.setattr(cvxpy.Problem, "solve", fail)
    assert Conic().solve(squared_problem(), Stop(tol=1e-9)).status == Status.NUMERICAL_ERROR


def test_the_bound_is_that_of_enumeration() -> None:
    problem = squared_problem(seed=3)
    (iterate,) = Conic().iterates(problem, None, Budget(1e-6))
    neurons = iterate.pricing.neurons.take(np.zeros(0, dtype=np.intp))
    again = Enumerated().price(problem, iterate.V, neurons, 0.0, np.random.default_rng(0))
    assert iterate.pricing.dual is not None and again.dual is not None
    assert iterate.pricing.dual.bound.value == again.dual.bound.value

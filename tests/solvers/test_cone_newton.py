"""Newton on blocks in cones: the interior point's optimum, a certified gap, and data that make cones degenerate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.architectures import Patterns, ReLU
from bidual.architectures.patterns import sample
from bidual.losses import LOSSES, Loss, Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import Budget, Conic, FixedPatterns, Status, Stop
from bidual.solvers.inner.cone_newton import cone_newton
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.inner.woodbury import solve_diagonal_plus
from bidual.testing import planted
from bidual.testing.examples import random_targets

SMOOTH = [loss() for loss in LOSSES.values() if loss.smooth and loss.name != "multinomial"]


def coned(
    loss: Loss, architecture: ReLU, intercept: bool = True, n: int = 14, d: int = 3, c: int = 2, beta: float = 0.4
) -> Problem:
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.5, 2.0, size=n)
    return Problem(
        rng.normal(size=(n, d)), random_targets(loss, n, c, rng), loss, architecture, Strength(beta), weights, intercept
    )


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("architecture", [ReLU(), ReLU(0.1, "none"), ReLU(-1.0)], ids=repr)
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_agrees_with_the_interior_point(loss: Loss, architecture: ReLU, intercept: bool) -> None:
    problem = coned(loss, architecture, intercept)
    patterns = sample(problem.lifted, 10, seed=1)
    solution = FixedPatterns(patterns).solve(problem, Stop(1e-8))
    reference = Conic(patterns).solve(problem, Stop(1e-7))
    assert solution.status == Status.OPTIMAL_ON_PATTERNS
    assert solution.network.n_neurons > 0
    assert solution.certificate.primal == pytest.approx(reference.certificate.primal, rel=1e-7)
    solution.certificate.verify(problem, solution.network)


@pytest.mark.parametrize("architecture", [ReLU(), ReLU(0.2, "none")], ids=repr)
def test_planted_optimum(architecture: ReLU) -> None:
    known = planted(architecture, seed=3)
    patterns = architecture.all_patterns(known.problem.lifted)
    solution = FixedPatterns(patterns).solve(known.problem, Stop(1e-8))
    assert solution.certificate.primal == pytest.approx(known.value, rel=1e-8)


def degenerate(kind: str) -> tuple[Problem, Patterns]:
    """Data, and patterns of them, of one kind of degeneracy."""
    problem = coned(Squared(), ReLU(bias="none"), n=16, d=3, c=1)
    X, Y = problem.X.copy(), problem.Y
    if kind == "zero rows":
        X[:5] = 0.0
    elif kind == "duplicates":
        X[8:] = X[:8]
    elif kind == "opposites":
        X[8:] = -2.0 * X[:8]
    elif kind == "wide":
        X = np.random.default_rng(1).normal(size=(5, 9))
        Y = problem.Y[:5]
    elif kind == "rank 1":
        X = X[:, :1] @ np.ones((1, 3))
    elif kind == "one row":
        X, Y = X[:1], Y[:1]
    problem = Problem(X, Y, Squared(), ReLU(bias="none"), Strength(0.4), None, False)
    patterns = sample(X, 12, seed=2)
    if kind == "no interior":  # masks of no cell: their cones are faces, often only 0
        masks = np.random.default_rng(2).uniform(size=(X.shape[0], 6)) < 0.5
        patterns = patterns.join(Patterns(masks, np.zeros((3, 6))))
    return problem, patterns


KINDS = ["zero rows", "duplicates", "opposites", "wide", "rank 1", "one row", "no interior"]


@pytest.mark.parametrize("kind", KINDS)
def test_degenerate_cones(kind: str) -> None:
    problem, patterns = degenerate(kind)
    solution = FixedPatterns(patterns).solve(problem, Stop(1e-7))
    reference = Conic(patterns).solve(problem, Stop(1e-6))
    assert solution.status in (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS)
    assert solution.certificate.primal == pytest.approx(reference.certificate.primal, rel=1e-6)
    solution.certificate.verify(problem, solution.network)


@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_no_neuron_where_none_pays(loss: Loss) -> None:
    problem = coned(loss, ReLU())
    patterns = sample(problem.lifted, 10, seed=1)
    V = problem.dual_vector(intercept_only(problem)[1])
    most = problem.architecture.on_patterns(problem.lifted, patterns, V, 0.0).bound
    none = FixedPatterns(patterns).solve(replace(problem, penalty=Strength(most * (1 + 1e-9))), Stop(1e-6))
    assert none.status == Status.OPTIMAL_ON_PATTERNS and none.network.n_neurons == 0 and len(none.history) == 2
    some = FixedPatterns(patterns).solve(replace(problem, penalty=Strength(0.9 * most)), Stop(1e-6))
    assert some.status == Status.OPTIMAL_ON_PATTERNS and some.network.n_neurons > 0


def test_a_start_from_the_solution_is_the_solution() -> None:
    problem = coned(Squared(), ReLU(), n=60)
    solver = FixedPatterns(sample(problem.lifted, 30, seed=1))
    solution = solver.solve(problem, Stop(1e-8))
    again = next(solver.iterates(problem, solution.network, Budget(1e-6)))
    assert problem.objective(again.network) == pytest.approx(solution.certificate.primal, rel=1e-6)
    cold = next(solver.iterates(problem, None, Budget(1e-6)))
    assert problem.objective(cold.network) > (1 + 1e-5) * solution.certificate.primal


@pytest.mark.parametrize("share", [0.1, 0.01, 0.001])
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_a_millionth_in_few_steps(loss: Loss, share: float) -> None:
    """At (n, d, P) = (300, 8, 100); blocks stay in their cones, and the steps' multipliers prove the bound."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(300, 7)), np.ones(300)])
    y = np.maximum(X @ rng.normal(size=(8, 10)), 0) @ rng.normal(size=(10, 1))
    y = (y - y.mean()) / y.std() + 0.1 * rng.normal(size=(300, 1))
    y = np.sign(y) if loss.targets == "signs" else y
    patterns, unit = sample(X, 100, 1), Problem(X, y, loss, ReLU(bias="none"), Strength(1.0), None, False)
    most = np.linalg.norm(Program(unit, patterns).data.adjoint(unit.dual_vector(0.0 * y)), axis=1).max()
    problem = replace(unit, penalty=Strength(share * most))
    program = Program(problem, patterns)
    steps = 0
    for step in cone_newton(program, np.zeros(program.shape), np.zeros(1)):
        steps += 1
        if step.gap <= 1e-6:
            break
    assert step.gap <= 1e-6 and steps <= 15
    assert program.violation(step.U) <= 1e-9 * np.abs(step.U).max()
    solution = FixedPatterns(patterns).solve(problem, Stop(1e-6))
    assert solution.certificate.relative_gap <= 1e-6
    solution.certificate.verify(problem, solution.network)


@pytest.mark.parametrize("seed", range(3))
def test_every_centre_lies_in_its_cones(seed: int) -> None:
    """Far from the optimum, too, where projections are cut short; and its bound is one."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 12))
    problem = Problem(X, X[:, :1] * X[:, 1:2], Squared(), ReLU(bias="none"), Strength(0.1), None, False)
    program = Program(problem, sample(X, 30, seed=seed))
    signs = np.where(program.patterns.masks, 1.0, -1.0)
    steps = list(cone_newton(program, np.zeros(program.shape), np.zeros(1)))
    best = program.objective(steps[-1].U, steps[-1].b)
    assert steps[0].gap > 0.1 and steps[-1].gap < 1e-6
    for step in steps:
        margins = np.einsum("np,jspk->njsk", X, step.U) * signs[:, :, None, None]
        assert margins.min() >= -1e-9 * np.abs(step.U).max()
        primal = program.objective(step.U, step.b)
        assert primal * (1 - step.gap) <= best * (1 + 1e-9)


def test_same_bits_again() -> None:
    problem = coned(Squared(), ReLU())
    first, second = (FixedPatterns(n_patterns=20, seed=4).solve(problem, Stop(1e-6)) for _ in range(2))
    assert first.network == second.network


@pytest.mark.parametrize("q", [0, 3, 8, 20])
def test_a_diagonal_plus_columns(q: int) -> None:
    rng = np.random.default_rng(0)
    h, B, g = rng.uniform(0.1, 2.0, size=8), rng.normal(size=(8, q)), rng.normal(size=8)
    np.testing.assert_allclose(solve_diagonal_plus(h, B, g), np.linalg.solve(np.diag(h) + B @ B.T, g), atol=1e-10)

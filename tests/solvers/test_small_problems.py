"""Every solver on 200 small problems: one optimum, and no dual value above it."""

from __future__ import annotations

import warnings

import cvxpy as cp
import numpy as np
import pytest

from bidual.architectures import ReLU
from bidual.penalties import Ball
from bidual.problem import Problem
from bidual.solvers import Conic, FixedPatterns, Solution, Status, Stop, WorkingSet
from bidual.solvers.inner.conic_losses import expression

from .small_problems import small_problem

STOP = Stop(tol=1e-7, max_iter=300)


@pytest.mark.parametrize("seed", range(200))
def test_small_problem(seed: int) -> None:
    problem = small_problem(seed)
    solver = WorkingSet()
    solutions = [solver.solve(problem, STOP), *_others(problem)]
    for solution in solutions:
        solution.certificate.verify(problem, solution.network)
    scale = _scale(problem, solutions[0])
    least = min(solution.certificate.primal for solution in solutions)
    for solution in solutions:
        assert solution.certificate.global_dual <= least + 1e-9 * scale
        if solution.status == Status.OPTIMAL:
            assert solution.certificate.scope == "global"
    certificate = solutions[0].certificate
    if _computable(problem):
        assert certificate.scope == "global", str(certificate)
        assert certificate.gap <= 1e-6 * scale, str(certificate)
        for other in solutions[1:]:
            assert other.certificate.primal == pytest.approx(certificate.primal, abs=1e-6 * scale)
    else:
        separate = Problem(
            problem.X,
            problem.Y,
            problem.loss,
            ReLU(problem.architecture.slope, problem.architecture.bias),
            problem.penalty,
            problem.weights,
            problem.intercept,
        )
        above = Conic().solve(separate, STOP).certificate.primal
        assert _nuclear_value(problem) - 1e-6 * scale <= certificate.primal <= above + 1e-6 * scale


def _computable(problem: Problem) -> bool:
    """All but ReLU units with several shared outputs."""
    shared = problem.architecture.outputs == "shared" and problem.n_outputs > 1
    return not (shared and isinstance(problem.architecture, ReLU))


def _others(problem: Problem) -> list[Solution]:
    solutions = []
    if _computable(problem):
        solver = Conic()
        assert solver.accepts(problem) is None
        solutions.append(solver.solve(problem, STOP))
    listed = FixedPatterns(problem.architecture.all_patterns(problem.lifted))
    if listed.accepts(problem) is None:
        solutions.append(listed.solve(problem, STOP))
    return solutions


def _scale(problem: Problem, solution: Solution) -> float:
    """The objective, or a thousandth of that of the network that predicts 0 where nearly nothing is left."""
    return max(abs(solution.certificate.primal), 1e-3 * problem.loss_value(np.zeros_like(problem.Y)))


def _nuclear_value(problem: Problem) -> float:
    """A lower bound for shared ReLU units, written out: blocks without cones, and their nuclear norms.

    A neuron ``t u a'`` with ``|u| = |a| = 1`` on pattern i is a block of nuclear norm t, free bias left out.
    """
    Xl, c = problem.lifted, problem.n_outputs
    free = problem.architecture.bias == "free"
    masks = problem.architecture.all_patterns(Xl).masks
    U = [cp.Variable((Xl.shape[1], c)) for _ in masks.T]
    b = cp.Variable((1, c))
    F = sum(
        (np.where(mask, 1.0, problem.architecture.slope)[:, None] * Xl) @ u for mask, u in zip(masks.T, U, strict=True)
    )
    if problem.intercept:
        F = F + np.ones((len(Xl), 1)) @ b
    size = sum(cp.normNuc(u[:-1] if free else u) for u in U)
    loss = expression(cp, problem, F)
    if isinstance(problem.penalty, Ball):
        task = cp.Problem(cp.Minimize(loss), [size <= problem.penalty.radius])
    else:
        task = cp.Problem(cp.Minimize(loss + problem.penalty.beta * size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "may be inaccurate": an infimum that is not attained
        return task.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)


def test_the_generator_covers_what_it_promises() -> None:
    problems = [small_problem(seed) for seed in range(200)]
    kinds = {(type(p.architecture).__name__, p.architecture.bias, p.architecture.outputs) for p in problems}
    assert len(kinds) == 6 + 4 + 4
    assert len({p.loss.name for p in problems}) == 7
    assert any((np.linalg.norm(p.X, axis=1) == 0).any() for p in problems)
    assert any(np.linalg.matrix_rank(p.X) < min(p.X.shape) for p in problems)
    assert any((p.Y == p.Y[0]).all() for p in problems)
    assert {type(p.penalty).__name__ for p in problems} == {"Strength", "Ball"}
    assert {p.intercept for p in problems} == {True, False}

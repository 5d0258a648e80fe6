"""Values computed in two independent ways, some to 40 digits (design/duality.md, section 6)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.architectures import Architecture, GatedReLU, Linear, ReLU
from bidual.losses import Squared
from bidual.oracles import Enumerated
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Conic, FixedPatterns, Solver, Status, Stop, WorkingSet


def ones_and(*x: float) -> list[list[float]]:
    return [[value, 1.0] for value in x]


ORACLES = {
    "A": ([[1, 0], [0, 1], [1, 1]], [1, -1, 2], 1 / 4, 0.84820262412977720, 2, 0.5576936213),
    "B": ([[1, 1], [-1, 1], [2, -1], [0, 1]], [1, 2, -1, 0], 1 / 2, 1.33292448261773806, 3, 0.9782102956),
    "C": (ones_and(-2, -1, 0, 1, 2), [0, 0, 1, 0, 0], 1 / 20, 0.17163983988105670, 4, 0.0804427191),
    "D": (ones_and(-2, -1, 0, 1, 3), [1, -1, 1, 0, 2], 1 / 10, 0.89746212024587490, 5, 0.3700789680),
}
every_oracle = pytest.mark.parametrize("name", ORACLES)


def plain_problem(X: object, y: object, beta: float, architecture: Architecture | None = None) -> Problem:
    Y = np.array(y, dtype=float)[:, None]
    return Problem(
        np.array(X, dtype=float), Y, Squared(), architecture or ReLU(bias="none"), Strength(beta), intercept=False
    )


@every_oracle
def test_relu(name: str) -> None:
    X, y, beta, value, neurons, _ = ORACLES[name]
    problem = plain_problem(X, y, beta)
    solution = WorkingSet().solve(problem, Stop(tol=1e-10))
    assert solution.status == Status.OPTIMAL
    assert solution.certificate.primal == pytest.approx(value, abs=1e-9)
    assert value - 1e-9 <= solution.certificate.dual <= value + 1e-15
    assert neurons <= solution.network.n_neurons <= len(X)
    solution.certificate.verify(problem, solution.network)


@every_oracle
def test_relu_by_interior_point(name: str) -> None:
    X, y, beta, value, *_ = ORACLES[name]
    certificate = Conic().solve(plain_problem(X, y, beta), Stop(tol=1e-9)).certificate
    assert certificate.primal == pytest.approx(value, abs=1e-9)
    assert certificate.dual == pytest.approx(value, abs=1e-8)


@every_oracle
@pytest.mark.parametrize("solver", [WorkingSet(oracle=Enumerated()), Conic(), "fixed_patterns"], ids=str)
def test_gated(name: str, solver: Solver | str) -> None:
    X, y, beta, _, _, value = ORACLES[name]
    problem = plain_problem(X, y, beta, GatedReLU(bias="none"))
    if isinstance(solver, str):
        solver = FixedPatterns(problem.architecture.all_patterns(problem.lifted))
    solution = solver.solve(problem, Stop(tol=1e-9))
    assert solution.status in (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS)
    assert solution.certificate.primal == pytest.approx(value, abs=1.5e-10 + 1e-9 * value)


@pytest.mark.parametrize("y", [3.0, -2.0, 0.05])
@pytest.mark.parametrize("architecture", [ReLU(bias="none"), GatedReLU(bias="none"), Linear(bias="none")], ids=repr)
def test_one_row(architecture: Architecture, y: float) -> None:
    x, beta = np.array([1.0, -2.0, 2.0]), 0.6
    size = np.linalg.norm(x)
    value = beta * abs(y) / size - beta**2 / (2 * size**2) if abs(y) > beta / size else y**2 / 2
    solution = WorkingSet().solve(plain_problem([x], [y], beta, architecture), Stop(tol=1e-10))
    assert solution.certificate.primal == pytest.approx(value, abs=1e-10)
    assert solution.certificate.dual == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("beta", [0.1, 1.0, 1.9, 5.0])
@pytest.mark.parametrize("solver", [WorkingSet(), Conic()], ids=lambda s: type(s).__name__)
def test_orthonormal_rows(beta: float, solver: Solver) -> None:
    """The two signs part: ``sum over +- of sigma^2/2 if sigma <= beta else beta sigma - beta^2/2``."""
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.normal(size=(6, 4)))[0].T
    y = np.array([1.0, -2.0, 1.5, -0.5])
    sizes = np.array([np.linalg.norm(np.maximum(y, 0)), np.linalg.norm(np.maximum(-y, 0))])
    value = float(np.where(sizes <= beta, sizes**2 / 2, beta * sizes - beta**2 / 2).sum())
    for data in (X, np.eye(4)):
        certificate = solver.solve(plain_problem(data, y, beta), Stop(tol=1e-9)).certificate
        assert certificate.primal == pytest.approx(value, rel=1e-8)
        assert certificate.dual == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize(("beta", "value"), [(1.0, 0.869712915049072), (0.1, 0.231110384403103)])
@pytest.mark.parametrize("solver", [WorkingSet(), FixedPatterns(), Conic()], ids=lambda s: type(s).__name__)
def test_linear(beta: float, value: float, solver: Solver) -> None:
    problem = plain_problem([[1, 2], [3, 4], [5, 6]], [1, 0, -1], beta, Linear(bias="none"))
    solution = solver.solve(problem, Stop(tol=1e-10))
    assert solution.certificate.primal == pytest.approx(value, abs=1e-9)


@every_oracle
def test_invariants(name: str) -> None:
    """P(X, cy, c beta) = c^2 P, P(cX, y, c beta) = P; rotations, permutations, a zero column and y -> -y keep P."""
    X, y, beta, value, *_ = ORACLES[name]
    problem = plain_problem(X, y, beta)
    turn, rng = np.linalg.qr(np.array([[1.0, 2.0], [3.0, -1.0]]))[0], np.random.default_rng(0)
    rows, X = rng.permutation(len(y)), problem.X
    changed = {
        9.0: replace(problem, Y=3 * problem.Y, penalty=Strength(3 * beta)),
        1.0: replace(problem, X=3 * X, penalty=Strength(3 * beta)),
        1.0 + 1e-15: replace(problem, X=X @ turn),
        1.0 + 2e-15: replace(problem, X=X[rows], Y=problem.Y[rows]),
        1.0 + 3e-15: replace(problem, X=np.column_stack([X, np.zeros(len(X))])),
        1.0 + 4e-15: replace(problem, Y=-problem.Y),
    }
    for factor, variant in changed.items():
        certificate = WorkingSet().solve(variant, Stop(tol=1e-9)).certificate
        assert certificate.primal == pytest.approx(factor * value, rel=1e-8)


@every_oracle
def test_beta_max_is_where_the_zero_network_becomes_optimal(name: str) -> None:
    X, y, beta, *_ = ORACLES[name]
    problem = plain_problem(X, y, beta)
    neurons = WorkingSet().solve(problem, Stop(max_iter=0)).network
    nothing = problem.architecture.from_network(neurons)[0]
    highest = Enumerated().price(problem, problem.Y, nothing, 0.0, np.random.default_rng(0)).best_found
    zero = 0.5 * float(np.sum(problem.Y**2))
    above = WorkingSet().solve(replace(problem, penalty=Strength(1.001 * highest)), Stop(tol=1e-9)).certificate
    below = WorkingSet().solve(replace(problem, penalty=Strength(0.9 * highest)), Stop(tol=1e-9)).certificate
    assert above.primal == pytest.approx(zero, rel=1e-9) and below.primal < zero * (1 - 1e-4)

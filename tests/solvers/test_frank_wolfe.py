"""Frank-Wolfe: known optima by every variant, rates, and what they refuse."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from sklearn.datasets import make_moons

from bidual.architectures import GatedReLU, ReLU, Sign, Tanh, no_neurons
from bidual.errors import InvalidParameterError, RefusedError
from bidual.losses import Hinge, Huber, Logistic, Squared
from bidual.oracles import Enumerated, LocalSearch
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import Budget, FrankWolfe, Status, StochasticFrankWolfe, Stop, WorkingSet
from bidual.solvers.frank_wolfe import PATTERNS, STEPS, rate
from bidual.solvers.stochastic_frank_wolfe import natural_growth, sample_size
from bidual.testing import check_solver, example_problems

FIVE = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 2.0], [2.0, -1.0]])
LINE = np.column_stack([np.arange(-2.0, 3.0), np.ones(5)])
BARE = ReLU(bias="none")
VARIANTS = (*STEPS, PATTERNS)


def pose(X: np.ndarray, y: object, radius: float, architecture: object = BARE) -> Problem:
    Y = np.asarray(y, dtype=float).reshape(len(X), -1)
    return Problem(X, Y, Squared(), architecture, Ball(radius), None, False)  # type: ignore[arg-type]


KNOWN = [
    (FIVE, [1, -1, 0.5, 2, -0.5], 0.3, 4.75854009833),
    (FIVE, [1, -1, 0.5, 2, -0.5], 0.8, 3.59015258342),
    (LINE, [1, -1, 1, 0, 2], 0.3, 4.644274765891),
    (LINE, [1, -1, 1, 0, 2], 0.8, 3.290764922112),
]
"""Optima of the whole sum of squares."""


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("X", "y", "radius", "value"), KNOWN)
def test_known_optima(variant: str, X: np.ndarray, y: list[float], radius: float, value: float) -> None:
    corrective = variant.endswith("corrective")
    problem = pose(X, y, radius)
    solution = FrankWolfe(variant, Enumerated()).solve(problem, Stop(1e-9 if corrective else 1e-2, max_iter=200))
    solution.certificate.verify(problem, solution.network)
    assert solution.status == Status.OPTIMAL
    assert 2 * solution.certificate.dual * (1 - 1e-10) <= value <= 2 * solution.certificate.primal * (1 + 1e-10)
    assert 2 * solution.certificate.primal == pytest.approx(value, rel=2e-9 if corrective else 1e-2)


@pytest.mark.parametrize(("seed", "value"), [*enumerate([0.4750278626, 6.3298352608, 4.4682078650, 1.7467352714])])
def test_known_optima_of_random_rows(seed: int, value: float) -> None:
    rng = np.random.default_rng(seed)
    problem = pose(rng.standard_normal((7, 4)), rng.standard_normal(7), 0.6)
    for variant in ("fully_corrective", PATTERNS):
        solution = FrankWolfe(variant, Enumerated()).solve(problem, Stop(1e-8))
        assert 2 * solution.certificate.primal == pytest.approx(value, rel=3e-8)


def toy(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(seed)
    A, W, c = rng.standard_normal((n, d)), rng.standard_normal((10, d)), rng.standard_normal(10)
    return A, np.maximum(A @ W.T, 0) @ c, float(np.abs(c) @ np.linalg.norm(W, axis=1))


@pytest.mark.parametrize(("n", "d", "share"), [(20, 25, 0.1114488308), (25, 20, 0.2141560823)])
def test_the_papers_toys(n: int, d: int, share: float) -> None:
    A, y, planted = toy(n, d, 0)
    problem = pose(A, y, 0.2 * planted)
    solution = FrankWolfe(PATTERNS, LocalSearch(40)).solve(problem, Stop(1e-7))
    assert solution.status == Status.OPTIMAL_ON_PATTERNS and len(solution.history) <= 20
    assert 2 * solution.certificate.primal / (y @ y) == pytest.approx(share, abs=1e-9)
    assert solution.network.n_neurons <= n


def test_whitened_rows_need_two_neurons() -> None:
    y = np.array([3.0, 4.0, -12.0, 5.0, 0.0])
    solution = FrankWolfe(PATTERNS, Enumerated()).solve(pose(np.eye(5), y, 10.0), Stop(1e-10))
    up, down = np.linalg.norm(np.maximum(y, 0)), np.linalg.norm(np.minimum(y, 0))
    price = (up + down - 10.0) / 2  # the projection of (up, down) on the 1-norm ball
    assert solution.certificate.primal == pytest.approx(price**2, rel=1e-9)
    assert solution.network.n_neurons == 2


def test_the_stated_rate_is_too_fast_and_the_corrected_one_holds() -> None:
    """F7: x = 1, y = -0.99, radius 1: the third iterate of the sum of squares is 1.75 off, over 4 R^2 / (3 + 1)."""
    problem = pose(np.ones((1, 1)), [-0.99], 1.0)
    values = [
        2 * problem.loss_value(iterate.network(problem.X))
        for iterate, _ in zip(
            FrankWolfe("open_loop", Enumerated()).iterates(problem, None, Budget(1e-9)), range(5), strict=False
        )
    ]
    assert values[2] == pytest.approx(1.7511, abs=1e-3) and values[2] > 4 / (3 + 1)
    for T, value in enumerate(values, 1):
        assert value <= 2 * rate(problem, T)


@pytest.mark.parametrize("architecture", [BARE, Sign(), GatedReLU(bias="none")], ids=repr)
def test_the_corrected_rate_holds(architecture: object) -> None:
    rng = np.random.default_rng(1)
    problem = pose(rng.standard_normal((8, 2)), rng.standard_normal(8), 0.5, architecture)
    least = FrankWolfe(PATTERNS, Enumerated()).solve(problem, Stop(1e-8)).certificate.dual
    history = FrankWolfe("open_loop", Enumerated()).solve(problem, Stop(1e-9, max_iter=100)).history
    for record in history[1:]:
        assert record.primal - least <= rate(problem, record.iteration)


def test_an_unsigned_oracle_would_be_wrong() -> None:
    """F5: on the line, y scores 5 and -y scores 0."""
    problem = pose(LINE, [1, -1, 1, 0, 2], 1.0)
    rng, nothing = np.random.default_rng(0), no_neurons(2, 1)
    assert Enumerated().price(problem, problem.Y, nothing, 0.0, rng).best_found == pytest.approx(5.0)
    assert Enumerated().price(problem, -problem.Y, nothing, 0.0, rng).best_found == pytest.approx(5.0)


def test_ball_and_strength_agree() -> None:
    """The multiplier of the ball is the strength whose network has that size."""
    problem = pose(FIVE, [1, -1, 0.5, 2, -0.5], 0.8)
    ball = FrankWolfe(PATTERNS, Enumerated()).solve(problem, Stop(1e-10))
    V = problem.dual_vector(ball.network(problem.X))
    price = Enumerated().price(problem, V, no_neurons(2, 1), 0.0, np.random.default_rng(0)).best_found
    priced = Problem(problem.X, problem.Y, Squared(), BARE, Strength(price), None, False)
    penalised = WorkingSet().solve(priced, Stop(1e-10))
    assert BARE.size(penalised.network) == pytest.approx(0.8, rel=1e-4)
    np.testing.assert_allclose(penalised.network(problem.X), ball.network(problem.X), atol=1e-4)


def test_sign_units_and_other_losses() -> None:
    X, y = make_moons(20, noise=0.2, random_state=0)
    Y = 2.0 * y[:, None] - 1
    for loss in (Squared(), Logistic()):
        for architecture in (Sign(), BARE):
            problem = Problem(X, Y, loss, architecture, Ball(1.5))
            solution = FrankWolfe(PATTERNS, Enumerated()).solve(problem, Stop(1e-7))
            assert solution.status == Status.OPTIMAL
            assert architecture.size(solution.network) <= 1.5 * (1 + 1e-9)


def test_stochastic_is_the_open_loop_with_all_rows() -> None:
    problem = pose(FIVE, [1, -1, 0.5, 2, -0.5], 0.8)
    whole = StochasticFrankWolfe(32, growth=100.0, oracle=Enumerated()).iterates(problem, None, Budget(1e-9))
    plain = FrankWolfe("open_loop", Enumerated()).iterates(problem, None, Budget(1e-9))
    networks = [iterate.network for iterate in islice(plain, 33)]
    for step, iterate in zip((1, 2, 4, 8, 16, 32), whole, strict=True):
        np.testing.assert_allclose(iterate.network(FIVE), networks[step](FIVE), atol=1e-9)


def test_stochastic_samples_and_certifies_on_all_rows() -> None:
    A, y, planted = toy(25, 20, 0)
    problem = pose(A, y, planted)
    growth = natural_growth(problem)
    sizes = [sample_size(25, growth, step) for step in range(1, 30)]
    assert sizes[0] <= 3 and sizes[-1] == 25 and sizes == sorted(sizes)
    solution = StochasticFrankWolfe(30).solve(problem, Stop(1e-6))
    solution.certificate.verify(problem, solution.network)
    again = StochasticFrankWolfe(30).solve(problem, Stop(1e-6))
    assert again.network == solution.network
    assert solution.certificate.primal < 0.1 * problem.loss_value(np.zeros_like(problem.Y))


def test_what_they_refuse() -> None:
    with pytest.raises(InvalidParameterError, match="variant"):
        FrankWolfe("fast")
    with pytest.raises(InvalidParameterError, match="growth"):
        StochasticFrankWolfe(growth=0.0)
    problem = pose(FIVE, [1, -1, 0.5, 2, -0.5], 0.8)
    signs = np.sign(problem.Y) + (problem.Y == 0)
    for solver in (FrankWolfe(), StochasticFrankWolfe()):
        for bad, word in (
            (Problem(FIVE, problem.Y, Squared(), BARE, Strength(1.0), None, False), "Ball"),
            (Problem(FIVE, signs, Hinge(), BARE, Ball(1.0), None, False), "smooth"),
        ):
            with pytest.raises(RefusedError, match=word):
                solver.solve(bad)
    with pytest.raises(RefusedError, match="growth"):
        StochasticFrankWolfe().solve(Problem(FIVE, signs, Huber(), BARE, Ball(1.0), None, False))
    with pytest.raises(RefusedError, match="intercept"):
        StochasticFrankWolfe().solve(Problem(FIVE, problem.Y, Squared(), BARE, Ball(1.0)))


def test_contract() -> None:
    problems = [problem for problem in example_problems() if not isinstance(problem.architecture, Tanh)]
    check_solver(FrankWolfe(PATTERNS, Enumerated()), problems, tol=1e-4)
    check_solver(FrankWolfe("away", Enumerated()), problems[:9], tol=1e-2)

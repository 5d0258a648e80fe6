"""Column generation against published and independently computed values, and on every awkward kind of data."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bidual.architectures import Architecture, GatedReLU, Linear, ReLU
from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.losses import Hinge, Logistic, Loss, Multinomial, Squared
from bidual.oracles import Cached, Counted, Enumerated, Listed, LocalSearch, Split
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers import Budget, Solution, Status, Stop, WorkingSet

PLAIN = ReLU(bias="none")


def make(
    X: object, y: object, penalty: Penalty, architecture: Architecture = PLAIN, loss: Loss | None = None, **more: object
) -> Problem:
    X, Y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    Y = Y[:, None] if Y.ndim == 1 else Y
    return Problem(X, Y, loss or Squared(), architecture, penalty, **({"intercept": False} | more))


def solve(problem: Problem, tol: float = 1e-9, **more: object) -> Solution:
    solution = WorkingSet(**more).solve(problem, Stop(tol, max_iter=300))
    solution.certificate.verify(problem, solution.network)
    assert solution.network.n_neurons <= problem.Y.size
    return solution


def value(problem: Problem, tol: float = 1e-9) -> float:
    solution = solve(problem, tol)
    assert solution.status == Status.OPTIMAL, str(solution.certificate)
    return solution.certificate.primal


# Published values: incremental.md section 4, whose squared loss is twice ours (its lambda = 2 beta).

X3, Y3 = [[1, 0], [0, 1], [1, 1], [-1, 2], [2, -1]], [1, -1, 0.5, 2, -0.5]
X4, Y4 = np.arange(-2.0, 3.0)[:, None], [1, -1, 1, 0, 2]


@pytest.mark.parametrize(("strength", "twice"), [(0.5, 37 / 12), (1.0, 4.194428052881)])
def test_o3(strength: float, twice: float) -> None:
    solution = solve(make(X3, Y3, Strength(strength / 2)))
    assert 2 * solution.certificate.primal == pytest.approx(twice, abs=1e-9)
    if strength == 0.5:
        np.testing.assert_allclose(solution.network(np.array(X3))[:, 0], np.array([5, -1, 4, 21, -3]) / 12, atol=1e-6)
        assert PLAIN.size(solution.network) == pytest.approx(3.5, abs=1e-6)


@pytest.mark.parametrize(("radius", "twice"), [(0.3, 4.75854009833), (0.8, 3.59015258342)])
def test_o3_on_a_ball(radius: float, twice: float) -> None:
    assert 2 * value(make(X3, Y3, Ball(radius))) == pytest.approx(twice, abs=1e-9)


def test_o3_strongest_strength_and_logistic() -> None:
    highest = 7.615773105864 / 2
    assert solve(make(X3, Y3, Strength(highest * 1.000001))).network.n_neurons == 0
    assert solve(make(X3, Y3, Strength(highest * 0.999))).network.n_neurons > 0
    assert value(make(X3, np.sign(Y3), Strength(0.3), loss=Logistic())) == pytest.approx(3.0615376, abs=3e-8)


@pytest.mark.parametrize(
    ("penalty", "twice"),
    [
        (Strength(0.25), 3.274216443717),
        (Strength(0.5), 4.080386387138),
        (Ball(0.3), 4.644274765891),
        (Ball(0.8), 3.290764922112),
    ],
    ids=str,
)
def test_o4(penalty: Penalty, twice: float) -> None:
    solution = solve(make(X4, Y4, penalty, ReLU()))
    assert solution.status == Status.OPTIMAL
    assert 2 * solution.certificate.primal == pytest.approx(twice, abs=1e-9)
    if penalty == Strength(0.5):
        assert solution.network.n_neurons == 2


def test_o5_and_o8() -> None:
    solution = solve(make(np.eye(5), [3, 4, -12, 5, 0], Strength(1.0)))
    assert 2 * solution.certificate.primal == pytest.approx(36.14213562373095, abs=1e-8)
    expected = [2.575735931288, 3.434314575051, -11, 4.292893218813, 0]
    np.testing.assert_allclose(solution.network(np.eye(5))[:, 0], expected, atol=1e-8)
    one = solve(make([[3, 4]], [2], Strength(2.5)))
    assert 2 * one.certificate.primal == pytest.approx(1.75) and one.network([[3, 4]]) == pytest.approx(1.5)


@pytest.mark.parametrize(("seed", "twice"), [*enumerate([0.4750278626, 6.3298352608, 4.4682078650, 1.7467352714])])
def test_o11(seed: int, twice: float) -> None:
    rng = np.random.default_rng(seed)
    A, y = rng.standard_normal((7, 4)), rng.standard_normal(7)
    assert 2 * value(make(A, y, Ball(0.6))) == pytest.approx(twice, abs=1e-9)


@pytest.mark.parametrize(
    ("seed", "squared", "hinge", "logistic"),
    [
        (0, 2.346860971, 2.368695039, 3.28934377),
        (1, 1.861936681, 2.154217851, 3.54152083),
        (2, 2.045299498, 2.384138425, 4.14422818),
    ],
)
def test_o14(seed: int, squared: float, hinge: float, logistic: float) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((7, 2)), np.sign(rng.standard_normal(7))
    assert 2 * value(make(X, y, Strength(0.15), ReLU())) == pytest.approx(squared, abs=2e-9)
    assert value(make(X, y, Strength(0.3), ReLU(), Logistic())) == pytest.approx(logistic, abs=4e-8)
    assert value(make(X, y, Strength(0.3), ReLU(), Hinge()), 1e-6) == pytest.approx(hinge, rel=2e-6)


@pytest.mark.parametrize(("seed", "share"), [(0, 0.1114488308), (1, 0.04275963152)])
def test_o13_is_reached_by_search(seed: int, share: float) -> None:
    """Ten Gaussian neurons in 25 dimensions: too many cells to list, so nothing is proven of neurons not found."""
    rng = np.random.default_rng(seed)
    A, W, c = rng.standard_normal((20, 25)), rng.standard_normal((10, 25)), rng.standard_normal(10)
    y = np.maximum(A @ W.T, 0.0) @ c
    radius = 0.2 * np.sum(np.abs(c) * np.linalg.norm(W, axis=1))
    solution = solve(make(A, y, Ball(radius)), 1e-6)
    assert solution.status == Status.OPTIMAL_ON_PATTERNS
    assert 2 * solution.certificate.primal / (y @ y) == pytest.approx(share, rel=1e-5)


# References computed another way.


def dictionary_lasso(x: np.ndarray, y: np.ndarray, beta: float) -> float:
    """One input and a free bias: a Lasso whose columns are the ramps from every point (Zeger et al. 2024)."""
    ramps = np.maximum(np.hstack([x[:, None] - x, x - x[:, None]]), 0.0)
    z, b = cp.Variable(2 * x.size), cp.Variable()
    program = cp.Problem(cp.Minimize(cp.sum_squares(ramps @ z + b - y) / 2 + beta * cp.norm1(z)))
    return float(program.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11))


@pytest.mark.parametrize("seed", range(6))
def test_one_input_with_a_free_bias_is_a_lasso_on_ramps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    x, y, beta = rng.normal(size=n), rng.normal(size=n), float(rng.uniform(0.02, 0.5))
    problem = make(x[:, None], y, Strength(beta), ReLU(bias="free"), intercept=True)
    assert value(problem) == pytest.approx(dictionary_lasso(x, y, beta), abs=1e-8)


@pytest.mark.parametrize("architecture", [PLAIN, ReLU(), GatedReLU(), Linear()], ids=repr)
def test_an_intercept_is_the_best_constant_and_not_centring(architecture: Architecture) -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(6, 2)), rng.normal(size=6) + 2.0
    penalty = Strength(0.3)

    def without(b: float) -> float:
        return value(make(X, y - b, penalty, architecture), 1e-10)

    best = minimize_scalar(without, bounds=(-3, 5), method="bounded", options={"xatol": 1e-7})
    found = value(make(X, y, penalty, architecture, intercept=True))
    assert found == pytest.approx(best.fun, abs=1e-8)
    assert found < without(float(y.mean())) - 1e-4
    assert found <= without(0.0) + 1e-9


def test_a_penalized_bias_is_a_column_of_ones() -> None:
    rng = np.random.default_rng(2)
    X, y, penalty = rng.normal(size=(7, 2)), rng.normal(size=7), Strength(0.2)
    ones = np.column_stack([X, np.ones(7)])
    for kind in (ReLU, GatedReLU, Linear):
        biased, lifted = make(X, y, penalty, kind()), make(ones, y, penalty, kind(bias="none"))
        assert value(biased) == pytest.approx(value(lifted), rel=1e-9)


def test_biases_are_ordered() -> None:
    """None is no better than penalised, which is no better than free; an intercept never hurts."""
    rng = np.random.default_rng(3)
    X, y, penalty = rng.normal(size=(7, 2)), rng.normal(size=7) + 1.0, Strength(0.2)
    plain, none, penalized, free = (
        value(make(X, y, penalty, ReLU(bias=bias), intercept=intercept))
        for bias, intercept in (("none", False), ("none", True), ("penalized", True), ("free", True))
    )
    assert free <= penalized + 1e-9 <= none + 2e-9 <= plain + 3e-9
    assert free < plain - 1e-3


@pytest.mark.parametrize("kind", [ReLU, GatedReLU, Linear])
def test_separate_outputs_are_separate_problems(kind: type) -> None:
    rng = np.random.default_rng(4)
    X, Y, penalty = rng.normal(size=(6, 2)), rng.normal(size=(6, 3)), Strength(0.3)
    together = value(make(X, Y, penalty, kind(), intercept=True))
    assert together == pytest.approx(sum(value(make(X, y, penalty, kind(), intercept=True)) for y in Y.T), abs=1e-8)
    shared = solve(make(X, Y, penalty, kind(outputs="shared"), intercept=True), 1e-6).certificate.primal
    assert shared <= together + 1e-6


@pytest.mark.parametrize("loss", [Squared(), Logistic()], ids=repr)
def test_price_and_ball_meet(loss: Loss) -> None:
    """A solution of either form solves the other, at the size or the price it has."""
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(7, 2)), np.sign(rng.normal(size=7)) if loss == Logistic() else rng.normal(size=7)
    priced = make(X, y, Strength(0.2), ReLU(), loss, intercept=True)
    solution = solve(priced, 1e-10)
    size = priced.architecture.size(solution.network)
    ball = replace(priced, penalty=Ball(size))
    constrained = solve(ball, 1e-10)
    assert constrained.certificate.primal + 0.2 * size == pytest.approx(solution.certificate.primal, rel=1e-8)
    # and back: the price of the ball is the largest score of its dual vector
    V = ball.dual_vector(constrained.network(X))
    found = Enumerated().price(ball, V, priced.architecture.from_network(constrained.network)[0], 0, None)
    assert found.best_found == pytest.approx(0.2, rel=1e-4)
    small, large = (value(replace(priced, penalty=Ball(r * size)), 1e-8) for r in (0.5, 2.0))
    assert small > constrained.certificate.primal > large


def test_weight_k_is_k_rows() -> None:
    rng = np.random.default_rng(6)
    X, y, k = rng.normal(size=(5, 2)), rng.normal(size=5), np.array([1, 3, 2, 1, 2])
    rows = np.repeat(np.arange(5), k)
    for architecture in (ReLU(), ReLU(bias="free"), GatedReLU(outputs="shared"), Linear()):
        weighted = make(X, y, Strength(0.3), architecture, weights=k, intercept=True)
        repeated = make(X[rows], y[rows], Strength(0.3), architecture, intercept=True)
        assert value(weighted) == pytest.approx(value(repeated), rel=1e-8)


# The solver's own parameters.

RNG = np.random.default_rng(7)
SMALL = make(RNG.normal(size=(7, 2)), RNG.normal(size=7), Strength(0.2), ReLU(), intercept=True)


def test_a_start_from_the_solution_needs_one_iterate() -> None:
    solution = solve(SMALL)
    again = WorkingSet().solve(SMALL, Stop(1e-8), start=solution.network)
    assert again.status == Status.OPTIMAL and len(again.history) == 2
    assert again.certificate.primal == pytest.approx(solution.certificate.primal, rel=1e-12)


@pytest.mark.parametrize("oracle", [None, LocalSearch(), Counted(Enumerated()), Cached(Enumerated())], ids=str)
def test_same_seed_same_bits(oracle: object) -> None:
    one, two = (WorkingSet(oracle=oracle, seed=3, width=5).solve(SMALL, Stop(1e-6)) for _ in range(2))
    assert one.network == two.network or isinstance(oracle, Cached)
    assert one.certificate.primal == pytest.approx(two.certificate.primal, rel=1e-6)


@pytest.mark.parametrize("width", [0, 1, 20, None])
@pytest.mark.parametrize("oracle", [LocalSearch(), Cached(LocalSearch()), Cached(Enumerated())], ids=str)
def test_oracle_and_width_lead_to_the_same_value(oracle: object, width: int | None) -> None:
    best = value(SMALL)
    found = WorkingSet(oracle=oracle, width=width).solve(SMALL, Stop(1e-8))
    assert found.certificate.primal == pytest.approx(best, rel=1e-7)
    assert found.certificate.global_dual <= best * (1 + 1e-9)


def test_split_cells_are_all_cells() -> None:
    cells = SMALL.architecture.all_patterns(SMALL.lifted)
    pieces = [np.arange(k, len(cells), 3) for k in range(3)]
    split = Split(tuple(Listed(cells.take(i)) for i in pieces))
    solution = WorkingSet(oracle=split).solve(SMALL, Stop(1e-8))
    assert solution.status == Status.OPTIMAL_ON_PATTERNS
    assert solution.certificate.primal == pytest.approx(value(SMALL), rel=1e-8)


def test_more_neurons_allowed_is_never_worse() -> None:
    values = [WorkingSet(max_neurons=m).solve(SMALL, Stop(1e-8)).certificate.primal for m in (1, 2, SMALL.Y.size + 1)]
    assert values[0] >= values[1] - 1e-9 >= values[2] - 2e-9 and values[2] == pytest.approx(value(SMALL), rel=1e-7)


# Known traps: duality.md section 7, incremental.md section 6.

GAUSS = np.random.default_rng(8)
TRAPS = {
    "one row": ([[1.0, -2.0]], [3.0]),
    "one input": (GAUSS.normal(size=(6, 1)), GAUSS.normal(size=6)),
    "more inputs than rows": (GAUSS.normal(size=(3, 6)), GAUSS.normal(size=3)),
    "duplicate rows with conflicting targets": (np.repeat([[1.0, 2.0], [0.5, -1.0]], 3, axis=0), [1, -1, 2, 0, 0, 3]),
    "parallel and antiparallel rows": ([[1, 2], [2, 4], [-1, -2], [-3, -6], [0, 1]], [1, 0, 2, -1, 1]),
    "zero rows": ([[0, 0], [1, 2], [0, 0], [-1, 1]], [3, 1, -2, 1]),
    "zero data": (np.zeros((4, 2)), [1, 2, 3, 4]),
    "zero targets": (GAUSS.normal(size=(5, 2)), np.zeros(5)),
    "equal targets": (GAUSS.normal(size=(5, 2)), np.full(5, 3.0)),
    "constant column": (np.column_stack([np.full(6, 2.0), GAUSS.normal(size=6)]), GAUSS.normal(size=6)),
    "rank one": (np.outer(GAUSS.normal(size=6), [1, 2, 3]), GAUSS.normal(size=6)),
    "integers": ([[1, 0], [0, 1], [1, 1]], [1, -1, 2]),
    "nearly parallel": ([[1, 1e-12], [1, -1e-12], [1, 0], [-1, 1e-7]], [1, -1, 2, 1]),
    "large targets": (GAUSS.normal(size=(5, 2)), 1e8 * GAUSS.normal(size=5)),
    "small targets": (GAUSS.normal(size=(5, 2)), 1e-8 * GAUSS.normal(size=5)),
}


@pytest.mark.parametrize("architecture", [PLAIN, ReLU(), ReLU(bias="free"), GatedReLU(), Linear()], ids=repr)
@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap: str, architecture: Architecture) -> None:
    X, y = TRAPS[trap]
    scale = float(np.abs(y).max()) or 1.0
    problem = make(X, y, Strength(0.1 * scale), architecture, intercept=architecture.bias == "free")
    solution = solve(problem, 1e-7)
    told = trap != "nearly parallel" or solution.status != Status.OPTIMAL_ON_PATTERNS  # rounding decides which
    assert solution.status == Status.OPTIMAL or not told, str(solution.certificate)
    assert solution.certificate.primal <= problem.loss_value(np.zeros_like(problem.Y)) * (1 + 1e-12)
    if trap == "zero targets":
        assert solution.certificate.primal == 0.0 and solution.network.n_neurons == 0


@pytest.mark.parametrize("factor", [1e-8, 1e8])
@pytest.mark.parametrize("architecture", [PLAIN, GatedReLU(bias="none"), Linear(bias="none")], ids=repr)
def test_units_of_the_data_do_not_matter(factor: float, architecture: Architecture) -> None:
    X = np.random.default_rng(9).normal(size=(6, 2)) + [3.0, 0.0]
    y = np.random.default_rng(10).normal(size=6)
    scaled = make(factor * X, y, Strength(0.2 * factor), architecture)
    assert value(scaled, 1e-8) == pytest.approx(value(make(X, y, Strength(0.2), architecture)), rel=1e-7)


def test_contradictory_labels_and_a_single_class() -> None:
    X, y = np.repeat([[1.0, 2.0], [0.5, -1.0]], 2, axis=0), [1, -1, 1, -1]
    assert value(make(X, y, Strength(1e-3), ReLU(), Hinge()), 1e-6) == pytest.approx(4.0, abs=1e-5)
    for loss in (Hinge(), Logistic()):
        solution = solve(make(X, np.ones(4), Strength(0.5), ReLU(), loss, intercept=True), 1e-4)
        assert solution.network.n_neurons == 0 and solution.certificate.primal < 1e-2
    with pytest.raises(InvalidDataError, match="-1 and"):
        make(X, [0, 1, 0, 1], Strength(0.1), ReLU(), Hinge())


def test_a_class_that_never_occurs() -> None:
    X, Y = np.random.default_rng(11).normal(size=(6, 2)), np.eye(3)[[0, 1, 0, 1, 1, 0]]
    for intercept in (True, False):
        problem = make(X, Y, Strength(0.2), ReLU(), Multinomial(), intercept=intercept)
        solution = solve(problem, 1e-3)
        assert solution.status == Status.OPTIMAL, str(solution.certificate)


@pytest.mark.parametrize("beta", [0.0, -1.0, np.nan, np.inf])
def test_strengths_that_are_none(beta: float) -> None:
    with pytest.raises(InvalidParameterError, match="beta"):
        make(X3, Y3, Strength(beta))


@pytest.mark.parametrize("architecture", [ReLU(), ReLU(bias="free"), GatedReLU(), Linear()], ids=repr)
def test_a_ball_of_radius_zero_and_one_that_holds_everything(architecture: Architecture) -> None:
    nothing = solve(replace(SMALL, architecture=architecture, penalty=Ball(0.0)))
    assert nothing.status == Status.OPTIMAL and nothing.network.n_neurons == 0
    variance = 0.5 * float(np.sum((SMALL.Y - SMALL.Y.mean()) ** 2))
    assert nothing.certificate.primal == pytest.approx(variance)
    wide = solve(replace(SMALL, architecture=architecture, penalty=Ball(1e3)), 1e-6)
    if isinstance(architecture, Linear):
        ones = np.column_stack([SMALL.X, np.ones(len(SMALL.X))])
        assert wide.certificate.primal == pytest.approx(np.linalg.lstsq(ones, SMALL.Y)[1][0] / 2, rel=1e-6)
    else:
        assert wide.certificate.primal <= 1e-6 * variance


def test_a_random_network_is_proposed() -> None:
    rng = np.random.default_rng(12)
    X = rng.normal(size=(40, 5))
    problem = make(X, np.maximum(X[:, 0], 0) - X[:, 1], Strength(1.0), PLAIN)
    for solver, proposed in ((WorkingSet(LocalSearch()), True), (WorkingSet(LocalSearch(), max_neurons=9), False)):
        iterates = list(solver.iterates(problem, None, Budget(1e-6)))
        unpriced = [len(iterate.pricing.neurons) == 0 for iterate in iterates]
        assert any(unpriced) == proposed and unpriced == sorted(unpriced, reverse=True) and not unpriced[-1]
        values = [problem.objective(iterate.network) for iterate in iterates]
        assert values[sum(unpriced)] <= min(values[: sum(unpriced)], default=np.inf) * (1 + 1e-12)

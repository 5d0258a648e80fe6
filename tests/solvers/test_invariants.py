"""What must not change the optimum, and how it must change (duality.md section 6, incremental.md section 5)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import Architecture, GatedReLU, Linear, Patterns, ReLU, no_neurons
from bidual.losses import Huber, Logistic, Loss, Squared
from bidual.oracles import Enumerated, Listed
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import Status, Stop, WorkingSet

TOL = 1e-8
NEAR = 5 * TOL
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=5, deadline=None)
ARCHITECTURES = [
    ReLU(bias="none"),
    ReLU(),
    ReLU(bias="free"),
    ReLU(0.1),
    ReLU(-1.0, "none"),
    GatedReLU(),
    GatedReLU(outputs="shared"),
    Linear(outputs="shared"),
]
every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)


def draw(architecture: Architecture, seed: int, loss: Loss | None = None) -> tuple[Problem, np.random.Generator]:
    """A tiny problem with a strength well inside its range."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 6)), int(rng.integers(1, 3))
    c = 2 if architecture.outputs == "shared" else 1
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, c))
    if loss == Logistic():
        Y = np.sign(Y)
        Y[:2] = [[1.0], [-1.0]]  # of one class alone the least loss, 0, is not attained
    intercept = architecture.bias == "free" or bool(rng.uniform() < 0.5)
    weights = rng.uniform(0.5, 2.0, size=n)
    unit = Problem(X, Y, loss or Squared(), architecture, Strength(1.0), weights, intercept)
    return replace(unit, penalty=Strength(float(rng.uniform(0.05, 0.8)) * beta_max(unit))), rng


def beta_max(problem: Problem) -> float:
    """The largest score at the best constant network."""
    nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    empty = WorkingSet().solve(replace(problem, penalty=Ball(0.0)), Stop(TOL)).network
    V = problem.dual_vector(empty(problem.X))
    dual = Enumerated().price(problem, V, nothing, 0.0, np.random.default_rng(0)).dual
    assert dual is not None and dual.bound.scope == "global"
    return max(dual.bound.value, 1e-6)


def optimum(problem: Problem) -> float:
    solution = WorkingSet().solve(problem, Stop(TOL, max_iter=300))
    assert solution.status == Status.OPTIMAL, str(solution.certificate)
    return solution.certificate.primal


def same(a: Problem, b: Problem, factor: float = 1.0) -> bool:
    return optimum(b) == pytest.approx(factor * optimum(a), rel=NEAR)


@every_architecture
@given(seed=seeds, factor=st.sampled_from([1e-3, 0.5, 30.0]))
@few
def test_scaling_targets_and_strength(architecture: Architecture, seed: int, factor: float) -> None:
    problem, _ = draw(architecture, seed)
    beta = problem.penalty.beta
    assert same(problem, replace(problem, Y=factor * problem.Y, penalty=Strength(factor * beta)), factor**2)
    ball = replace(problem, penalty=Ball(0.3))
    assert same(ball, replace(problem, Y=factor * problem.Y, penalty=Ball(0.3 * factor)), factor**2)


@every_architecture
@given(seed=seeds, factor=st.sampled_from([1e-3, 0.5, 30.0]))
@few
def test_scaling_data_and_strength(architecture: Architecture, seed: int, factor: float) -> None:
    """With a penalised bias the column of ones is data too, so there the features alone cannot be scaled."""
    if architecture.bias == "penalized":
        architecture = replace(architecture, bias="none")
    problem, _ = draw(ReLU(bias="none") if architecture.gated else architecture, seed)
    scaled = replace(problem, X=factor * problem.X, penalty=Strength(factor * problem.penalty.beta))
    assert same(problem, scaled)
    assert same(replace(problem, penalty=Ball(0.3)), replace(problem, X=factor * problem.X, penalty=Ball(0.3 / factor)))


@every_architecture
@given(seed=seeds)
@few
def test_rotations_permutations_and_signs(architecture: Architecture, seed: int) -> None:
    problem, rng = draw(architecture, seed)
    X, Y, (n, d) = problem.X, problem.Y, problem.X.shape
    order, Q = rng.permutation(n), np.linalg.qr(rng.normal(size=(d, d)))[0]
    assert same(problem, replace(problem, X=X @ Q))
    assert same(problem, replace(problem, X=X[order], Y=Y[order], weights=problem.weights[order]))
    assert same(problem, replace(problem, Y=-Y))
    assert same(problem, replace(problem, X=-X))
    assert same(problem, replace(problem, Y=Y[:, ::-1]))


@every_architecture
@given(seed=seeds)
@few
def test_columns_that_say_nothing(architecture: Architecture, seed: int) -> None:
    problem, _ = draw(architecture, seed)
    X = problem.X
    assert same(problem, replace(problem, X=np.column_stack([X, np.zeros(len(X))])))
    half = X[:, :1] / np.sqrt(2)
    assert same(problem, replace(problem, X=np.hstack([half, half, X[:, 1:]])))


@every_architecture
@given(seed=seeds)
@few
def test_rows_that_say_nothing_or_twice_the_same(architecture: Architecture, seed: int) -> None:
    problem, _ = draw(architecture, seed)
    X, Y, s, beta = problem.X, problem.Y, problem.weights, problem.penalty.beta
    twice = replace(problem, X=np.vstack([X, X]), Y=np.vstack([Y, Y]), weights=np.append(s, s))
    assert same(problem, replace(twice, penalty=Strength(2 * beta)), 2.0)
    fewer = replace(problem, X=X[1:], Y=Y[1:], weights=s[1:])
    assert optimum(fewer) <= optimum(problem) * (1 + NEAR)
    if architecture.bias == "none" and not problem.intercept:
        zero = np.zeros((1, X.shape[1]))
        more = replace(problem, X=np.vstack([X, zero]), Y=np.vstack([Y, [[3.0]]]), weights=np.append(s, 1.0))
        assert optimum(more) == pytest.approx(optimum(problem) + 4.5, rel=NEAR)


@every_architecture
@pytest.mark.parametrize("loss", [Squared(), Logistic(), Huber(0.5)], ids=repr)
@given(seed=seeds)
@settings(max_examples=2, deadline=None)
def test_value_rises_concavely_with_the_strength(architecture: Architecture, loss: Loss, seed: int) -> None:
    problem, _ = draw(architecture, seed, loss)
    top = beta_max(problem)
    none = optimum(replace(problem, penalty=Ball(0.0)))
    values = [optimum(replace(problem, penalty=Strength(share * top))) for share in (0.2, 0.4, 0.6, 1.001)]
    assert values[3] == pytest.approx(none, rel=NEAR)
    rounding = NEAR * none
    assert values[0] <= values[1] + rounding <= values[2] + 2 * rounding <= none + 3 * rounding
    assert values[1] - values[0] >= values[2] - values[1] - rounding


@every_architecture
@given(seed=seeds)
@few
def test_the_zero_network_is_best_exactly_from_the_largest_score_on(architecture: Architecture, seed: int) -> None:
    problem, _ = draw(architecture, seed)
    top = beta_max(problem)
    if top <= 1e-6:
        return
    above = WorkingSet().solve(replace(problem, penalty=Strength(1.0001 * top)), Stop(TOL))
    below = WorkingSet().solve(replace(problem, penalty=Strength(0.99 * top)), Stop(TOL))
    assert above.status == below.status == Status.OPTIMAL
    assert above.network.n_neurons == 0 < below.network.n_neurons


@every_architecture
@given(seed=seeds)
@few
def test_value_falls_convexly_with_the_radius(architecture: Architecture, seed: int) -> None:
    problem, _ = draw(architecture, seed)
    values = [optimum(replace(problem, penalty=Ball(radius))) for radius in (0.0, 0.2, 0.4, 0.6)]
    steps, rounding = -np.diff(values), NEAR * values[0]
    assert (steps >= -rounding).all() and (np.diff(steps) <= 2 * rounding).all()


@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_larger_classes_are_never_worse(seed: int) -> None:
    relu, rng = draw(ReLU(), seed)
    gated, linear = (optimum(replace(relu, architecture=kind)) for kind in (GatedReLU(), Linear()))
    assert gated <= optimum(relu) * (1 + NEAR) and gated <= linear * (1 + NEAR)
    wider = replace(relu, X=np.column_stack([relu.X, rng.normal(size=len(relu.X))]))
    assert optimum(wider) <= optimum(relu) * (1 + NEAR)
    two = replace(relu, Y=np.column_stack([relu.Y, rng.normal(size=len(relu.X))]))
    for kind in (GatedReLU, Linear):
        shared, separate = (optimum(replace(two, architecture=kind(outputs=norm))) for norm in ("shared", "separate"))
        assert shared <= separate * (1 + NEAR) and shared >= separate / np.sqrt(2) * (1 - NEAR) - 1e-12


@pytest.mark.parametrize("architecture", [ReLU(), ReLU(bias="free"), GatedReLU()], ids=repr)
@given(seed=seeds)
@few
def test_another_pattern_never_hurts(architecture: Architecture, seed: int) -> None:
    problem, rng = draw(architecture, seed)
    cells = architecture.all_patterns(problem.lifted)
    order = rng.permutation(len(cells))
    values = []
    for share in (1 / 3, 2 / 3, 1.0):
        some = order[: max(1, round(share * len(cells)))]
        listed = Listed(Patterns(cells.masks[:, some], cells.gates[:, some]))
        values.append(WorkingSet(oracle=listed).solve(problem, Stop(TOL, max_iter=300)).certificate.primal)
    best = optimum(problem)
    assert values[0] >= values[1] - NEAR * values[0] >= values[2] - 2 * NEAR * values[0]
    assert values[2] == pytest.approx(best, rel=NEAR)

"""The objective and the dual: weak duality for any network and any dual vector, and what the data must be."""

from __future__ import annotations

import numpy as np
import pytest
from architectures.cases import CASES, DATA, every_architecture, random_network, random_rows, slow_size
from hypothesis import given, settings
from hypothesis import strategies as st
from losses.cases import random_dual, random_targets

from bidual.architectures import Architecture, Linear, ReLU, no_neurons
from bidual.errors import InvalidDataError, RefusedError
from bidual.losses import LOSSES, Hinge, Loss, Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated
from bidual.penalties import Ball, Strength
from bidual.problem import Problem

seeds = st.integers(0, 2**32 - 1)
every_loss = pytest.mark.parametrize("loss", [loss() for loss in LOSSES.values()], ids=repr)


def random_problem(loss: Loss, architecture: Architecture, seed: int, kind: str) -> tuple[Problem, np.random.Generator]:
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 7)), architecture.n_features or int(rng.integers(1, 3))
    c = int(rng.integers(2, 4)) if loss.name == "multinomial" else int(rng.integers(1, 3))
    X, Y = random_rows(rng, n, d, kind), random_targets(loss, rng, n, c)
    penalty = Strength(float(rng.uniform(0.05, 2))) if rng.uniform() < 0.7 else Ball(float(rng.uniform(0.5, 50)))
    weights = rng.uniform(0.2, 3.0, size=n) if rng.uniform() < 0.5 else None
    intercept = architecture.bias == "free" or bool(rng.uniform() < 0.5)
    return Problem(X, Y, loss, architecture, penalty, weights, intercept), rng


def kappa(problem: Problem, V: np.ndarray) -> float:
    """The proven largest score: of all cells, or by norms where these are not all masks."""
    nothing = no_neurons(problem.lifted.shape[1], V.shape[1], problem.architecture.gated)
    try:
        dual = Enumerated().price(problem, V, nothing, 0.0, np.random.default_rng(0)).dual
        if dual is not None and dual.bound.scope == "global":
            return dual.bound.value
    except RefusedError:
        pass
    return problem.architecture.norm_bound(problem.lifted, V)


@every_loss
@given(seed=seeds, architecture=st.sampled_from(CASES), kind=st.sampled_from(DATA), own=st.booleans())
@settings(max_examples=40, deadline=None)
def test_weak_duality(loss: Loss, seed: int, architecture: Architecture, kind: str, own: bool) -> None:
    """No dual vector, scaled by anything, exceeds the objective of any network."""
    problem, rng = random_problem(loss, architecture, seed, kind)
    m = int(rng.integers(0, 5))
    network = random_network(architecture, rng, problem.X.shape[1], problem.n_outputs, m, problem.intercept)
    if own:
        V = problem.dual_vector(network(problem.X))
    else:
        V = problem.feasible(random_dual(loss, rng, problem.Y, problem.weights))
    *hidden, last = network.layers
    for smaller in (network, Network((*hidden, Layer(0 * last.weight, last.bias)))):
        primal, dual = problem.objective(smaller), problem.dual(V, kappa(problem, V))
        assert -np.inf < dual <= primal + 1e-9 * abs(primal)


@every_architecture
@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_objective_is_loss_plus_price_of_the_size(architecture: Architecture, seed: int) -> None:
    problem, rng = random_problem(Squared(), architecture, seed, "gauss")
    network = random_network(architecture, rng, problem.X.shape[1], problem.n_outputs, 4, problem.intercept)
    loss = 0.5 * np.sum(problem.weights[:, None] * (network(problem.X) - problem.Y) ** 2)
    size, penalty = slow_size(architecture, network), problem.penalty
    price = penalty.beta * size if isinstance(penalty, Strength) else (0.0 if size <= penalty.radius else np.inf)
    assert problem.objective(network) == pytest.approx(loss + price)


@every_loss
@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_dual_is_the_best_scaling_and_falls_with_the_bound(loss: Loss, seed: int) -> None:
    problem, rng = random_problem(loss, ReLU(), seed, "gauss")
    V = problem.feasible(random_dual(loss, rng, problem.Y, problem.weights))
    k = float(rng.uniform(0.1, 5))
    values = [problem.dual(V, f * k) for f in (0.5, 1.0, 2.0, np.inf)]
    assert all(a >= b - 1e-9 for a, b in zip(values, values[1:], strict=False))
    penalty = problem.penalty
    top = penalty.beta / k if isinstance(penalty, Strength) else 5.0
    radius = 0.0 if isinstance(penalty, Strength) else penalty.radius
    grid = [-loss.conjugate(-t * V, problem.Y, problem.weights) - radius * t * k for t in np.linspace(0, top, 401)]
    assert values[1] >= max(grid) - 1e-7 * max(1.0, abs(max(grid)))
    assert values[3] == pytest.approx(grid[0])


def test_dual_of_an_unbalanced_vector_is_that_of_zero() -> None:
    X, Y = np.eye(3), np.array([[1.0], [2.0], [4.0]])
    V = np.ones((3, 1))
    with_intercept = Problem(X, Y, Squared(), ReLU(), Strength(0.1))
    assert (
        with_intercept.dual(V, 1.0)
        == 0.0
        < Problem(X, Y, Squared(), ReLU(), Strength(0.1), intercept=False).dual(V, 1.0)
    )
    assert with_intercept.dual(with_intercept.feasible(Y), 1.0) > 0.0


@every_loss
@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_dual_vector_is_minus_the_gradient_balanced(loss: Loss, seed: int) -> None:
    problem, rng = random_problem(loss, ReLU(), seed, "gauss")
    F = rng.normal(size=problem.Y.shape)
    V = problem.dual_vector(F)
    plain = -loss.gradient(F, problem.Y, problem.weights)
    if problem.intercept:
        assert np.abs(V.sum(axis=0)).max() <= 1e-12 * max(1.0, np.abs(plain).sum())
    else:
        np.testing.assert_array_equal(V, plain)
    assert problem.dual(V, 1.0) > -np.inf


@every_loss
@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_weight_k_is_k_rows(loss: Loss, seed: int) -> None:
    problem, rng = random_problem(loss, ReLU(), seed, "gauss")
    k = rng.integers(1, 4, size=len(problem.X))
    rows = np.repeat(np.arange(len(k)), k)
    X, Y, intercept, penalty = problem.X, problem.Y, problem.intercept, problem.penalty
    weighted = Problem(X, Y, loss, ReLU(), penalty, k, intercept)
    repeated = Problem(X[rows], Y[rows], loss, ReLU(), penalty, None, intercept)
    network = random_network(ReLU(), rng, X.shape[1], Y.shape[1], 3, intercept)
    assert weighted.objective(network) == pytest.approx(repeated.objective(network))
    V, W = weighted.dual_vector(network(X)), repeated.dual_vector(network(X[rows]))
    np.testing.assert_allclose(V[rows] / k[rows, None], W, atol=1e-9)
    bound = kappa(weighted, V)
    assert kappa(repeated, W) == pytest.approx(bound, abs=1e-8)
    assert weighted.dual(V, 1.0) == pytest.approx(repeated.dual(W, 1.0), abs=1e-8)


def test_smoothed_problem_lies_just_below() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 2)), rng.choice([-1.0, 1.0], size=(6, 1))
    problem = Problem(X, Y, Hinge(), ReLU(), Strength(0.1), rng.uniform(0.5, 2, size=6))
    network = random_network(ReLU(), rng, 2, 1, 3, True)
    gap = problem.objective(network) - problem.smoothed(0.1).objective(network)
    assert 0.0 <= gap <= 0.05 * problem.weights.sum()
    smooth = Problem(X, Y, Squared(), ReLU(), Strength(0.1))
    assert smooth.smoothed(0.1) is smooth


def test_lifted_data() -> None:
    X, Y = np.arange(6.0).reshape(3, 2), np.zeros((3, 1))
    for architecture in (ReLU(), ReLU(bias="free"), Linear()):
        lifted = Problem(X, Y, Squared(), architecture, Strength(1.0)).lifted
        np.testing.assert_array_equal(lifted, [[0, 1, 1], [2, 3, 1], [4, 5, 1]])
    assert Problem(X, Y, Squared(), ReLU(bias="none"), Strength(1.0)).lifted.shape == (3, 2)


def test_integers_become_floats() -> None:
    problem = Problem(np.eye(3, dtype=int), np.ones((3, 1), dtype=int), Squared(), ReLU(), Strength(1), [1, 2, 3])
    assert problem.X.dtype == problem.Y.dtype == problem.weights.dtype == float


X, Y = np.eye(3), np.ones((3, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Y": np.ones(3)}, r"shapes .* \(3,\)"),
        ({"X": np.ones(3)}, "shapes"),
        ({"Y": np.ones((2, 1))}, "shapes"),
        ({"weights": np.ones((3, 1))}, "shapes"),
        ({"weights": np.ones(2)}, "shapes"),
        ({"X": np.zeros((0, 2)), "Y": np.zeros((0, 1))}, "no rows"),
        ({"X": np.full((3, 3), np.nan)}, "X has NaN"),
        ({"Y": np.full((3, 1), np.inf)}, "Y has NaN or infinite"),
        ({"weights": np.array([1.0, np.nan, 1.0])}, "weights has NaN"),
        ({"weights": np.array([1.0, 0.0, 1.0])}, "weights must be positive"),
        ({"weights": np.array([1.0, -1.0, 1.0])}, "weights must be positive"),
        ({"loss": Hinge(), "Y": np.zeros((3, 1))}, "-1 and \\+1"),
        ({"architecture": ReLU(bias="free"), "intercept": False}, "intercept=True"),
    ],
)
def test_unusable_data_is_refused(change: dict, message: str) -> None:
    good = {"X": X, "Y": Y, "loss": Squared(), "architecture": ReLU(), "penalty": Strength(1.0)}
    Problem(**good)
    with pytest.raises(InvalidDataError, match=message):
        Problem(**(good | change))

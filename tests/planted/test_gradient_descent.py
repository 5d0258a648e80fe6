"""Several neurons: the objectives, what the paper says of them and is not so, and the descent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from bidual.errors import BidualError
from bidual.planted import OBJECTIVES, fit_planted_relu, gradient_descent
from bidual.typing import Matrix, Vector

A1, Y2 = np.ones((1, 1)), np.array([2.0])


def slow_value(A: Matrix, y: Vector, X: Matrix, method: str) -> float:
    """The formulas as they are written, row by row."""
    Z = A @ X
    value = float(np.sum((np.maximum(Z, 0).sum(axis=1) - y) ** 2))
    for z, target in zip(Z, y, strict=True):
        if method == "modified" and (z < 0).all():
            value -= 2 * target * z.sum()
        if method == "continuous":
            value += 2 * target * max(-max(z), 0)
    return value


@pytest.mark.parametrize("method", OBJECTIVES)
@pytest.mark.parametrize("m", [1, 2, 3])
def test_value_and_gradient(method: str, m: int) -> None:
    rng = np.random.default_rng(m)
    A, y, X = rng.standard_normal((40, 4)), rng.random(40), rng.standard_normal((4, m))
    objective = OBJECTIVES[method]
    assert (A @ X < 0).all(axis=1).any()
    assert objective.value(A, y, X) == pytest.approx(slow_value(A, y, X, method))
    slope = approx_fprime(X.ravel(), lambda x: float(objective.value(A, y, x.reshape(4, m))), 1e-7)
    np.testing.assert_allclose(objective.gradient(A, y, X).ravel(), slope, atol=1e-5)


def test_for_one_neuron_both_repairs_are_the_convex_relaxation() -> None:
    rng = np.random.default_rng(0)
    A, y, X, other = rng.standard_normal((9, 4)), rng.random(9), rng.standard_normal((4, 1)), rng.random((4, 1))
    relaxed = np.sum(np.maximum(A @ X, 0) ** 2) - 2 * y @ A @ X[:, 0] + y @ y
    for method in ("modified", "continuous"):
        value, gradient = OBJECTIVES[method].value, OBJECTIVES[method].gradient
        assert value(A, y, X) == pytest.approx(relaxed)
        np.testing.assert_allclose(gradient(A, y, X)[:, 0], 2 * A.T @ (np.maximum(A @ X, 0)[:, 0] - y))
        assert value(A, y, (X + other) / 2) <= (value(A, y, X) + value(A, y, other)) / 2


def test_the_relaxation_of_two_neurons_jumps() -> None:
    left, right = (OBJECTIVES["modified"].value(A1, Y2, np.array([[x, -5.0]])) for x in (-1e-9, 1e-9))
    assert left == pytest.approx(24) and right == pytest.approx(4)
    left, right = (OBJECTIVES["continuous"].value(A1, Y2, np.array([[x, -5.0]])) for x in (-1e-9, 1e-9))
    assert left == pytest.approx(4) and right == pytest.approx(4)


@pytest.mark.parametrize("method", OBJECTIVES)
def test_no_objective_of_two_neurons_is_convex(method: str) -> None:
    """Halfway between two minimisers that differ in the order of their neurons the value is 2, not 0."""
    X, y = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.ones(2)
    value = OBJECTIVES[method].value
    assert value(np.eye(2), y, X) == value(np.eye(2), y, X[:, ::-1]) == 0.0
    assert value(np.eye(2), y, (X + X[:, ::-1]) / 2) == 2.0


def test_the_relaxation_is_an_upper_bound_and_zero_at_planted_neurons() -> None:
    rng = np.random.default_rng(3)
    A, X = rng.standard_normal((50, 3, 6, 4)), rng.standard_normal((50, 3, 4, 2))
    y = np.maximum(A @ X, 0).sum(axis=-1)
    other = rng.standard_normal(X.shape)
    for method in ("modified", "continuous"):
        assert np.all(OBJECTIVES[method].value(A, y, other) >= OBJECTIVES["plain"].value(A, y, other))
        assert np.all(OBJECTIVES[method].value(A, y, X) == 0.0)


def test_a_stationary_point_of_the_modified_gradient_fits_where_rows_are_independent_and_only_there() -> None:
    """With more rows than features, 2A'(mask r) = 0 leaves r free: here r = (-1, -1) in two opposite rows."""
    A, y, X = np.array([[1.0], [-1.0]]), np.ones(2), np.zeros((1, 1))
    for method in OBJECTIVES:
        assert not OBJECTIVES[method].gradient(A, y, X).any() and OBJECTIVES[method].value(A, y, X) == 2.0
    rng = np.random.default_rng(4)
    A, y = rng.standard_normal((20, 4, 6)), rng.random((20, 4))
    assert gradient_descent(A, y, 2, "continuous", steps=3000).losses[:, -1].max() < 1e-16


def test_fewer_rows_than_features_need_no_descent() -> None:
    rng = np.random.default_rng(5)
    A, y = rng.standard_normal((4, 6)), rng.random(4)
    X = np.linalg.pinv(A) @ np.column_stack([y, -np.ones(4)])
    assert OBJECTIVES["modified"].value(A, y, X) < 1e-24


def test_descent_on_the_relaxation_finds_what_the_convex_solve_finds() -> None:
    rng = np.random.default_rng(6)
    A, y = rng.standard_normal((30, 4)), rng.random(30)
    with pytest.warns(UserWarning, match="not least squares"):
        fit = fit_planted_relu(A, y)
    descent = gradient_descent(A, y, 1, "modified", steps=3000)
    np.testing.assert_allclose(descent.weights[:, 0], fit.x, atol=1e-9)
    assert descent.losses[-1] == pytest.approx(fit.loss)


def test_losses_are_those_of_the_network_and_never_rise_on_the_convex_objective() -> None:
    rng = np.random.default_rng(7)
    A, y, held_out = rng.standard_normal((9, 4)), rng.random(9), rng.standard_normal((5, 4))
    runs = [gradient_descent(A, y, 2, steps=s, seed=3, test=(held_out, np.ones(5))) for s in (0, 1, 50)]
    for run in runs:
        steps = run.losses.size - 1
        assert run.losses[-1] == pytest.approx(np.sum((run.network(A)[:, 0] - y) ** 2))
        assert run.test_losses is not None and run.test_losses.shape == (steps + 1,)
        assert run.test_losses[-1] == pytest.approx(np.sum((run.network(held_out)[:, 0] - 1) ** 2))
        np.testing.assert_array_equal(run.losses, runs[-1].losses[: steps + 1])
    values = [
        float(OBJECTIVES["modified"].value(A, y, gradient_descent(A, y, 1, "modified", steps=s).weights))
        for s in range(40)
    ]
    assert np.all(np.diff(values) <= 1e-12)


def test_problems_side_by_side_are_those_one_by_one() -> None:
    rng = np.random.default_rng(8)
    A, y, start = rng.standard_normal((3, 9, 4)), rng.random((3, 9)), rng.standard_normal((3, 4, 2))
    together = gradient_descent(A, y, 2, "modified", steps=20, start=start)
    for k in range(3):
        alone = gradient_descent(A[k], y[k], 2, "modified", steps=20, start=start[k])
        np.testing.assert_allclose(together.weights[k], alone.weights, rtol=1e-12)
        np.testing.assert_allclose(together.losses[k], alone.losses, rtol=1e-12)
    with pytest.raises(BidualError, match="several problems"):
        together.network  # noqa: B018


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"method": "adam"}, "plain"),
        ({"n_neurons": 0}, "n_neurons"),
        ({"steps": -1}, "steps"),
        ({"step": 0.0}, "step must"),
        ({"step": np.nan}, "step must"),
        ({"start": np.zeros((2, 2))}, "start"),
        ({"start": np.full((1, 1), np.nan)}, "start"),
        ({"y": [-1.0]}, "negative"),
        ({"test": (np.ones((1, 2)), [1.0])}, "test rows"),
    ],
)
def test_refusals(given: dict[str, object], word: str) -> None:
    with pytest.raises(BidualError, match=word):
        gradient_descent(**({"A": [[1.0]], "y": [1.0]} | given))  # type: ignore[arg-type]

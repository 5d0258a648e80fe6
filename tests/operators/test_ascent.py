"""The climb: the same on every array library, to a maximum, never above the exact bound."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import ReLU, no_neurons
from bidual.losses import Squared
from bidual.operators.ascent import climb
from bidual.oracles import Enumerated
from bidual.penalties import Strength
from bidual.problem import Problem

SLOPES = [0.0, 0.1, -1.0]
Start = tuple[np.ndarray, np.ndarray, np.ndarray]


def random_start(seed: int, n: int = 7, p: int = 3, B: int = 6) -> Start:
    rng = np.random.default_rng(seed)
    X, T, U = rng.normal(size=(n, p)), rng.normal(size=(n, B)), rng.normal(size=(p, B))
    return X, T, U / np.linalg.norm(U, axis=0)


def slow_scores(X: np.ndarray, T: np.ndarray, U: np.ndarray, slope: float) -> np.ndarray:
    Z = X @ U
    return np.sum(T * (slope * Z + (1 - slope) * np.maximum(Z, 0)), axis=0)


def slow_slopes(Z: np.ndarray, slope: float, w: float) -> np.ndarray:
    return slope + (1 - slope) * np.clip((Z + w) / (2 * w), 0, 1)


def far(X: np.ndarray, T: np.ndarray, U: np.ndarray, slope: float, steps: int = 40) -> np.ndarray:
    for width in (1.0, 0.3, 0.1, 0.03, 0.01):
        U = climb(X, T, U, slope, width, steps)
    return U


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("seed", range(3))
def test_array_libraries_agree(slope: float, seed: int) -> None:
    start = random_start(seed)
    U = climb(*start, slope, 0.3, 10)
    U_torch = climb(*(torch.as_tensor(a) for a in start), slope, 0.3, 10)
    U_strict = climb(*(array_api_strict.asarray(a) for a in start), slope, 0.3, 10)
    for other in (U_torch.numpy(), np.from_dlpack(U_strict)):
        np.testing.assert_allclose(other, U, rtol=0, atol=1e-9)


@pytest.mark.parametrize("slope", SLOPES)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(0, 50), width=st.floats(1e-3, 3.0))
@settings(max_examples=30, deadline=None)
def test_neurons_have_unit_length(slope: float, seed: int, steps: int, width: float) -> None:
    U = climb(*random_start(seed), slope, width, steps)
    np.testing.assert_allclose(np.linalg.norm(U, axis=0), 1.0)


@pytest.mark.parametrize("slope", SLOPES)
def test_long_climbs_end_where_the_rounded_gradient_points_outward(slope: float) -> None:
    """A maximum on the sphere: the gradient is a nonnegative multiple of u, or 0."""
    X, T, start = random_start(0)
    U = climb(X, T, start, slope, 0.5, 3000)
    gradient = X.T @ (T * slow_slopes(X @ U, slope, 0.5))
    along = np.sum(gradient * U, axis=0)
    assert np.mean(np.linalg.norm(gradient - along * U, axis=0) <= 1e-3 * np.abs(T).sum(axis=0)) > 0.8


def test_an_axis_of_large_inputs_does_not_overshoot_and_others_do_not_stand_still() -> None:
    """The rest of the gradient on the sphere, beside the score, is small along every axis."""
    X, T, start = random_start(0, n=200, p=6, B=20)
    X *= np.array([100.0, 10.0, 3.0, 1.0, 1.0, 0.3]) / 30.0
    U = climb(X, T, start, 0.0, 0.3, 400)
    gradient = X.T @ (T * slow_slopes(X @ U, 0.0, 0.3))
    along = np.sum(gradient * U, axis=0)
    assert np.mean(np.abs(gradient - along * U).max(axis=0) <= 1e-2 * np.abs(along)) >= 0.9


@pytest.mark.parametrize("slope", SLOPES)
def test_scores_stay_below_the_exact_bound_and_often_come_near(slope: float) -> None:
    reached, before = [], []
    for seed in range(6):
        X, T, U = random_start(seed)
        scores = slow_scores(X, T, far(X, T, U, slope), slope)
        starts = slow_scores(X, T, U, slope)
        for t, score, start in zip(T.T, scores, starts, strict=True):
            problem = Problem(X, t[:, None], Squared(), ReLU(slope, "none"), Strength(1.0), intercept=False)
            priced = Enumerated().price(problem, t[:, None], no_neurons(3, 1), 0.0, np.random.default_rng(0))
            up = priced.scores[priced.neurons.outputs[0] > 0].max(initial=0.0)
            assert score <= up + 1e-9
            reached.append(score >= 0.99 * up)
            before.append(start >= 0.99 * up)
    assert np.mean(reached) > 0.3 > 5 * np.mean(before)


def test_bitwise_deterministic_and_inputs_untouched() -> None:
    start = random_start(5)
    copies = [a.copy() for a in start]
    assert climb(*start, 0.0, 0.3).tobytes() == climb(*start, 0.0, 0.3).tobytes()
    for a, b in zip(start, copies, strict=True):
        assert a.tobytes() == b.tobytes()


def test_expired_returns_the_starts_at_once() -> None:
    X, T, start = random_start(6)
    np.testing.assert_allclose(climb(X, T, start, 0.0, 0.3, expired=lambda: True), start)

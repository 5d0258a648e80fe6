"""The climb: the same on every array library, never down, never above the exact bound."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import ReLU, no_neurons
from bidual.losses import Squared
from bidual.operators.convex_concave import climb
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


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("seed", range(3))
def test_array_libraries_agree(slope: float, seed: int) -> None:
    start = random_start(seed)
    U, scores = climb(*start, slope, 10, 20)
    U_torch, scores_torch = climb(*(torch.as_tensor(a) for a in start), slope, 10, 20)
    U_strict, scores_strict = climb(*(array_api_strict.asarray(a) for a in start), slope, 10, 20)
    for other in (scores_torch.numpy(), np.from_dlpack(scores_strict)):
        np.testing.assert_allclose(other, scores, rtol=0, atol=1e-9)
    for other in (U_torch.numpy(), np.from_dlpack(U_strict)):
        np.testing.assert_allclose(other, U, rtol=0, atol=1e-9)


@pytest.mark.parametrize("slope", SLOPES)
@given(seed=st.integers(0, 2**32 - 1), rounds=st.integers(0, 6))
@settings(max_examples=30, deadline=None)
def test_scores_are_true_and_never_fall(slope: float, seed: int, rounds: int) -> None:
    X, T, start = random_start(seed)
    U, scores = climb(X, T, start, slope, rounds, 20)
    np.testing.assert_allclose(scores, slow_scores(X, T, U, slope), atol=1e-12)
    lengths = np.linalg.norm(U, axis=0)
    assert (np.isclose(lengths, 1.0) | ((lengths == 0.0) & (scores == 0.0))).all()  # 0 where nothing scores more
    assert (scores >= slow_scores(X, T, start, slope) - 1e-12).all()
    further = climb(X, T, U, slope, 1, 20)[1]
    assert (further >= scores - 1e-12).all()


@pytest.mark.parametrize("slope", SLOPES)
def test_scores_stay_below_the_exact_bound_and_often_reach_it(slope: float) -> None:
    reached = []
    for seed in range(6):
        X, T, U = random_start(seed)
        scores = climb(X, T, U, slope, 50, 50, 1e-9)[1]
        for t, score in zip(T.T, scores, strict=True):
            problem = Problem(X, t[:, None], Squared(), ReLU(slope, "none"), Strength(1.0), intercept=False)
            priced = Enumerated().price(problem, t[:, None], no_neurons(3, 1), 0.0, np.random.default_rng(0))
            up = priced.scores[priced.neurons.outputs[0] > 0].max(initial=0.0)
            assert score <= up + 1e-9
            reached.append(score >= up - 1e-4)
    assert np.mean(reached) > 0.5


def test_bitwise_deterministic_and_inputs_untouched() -> None:
    start = random_start(5)
    copies = [a.copy() for a in start]
    first, second = climb(*start, 0.0, 10, 20), climb(*start, 0.0, 10, 20)
    for a, b in zip(first, second, strict=True):
        assert a.tobytes() == b.tobytes()
    for a, b in zip(start, copies, strict=True):
        assert a.tobytes() == b.tobytes()

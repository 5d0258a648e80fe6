"""The semidefinite bound: never below the largest score, whatever the enclosures, and equal to it where it is exact."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import ReLU
from bidual.architectures.bounds import rectifier
from bidual.architectures.semidefinite import best_unit, fewest_columns, score_bound

KINDS = ("gauss", "duplicates", "zero_rows", "grid", "low_rank", "bias", "huge", "tiny", "columns", "wide", "flat")
SLOPES = (0.0, 0.1, -1.0)


def random_scores(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Data of at most three dimensions, or few rows, and a vector to score against."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    X, v = rng.normal(size=(n, p)), rng.normal(size=n)
    if kind == "duplicates":
        X = X[rng.integers(0, n, size=n)] * rng.choice([-1.0, 1.0, 2.0], size=(n, 1))
    elif kind == "zero_rows":
        X[rng.random(n) < 0.4] = 0.0
    elif kind == "grid":
        X, v = rng.integers(-2, 3, size=(n, p)).astype(float), rng.integers(-2, 3, size=n).astype(float)
    elif kind == "low_rank":
        X = rng.normal(size=(n, 1)) @ rng.normal(size=(1, p))
    elif kind == "bias":
        X[:, -1] = 1.0
    elif kind in ("huge", "tiny"):
        X, v = X * 10.0 ** (50 if kind == "huge" else -50), v * 10.0 ** rng.integers(-60, 60)
    elif kind == "columns":
        X = X * 10.0 ** rng.integers(-6, 6, size=p)
    elif kind == "wide":
        X = rng.normal(size=(min(n, 4), 9))
        v = v[: len(X)]
    elif kind == "flat":
        v = np.abs(v) * rng.choice([-1.0, 1.0])
    return X, v


def largest_score(X: np.ndarray, v: np.ndarray, slope: float) -> float:
    """The largest score that many units and the local maxima of all their patterns reach; a lower bound of it."""
    X = fewest_columns(X)
    U = np.random.default_rng(0).normal(size=(X.shape[1], 3000))
    best = 0.0
    for _ in range(6):  # the best unit of a pattern without its cone
        Z = X @ (U / np.maximum(np.linalg.norm(U, axis=0), 1e-300))
        best = max(best, float((v @ np.where(Z > 0, Z, slope * Z)).max(initial=0.0)))
        U = X.T @ (v[:, None] * np.where(Z > 0, 1.0, slope))
        U = U / max(float(np.abs(U).max(initial=0.0)), 1e-300)
    return best


def found(X: np.ndarray, v: np.ndarray, slope: float) -> np.ndarray:
    X = fewest_columns(X)
    block = np.random.default_rng(1).normal(size=(X.shape[1] + 1, X.shape[1] + 1))
    return best_unit(X, v, slope, block, lambda: False)[1]


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_no_unit_scores_more(kind: str, slope: float, seed: int) -> None:
    X, v = random_scores(kind, seed)
    reached = largest_score(X, v, slope)
    bound = score_bound(X, v, slope, found(X, v, slope))
    assert reached <= bound
    rng = np.random.default_rng(seed)
    unit = float(np.sqrt(np.mean(X**2)))
    for _ in range(5):
        touch = np.where(v > 0, unit * rng.exponential(size=v.size) + 1e-300, rng.uniform(-1, 1, size=v.size))
        assert reached <= score_bound(X, v, slope, touch)


@pytest.mark.parametrize(("p", "most"), [(2, 12), (3, 7)])
@pytest.mark.parametrize("slope", SLOPES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_no_cell_scores_more(slope: float, p: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(int(rng.integers(p, most)), p))
    v = rng.normal(size=len(X))
    relu = ReLU(slope, "none")
    exact = relu.on_patterns(X, relu.all_patterns(X), v[:, None], 0.0).bound
    touch = np.array([[found(X, sign * v, slope) for sign in (1, -1)]])
    bound = relu.semidefinite_bound(X, v[:, None], touch)
    assert exact <= bound * (1 + 1e-12)
    assert bound <= 1.01 * rectifier(X, v, slope)


def test_exact_where_the_rows_are_orthonormal() -> None:
    rng = np.random.default_rng(0)
    X, v = np.linalg.qr(rng.normal(size=(8, 5)))[0].T, rng.normal(size=5)
    norm = float(np.linalg.norm(np.maximum(v, 0.0)))
    assert norm * (1 - 1e-9) <= score_bound(X, v, 0.0, found(X, v, 0.0)) <= norm * (1 + 1e-3)


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("n", [5, 20])
def test_equals_a_conic_solver(n: int, slope: float) -> None:
    rng = np.random.default_rng(n)
    X, v = rng.normal(size=(n, 3)), rng.normal(size=n)
    nu, up = np.linalg.norm(X, axis=1), v > 0
    M = cp.Variable((4, 4), PSD=True)
    z, q = X @ M[0, 1:], cp.hstack([x @ M[1:, 1:] @ x for x in X])
    high = cp.sum(cp.multiply(v[up], cp.sqrt(q[up]))) if up.any() else 0.0
    low = cp.sum(cp.multiply(v[~up], cp.maximum(cp.abs(z), cp.multiply(1 / nu, q))[~up]))
    score = 0.5 * (1 + slope) * (v @ z) + 0.5 * (1 - slope) * (high + low)
    relaxed = cp.Problem(cp.Maximize(score), [M[0, 0] == 1, cp.trace(M[1:, 1:]) == 1])
    relaxed.solve(solver="CLARABEL")
    assert score_bound(X, v, slope, found(X, v, slope)) == pytest.approx(max(relaxed.value, 0.0), rel=3e-3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.5])
def test_what_encloses_nothing_proves_nothing(wrong: float) -> None:
    X, v = random_scores("gauss", 0)
    touch = found(X, v, 0.0)
    touch[0] = wrong
    assert score_bound(X, v, 0.0, touch) == np.inf


def test_no_rows_that_move_score_nothing() -> None:
    assert score_bound(np.zeros((3, 2)), np.ones(3), 0.0, np.ones(3)) == 0.0

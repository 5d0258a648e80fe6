"""The projection on a cone: Moreau's conditions, brute force, and bounds that hold wherever the work stops."""

from __future__ import annotations

from itertools import combinations

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.operators.cone import Projection, project

KINDS = ("gauss", "duplicates", "parallel", "zero_rows", "grid", "low_rank", "one_cell")


def random_cone(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    A = rng.normal(size=(n, p))
    if kind == "duplicates":
        A = A[rng.integers(0, n, size=n)]
    elif kind == "parallel":
        A = A[rng.integers(0, n, size=n)] * rng.choice([-1.0, 0.5, 2.0], size=(n, 1))
    elif kind == "zero_rows":
        A[rng.uniform(size=n) < 0.4] = 0.0
    elif kind == "grid":
        A = rng.integers(-2, 3, size=(n, p)).astype(float)
    elif kind == "low_rank":
        A = rng.normal(size=(n, 1)) @ rng.normal(size=(1, p))
    elif kind == "one_cell":
        A *= np.where(A @ rng.normal(size=p) > 0, 1.0, -1.0)[:, None]
    return rng.normal(size=p), A


def brute_force(c: np.ndarray, A: np.ndarray) -> np.ndarray:
    """The nearest feasible point of all faces."""
    faces = (A[list(rows)] for k in range(len(A) + 1) for rows in combinations(range(len(A)), k))
    points = [c - np.linalg.pinv(F, rcond=1e-10) @ (F @ c) for F in faces]
    inside = [u for u in points if (A @ u >= -1e-9).all()]
    return min(inside, key=lambda u: float(np.linalg.norm(u - c)))


def check_proof(c: np.ndarray, A: np.ndarray, found: Projection) -> None:
    assert (found.multipliers >= 0).all()
    proven = c + A[found.rows].T @ found.multipliers
    assert found.bound == pytest.approx(np.linalg.norm(proven), abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_projection_is_the_nearest_point(kind: str, seed: int) -> None:
    c, A = random_cone(kind, seed)
    found = project(c, A)
    check_proof(c, A, found)
    assert (A @ found.point >= -1e-8).all()
    assert abs(found.multipliers @ (A[found.rows] @ found.point)) <= 1e-9
    np.testing.assert_allclose(found.point, c + A[found.rows].T @ found.multipliers, atol=1e-12)
    np.testing.assert_allclose(found.point, brute_force(c, A), atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.0, 1.2))
@settings(max_examples=25, deadline=None)
def test_bound_is_rigorous_wherever_it_stops(kind: str, seed: int, share: float) -> None:
    c, A = random_cone(kind, seed)
    best = np.linalg.norm(brute_force(c, A))
    target = share * np.linalg.norm(c)
    found = project(c, A, target)
    check_proof(c, A, found)
    assert best - 1e-9 <= found.bound <= max(target, best) + 1e-7


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_projection_is_scale_free(factor: float) -> None:
    for seed in range(20):
        c, A = random_cone("gauss", seed)
        point = project(c, A).point
        np.testing.assert_allclose(project(factor * c, A).point, factor * point, atol=1e-8 * factor)
        np.testing.assert_allclose(project(c, factor * A).point, point, atol=1e-8)


def reference_with_free_bias(c: np.ndarray, A: np.ndarray) -> float:
    """max of <c, u> over the cone with ``|u| <= 1`` but for its last entry; inf if unbounded."""
    u = cp.Variable(c.size)
    program = cp.Problem(cp.Maximize(c @ u), [A @ u >= 0, cp.norm(u[:-1]) <= 1])
    program.solve(solver=cp.CLARABEL)
    return float(program.value)


@pytest.mark.parametrize("seed", range(25))
def test_free_bias_equals_a_conic_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(2, 9)), int(rng.integers(1, 4))
    X = np.column_stack([rng.normal(size=(n, p)), np.ones(n)])
    v = rng.normal(size=n)
    mask = X @ rng.normal(size=p + 1) > 0 if seed % 5 else np.ones(n, dtype=bool)
    c, A = X.T @ (mask * (v - v.mean())), np.where(mask[:, None], X, -X)
    found = project(c, A, free_bias=True, rounding=1e-12 * float(np.abs(v).sum()))
    expected = reference_with_free_bias(c, A)
    assert found.bound == (expected if np.isinf(expected) else pytest.approx(expected, abs=1e-6))
    if np.isfinite(found.bound):
        assert (found.multipliers >= 0).all() and (A @ found.point >= -1e-8 * np.linalg.norm(c)).all()
        left = c + A[found.rows].T @ found.multipliers
        assert abs(left[-1]) <= 1e-11 and np.linalg.norm(left[:-1]) == pytest.approx(found.bound, abs=1e-12)

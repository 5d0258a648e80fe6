"""The projection on a cone: Moreau's conditions, brute force, and bounds that hold wherever the work stops."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple
from unittest.mock import patch

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from bidual.operators.active_set import step
from bidual.operators.cone import Cones, Projections


class Found(NamedTuple):
    """The projection of one vector."""

    point: np.ndarray
    rows: np.ndarray
    multipliers: np.ndarray
    bound: float
    finished: bool


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


def project(c: np.ndarray, A: np.ndarray, target: float = 0.0, free_bias: bool = False, rounding: float = 0.0) -> Found:
    """One vector on one cone."""
    cones = Cones(A, np.ones((len(A), 1), dtype=bool), free_bias)
    return only(cones.project(np.zeros(1, dtype=int), c[None], target, rounding=rounding))


def only(found: Projections, g: int = 0) -> Found:
    used = found.rows[g] >= 0
    rows, multipliers = found.rows[g, used], found.multipliers[g, used]
    return Found(found.points[g], rows, multipliers, float(found.bounds[g]), bool(found.finished[g]))


def check_proof(c: np.ndarray, A: np.ndarray, found: Found) -> None:
    assert (found.multipliers >= 0).all()
    proven = c + A[found.rows].T @ found.multipliers
    assert found.bound == pytest.approx(np.linalg.norm(proven), rel=1e-13, abs=1e-12)


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


def random_groups(kind: str, seed: int) -> tuple[Cones, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Cones of three patterns of the same rows; vectors, each on one of them; the signed rows of each vector's cone."""
    rng = np.random.default_rng(seed)
    _, X = random_cone(kind, seed)
    masks = X @ rng.normal(size=(X.shape[1], 3)) > 0
    which = rng.integers(0, 3, size=int(rng.integers(1, 12)))
    C = rng.normal(size=(which.size, X.shape[1])) * 10.0 ** rng.integers(-3, 4, size=(which.size, 1))
    return Cones(X, masks), which, C, [np.where(masks[:, [j]], X, -X) for j in which]


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1), block=st.sampled_from([1, 1000, 10**7]))
@settings(max_examples=25, deadline=None)
def test_many_at_once_are_nonnegative_least_squares_each(kind: str, seed: int, block: int) -> None:
    cones, which, C, each = random_groups(kind, seed)
    with patch("bidual.operators.cone.BLOCK", block):
        found = cones.project(which, C)
    for g, (c, A) in enumerate(zip(C, each, strict=True)):
        check_proof(c, A, only(found, g))
        slow = c + A.T @ nnls(A.T, -c)[0]
        np.testing.assert_allclose(found.points[g], slow, atol=1e-8 * np.linalg.norm(c))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([0.0, 1e-3, 1.0, 3.0]), share=st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_a_start_saves_work_and_changes_nothing(kind: str, seed: int, factor: float, share: float) -> None:
    cones, which, C, each = random_groups(kind, seed)
    rng = np.random.default_rng(seed)
    before = cones.project(which, C, share * float(np.linalg.norm(C, axis=1).max()))
    moved = factor * C + 0.3 * rng.normal(size=C.shape) * np.linalg.norm(C, axis=1, keepdims=True)
    cold, warm = cones.project(which, moved), cones.project(which, moved, start=before)
    np.testing.assert_allclose(warm.points, cold.points, atol=1e-8 * np.linalg.norm(C, axis=1).max())
    for g, A in enumerate(each):
        check_proof(moved[g], A, only(warm, g))


@pytest.mark.parametrize("free_bias", [False, True])
def test_a_start_at_the_answer_takes_no_further_row(free_bias: bool) -> None:
    rng = np.random.default_rng(0)
    X, which = rng.normal(size=(200, 20)), np.arange(10)
    if free_bias:
        X[:, -1] = 1.0
    cones, C = Cones(X, X @ rng.normal(size=(20, 10)) > 0, free_bias), rng.normal(size=(10, 20))
    found = cones.project(which, C)
    with patch("bidual.operators.cone.step", wraps=step) as steps:
        again = cones.project(which, 2.0 * C, start=found)
    assert steps.call_count == 1 and found.finished.all() and again.finished.all()
    # A point that is 0 is known to the rounding of its units, in which a free bias is 1e3 times as long.
    np.testing.assert_allclose(again.points, 2.0 * found.points, atol=1e-7 if free_bias else 1e-11)
    np.testing.assert_allclose(again.bounds, 2.0 * found.bounds, rtol=1e-9, atol=1e-14)
    assert free_bias or not cones.project(which, C, np.inf, start=found).finished.any()


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold_where_the_steps_run_out(kind: str) -> None:
    unfinished = 0
    for seed in range(20):
        cones, which, C, each = random_groups(kind, seed)
        exact = cones.project(which, C).bounds
        found = cones.project(which, C, steps=0)
        for g, (c, A) in enumerate(zip(C, each, strict=True)):
            check_proof(c, A, only(found, g))
        assert (found.bounds >= exact - 1e-9 * np.linalg.norm(C, axis=1)).all()
        assert (cones.project(which, C, start=found, steps=0).bounds <= found.bounds * (1 + 1e-12)).all()
        assert cones.project(which, C, start=found).bounds == pytest.approx(
            exact, abs=1e-9 * np.linalg.norm(C, axis=1).max()
        )
        unfinished += int((~found.finished).sum())
    assert unfinished > 0


@pytest.mark.parametrize("twist", [1e-3, 1e-6, 1e-9])
def test_nearly_parallel_rows(twist: float) -> None:
    """Cones that are nearly rays, of rows that are nearly the same; the point is known to the square root of rounding
    at worst."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        p = int(rng.integers(2, 8))
        A = rng.normal(size=(1, p)) + twist * rng.normal(size=(40, p))
        c = rng.normal(size=p) - 3.0 * A[0]
        found = project(c, A)
        check_proof(c, A, found)
        slow = c + A.T @ nnls(A.T, -c, maxiter=2000)[0]
        assert found.bound == pytest.approx(np.linalg.norm(slow), abs=1e-7 * np.linalg.norm(c))


@pytest.mark.parametrize("wobble", [0.0, 1e-10, 1e-8, 1e-6])
def test_rows_that_are_nearly_dependent(wobble: float) -> None:
    """Points of a grid, of which many lie on a line, or nearly so: categories and counts, standardised."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(3, 30))
        grid = 0.37 * rng.integers(0, 5, size=(n, 2)) + wobble * rng.uniform(-1, 1, size=(n, 2))
        A = np.column_stack([grid, np.ones(n)])
        A *= np.where(A @ rng.normal(size=3) > 0, 1.0, -1.0)[:, None]
        c = rng.normal(size=3)
        found = project(c, A)
        assert found.finished
        check_proof(c, A, found)
        assert found.point == pytest.approx(c + A.T @ nnls(A.T, -c)[0], abs=1e-8)


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


@pytest.mark.parametrize("seed", range(5))
def test_a_start_proves_the_bound_with_a_free_bias(seed: int) -> None:
    """On the same cones, and on those across a wall. Where a point is 0, the bound is known to 1e-3 only."""
    rng = np.random.default_rng(seed)
    X, each = np.column_stack([rng.normal(size=(60, 6)), np.ones(60)]), np.arange(8)
    masks, C = X @ rng.normal(size=(7, 8)) > 0, rng.normal(size=(8, 7))
    found = Cones(X, masks, True).project(each, C)
    slots, crossed = found.multipliers.argmax(axis=1), masks.copy()
    crossed[found.rows[each, slots], each] ^= True
    moved = C + 0.3 * rng.normal(size=C.shape)
    for cones, start in ((masks, found), (crossed, found.released(X, masks, slots))):
        warm = Cones(X, cones, True).project(each, moved, start=start)
        for g, c in enumerate(moved):
            A, mu = np.where(cones[:, [g]], X, -X), warm.multipliers[g]
            left, best = c + A[warm.rows[g]].T @ mu, reference_with_free_bias(c, A)
            assert (mu >= 0).all() and abs(left[-1]) <= 1e-11 or np.isinf(warm.bounds[g])
            assert best - 1e-6 <= warm.bounds[g] <= best + 1e-3
            assert np.isinf(best) or np.linalg.norm(left[:-1]) == pytest.approx(warm.bounds[g], abs=1e-12)


def test_released_is_the_sum_of_the_other_multipliers() -> None:
    rng = np.random.default_rng(5)
    X, C = rng.normal(size=(30, 6)), rng.normal(size=(8, 6))
    masks = X @ rng.normal(size=(6, 8)) > 0
    found = Cones(X, masks).project(np.arange(8), C)
    slots = found.multipliers.argmax(axis=1)
    near, signs = found.released(X, masks, slots), np.where(masks, 1.0, -1.0)
    for g, slot in enumerate(slots):
        left = [m for m in range(6) if m != slot and found.rows[g, m] >= 0]
        rows = found.rows[g, left]
        shift = (found.multipliers[g, left] * signs[rows, g]) @ X[rows]
        assert near.multipliers[g, slot] == 0.0
        np.testing.assert_allclose(near.shifts[g], shift, atol=1e-12)
        np.testing.assert_allclose(near.points[g], C[g] + shift, atol=1e-12)
        masks[found.rows[g, slot], g] ^= True
    warm, cold = (Cones(X, masks).project(np.arange(8), C, start=start) for start in (near, None))
    np.testing.assert_allclose(warm.points, cold.points, atol=1e-10)

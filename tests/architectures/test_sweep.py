"""The sweep: judged by the list of all cells, by a twin that tries all lines through two points, by known answers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import Sign, Tanh, sweep
from bidual.architectures.arrangement import enumerate_cells
from bidual.architectures.sweep import best_signs, sweep_work
from bidual.errors import RefusedError
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.problem import Problem

from .cases import DATA, random_rows

seeds = st.integers(0, 2**32 - 1)
KINDS = (*DATA, "collinear", "integers", "opposite")


def lift(X: np.ndarray) -> np.ndarray:
    return np.column_stack([X, np.ones(len(X))])


def signs(X: np.ndarray, U: np.ndarray) -> np.ndarray:
    return np.where(X @ U >= 0, 1.0, -1.0)


def rows(kind: str, rng: np.random.Generator) -> np.ndarray:
    d = int(rng.integers(1, 5))
    n = int(rng.integers(1, 10 - d // 2))
    if kind == "collinear":
        X = rng.integers(-2, 3, size=(n, 1)) * rng.normal(size=d) + rng.normal(size=d)
        return X + (rng.uniform(size=(n, 1)) < 0.3) * rng.normal(size=(n, d))
    if kind == "integers":
        return rng.integers(-2, 3, size=(n, d)).astype(float)
    if kind == "opposite":
        X = rng.normal(size=((n + 1) // 2, d))
        return np.vstack([X, -X])
    return random_rows(rng, n, d, kind)


def agrees(X: np.ndarray, V: np.ndarray) -> None:
    """The bound is the best score of all cells; the units are cells, differ, and the best one attains the bound."""
    cells = signs(X, enumerate_cells(X).gates)
    bounds, units = best_signs(X, V)
    best = np.abs(V.T @ cells).max(axis=1)
    assert (bounds >= best).all() and bounds == pytest.approx(best, abs=1e-12 * (1 + np.abs(V).sum()))
    known = {s.tobytes() for s in cells.T}
    for v, b, U in zip(V.T, bounds, units, strict=True):
        found = signs(X, U)
        scores = np.abs(v @ found)
        assert scores[0] == pytest.approx(b, abs=1e-12 * (1 + np.abs(v).sum())) and (np.diff(scores) <= 1e-9).all()
        patterns = {s.tobytes() for s in found.T}
        assert len(patterns) == U.shape[1] >= min(2, len(known) // 2) and patterns <= known
        nonzero = np.any(X != 0, axis=1)
        assert (np.abs(X @ U)[nonzero] > 1e-13 * (np.abs(X) @ np.abs(U))[nonzero]).all()


@pytest.mark.parametrize("bias", [True, False])
def test_500_small_problems(bias: bool) -> None:
    for seed in range(250):
        rng = np.random.default_rng(seed)
        X = rows(KINDS[seed % len(KINDS)], rng)
        V = rng.integers(-1, 2, size=(len(X), 2)).astype(float) if seed % 3 == 0 else rng.normal(size=(len(X), 2))
        agrees(lift(X) if bias else X, V)


@given(seed=seeds, kind=st.sampled_from(KINDS), bias=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_small_problem_equals_brute_force(seed: int, kind: str, bias: bool) -> None:
    rng = np.random.default_rng(seed)
    X = rows(kind, rng)
    agrees(lift(X) if bias else X, rng.normal(size=(len(X), 1)))


def slow_twin(X: np.ndarray, v: np.ndarray) -> float:
    """O(n^3), Algorithm 1 of Bengio et al. 2006: the line through each two points, turned and moved a little."""
    best = abs(v.sum())
    for i, j in combinations(range(len(X)), 2):
        normal = np.array([X[i, 1] - X[j, 1], X[j, 0] - X[i, 0]])
        side = np.sign((X - X[i]) @ normal)
        side[[i, j]] = 0.0
        best = max(best, abs(v @ side) + abs(v[i]) + abs(v[j]))
    return float(best)


@pytest.mark.parametrize("n", [30, 60])
def test_plane_equals_its_slow_twin(n: int) -> None:
    rng = np.random.default_rng(n)
    X, v = rng.normal(size=(n, 2)), rng.normal(size=n)
    assert best_signs(lift(X), v[:, None])[0][0] == pytest.approx(slow_twin(X, v), abs=1e-10)


XOR = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]), np.array([1.0, 1, -1, -1])
SIX = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1], [2, 1], [1, 3]]), np.array([1.0, -1, -1, 1, 1, -1])
CORNER = np.array([[0.0, 0], [1, 0], [0, 1]]), np.array([3.0, -1, 0.5])


def stream(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    return rng.standard_normal((n, d)), rng.standard_normal(n)


@pytest.mark.parametrize(
    ("data", "most", "cells"),
    [
        (XOR, 2.0, 14),
        (SIX, 4.0, 28),
        (CORNER, 4.5, 8),
        (stream(8, 2), 8.065599079400, 58),
        (stream(8, 3), 5.471831720063, 128),
        (stream(7, 4), 5.017953913812, 114),
        ((np.ones((6, 2)), np.array([1.0, 1, 1, 1, -1, -1])), 2.0, 2),
        ((np.array([[3.0, 4.0]]), np.array([-2.0])), 2.0, 2),
    ],
    ids=["xor", "six points", "three points", "8 x 2", "8 x 3", "7 x 4", "one place", "one row"],
)
def test_known_answers(data: tuple[np.ndarray, np.ndarray], most: float, cells: int) -> None:
    X, v = data
    assert len(enumerate_cells(lift(X))) == cells
    for w in (v, -v):
        assert best_signs(lift(X), w[:, None])[0] == pytest.approx([most], abs=1e-8)


def test_moons() -> None:
    from sklearn.datasets import make_moons

    X, labels = make_moons(100, noise=0.15, random_state=0)
    assert best_signs(lift(X), 2.0 * labels[:, None] - 1.0)[0] == pytest.approx([82.0], abs=1e-8)


def test_affine_maps_and_units_of_length_change_nothing() -> None:
    X, v = stream(12, 2)
    once = best_signs(lift(X), v[:, None])[0]
    for A, b in ((np.array([[1e6, 3.0], [0.0, 1e-6]]), 0.0), (np.eye(2), 1e3)):
        assert best_signs(lift(X @ A + b), v[:, None])[0] == pytest.approx(once, rel=1e-12)


def test_few_rows_have_every_pattern_however_many_features() -> None:
    X, v = stream(30, 200)
    bounds, units = best_signs(X, v[:, None])
    assert bounds == pytest.approx([np.abs(v).sum()]) and units[0].shape == (200, 20)
    assert np.array_equal(signs(X, units[0][:, 0]), np.sign(v))
    assert sweep_work(X) < 1e4 and sweep_work(stream(200, 5)[0]) > 1e8


def test_blocks_of_planes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    X, v = stream(20, 3)
    once, units = best_signs(lift(X), v[:, None])
    monkeypatch.setattr(sweep, "BLOCK", 60)
    again, others = best_signs(lift(X), v[:, None])
    assert np.array_equal(once, again) and np.array_equal(units[0], others[0])


@pytest.mark.parametrize("distance", [1e-15, 1e-11, 1e-7])
def test_points_that_cannot_be_told_apart_are_refused(distance: float) -> None:
    X = lift(np.array([[0.0, 0.0], [distance, 0.0], [1.0, 0.3], [0.2, 1.0], [0.9, 1.3]]))
    v = np.array([[-3.0], [3.0], [1.0], [-1.0], [1.0]])
    if distance == 1e-11:
        with pytest.raises(RefusedError, match="too close to tell"):
            best_signs(X, v)
    else:
        assert best_signs(X, v)[0] == pytest.approx([3.0 if distance < 1e-12 else 9.0], abs=1e-8)


@given(seed=seeds, distance=st.floats(-16, -6))
@settings(max_examples=60, deadline=None)
def test_points_nearly_on_a_line_are_never_decided_too_low(seed: int, distance: float) -> None:
    """Exact arithmetic on the same points, moved off the line by far more, has every pattern they can have."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.arange(5.0), np.zeros(5)])
    X = np.vstack([X, rng.normal(size=(2, 2))])
    X[2, 1] += 10.0**distance
    v = rng.normal(size=(7, 1))
    on, off = X.copy(), X.copy()
    on[2, 1], off[2, 1] = 0.0, 1e-3
    low, high = (best_signs(lift(Z), v)[0][0] for Z in (on, off))
    try:
        found = best_signs(lift(X), v)[0][0]
    except RefusedError:
        return
    assert found == pytest.approx(low, abs=1e-9) or found == pytest.approx(high, abs=1e-9)
    if distance > -10:
        assert found == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize("outputs", ["separate", "shared"])
@pytest.mark.parametrize("bias", ["penalized", "none"])
def test_no_unit_exceeds_the_bound(bias: str, outputs: str) -> None:
    """Sign units, those on hyperplanes too, and tanh units, which come arbitrarily near where there is a bias."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, V = rows(KINDS[seed % len(KINDS)], rng), rng.normal(size=(0, 2))
        V = rng.normal(size=(len(X), 2))
        for kind in (Sign, Tanh):
            problem = Problem(X, np.zeros_like(V), Squared(), kind(bias, outputs), Strength(1.0))
            Xl, bound = problem.lifted, problem.architecture.sweep_bound(problem.lifted, V)
            U = rng.choice([0.0, 1.0], size=(Xl.shape[1], 500)) * rng.normal(size=(Xl.shape[1], 500)) * 10.0
            H = signs(Xl, U) if kind is Sign else np.tanh(Xl @ U)
            C = V.T @ H
            scores = np.abs(C).max(axis=0) if outputs == "separate" else np.linalg.norm(C, axis=0)
            assert scores.max() <= bound
            if bias == "penalized" and outputs == "separate":
                _, units = best_signs(Xl, V, 1)
                best = np.hstack(units)
                near = np.tanh(1e9 * (Xl @ best) / np.abs(Xl @ best).min(axis=0))
                assert np.abs(V.T @ near).max() == pytest.approx(bound, rel=1e-9)

"""The list of all cells: judged by random gates, by the formula of general position, and by an independent count."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures.arrangement import (
    count_cells,
    covers_faces,
    distinct,
    enumerate_cells,
    hyperplanes,
    interior_point,
    most_cells,
)
from bidual.architectures.patterns import Patterns, first_of_each, sample
from bidual.errors import RefusedError

from .cases import DATA, random_rows

seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from([*DATA, "antiparallel", "all_zero", "one_row", "integer_cube"])


def rows(kind: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    if kind == "antiparallel":
        X = rng.normal(size=(n, d))
        return np.vstack([X, -X])
    if kind == "all_zero":
        return np.zeros((n, d))
    if kind == "one_row":
        return rng.normal(size=(1, d))
    if kind == "integer_cube":
        return np.array(list(product([-1.0, 0.0, 1.0], repeat=min(d, 2))))
    return random_rows(rng, n, d, kind)


@pytest.mark.parametrize(
    ("n", "d", "cells"), [(5, 2, 10), (8, 2, 16), (6, 3, 32), (8, 3, 58), (7, 4, 84), (5, 5, 32), (4, 6, 16)]
)
def test_general_position_is_counted_by_covers_formula(n: int, d: int, cells: int) -> None:
    X = np.random.default_rng(0).normal(size=(n, d))
    assert most_cells(n, d) == len(enumerate_cells(X)) == count_cells(X) == cells


@given(kind=kinds, seed=seeds)
@settings(max_examples=150, deadline=None)
def test_cells_are_all_there_each_once_with_a_gate_strictly_inside(kind: str, seed: int) -> None:
    X = rows(kind, seed)
    cells = enumerate_cells(X)
    nonzero = np.any(X != 0, axis=1)
    Z = X @ cells.gates
    assert np.array_equal(Z[nonzero] > 0, cells.masks[nonzero])
    if nonzero.any():
        Z = Z[nonzero] / np.linalg.norm(X[nonzero], axis=1)[:, None] / np.linalg.norm(cells.gates, axis=0)
        assert np.abs(Z).min() > 1e-9
    assert first_of_each(cells.masks[nonzero]).size == len(cells) or not nonzero.any()
    assert len(cells) == count_cells(X) <= most_cells(len(X), int(np.linalg.matrix_rank(X)))
    listed = {mask.tobytes() for mask in cells.masks[nonzero].T}
    found = X @ np.random.default_rng(seed).normal(size=(X.shape[1], 500)) > 0
    assert {mask.tobytes() for mask in found[nonzero].T} <= listed


@given(seed=seeds, kind=kinds)
@settings(max_examples=40, deadline=None)
def test_count_does_not_depend_on_signs_scales_order_or_rotation(seed: int, kind: str) -> None:
    X = rows(kind, seed)
    rng = np.random.default_rng(seed)
    n, d = X.shape
    Q = np.linalg.qr(rng.normal(size=(d, d)))[0]
    other = (X * rng.choice([-3.0, 0.5, 2.0], size=(n, 1)))[rng.permutation(n)] @ Q
    assert count_cells(other) == count_cells(X) == len(enumerate_cells(other))
    assert count_cells(np.column_stack([X, np.zeros(n)])) == count_cells(X)


@pytest.mark.parametrize("seed", range(10))
def test_three_planes_through_a_line_and_other_coincidences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, 3))
    X = np.array([a, b, a + b, a - b, c, c, 2 * a])  # four planes through one line, one across: 8 sectors, halved
    assert count_cells(X) == len(enumerate_cells(X)) == 16
    grid = np.array(list(product([-1.0, 0.0, 1.0], repeat=3)))
    if seed == 0:  # the 13 lines through the neighbours of a cube's centre cut space into 96 cones
        assert count_cells(grid) == len(enumerate_cells(grid)) == 96


@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_interior_point_exists_exactly_if_the_cone_is_open(seed: int) -> None:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(int(rng.integers(1, 7)), int(rng.integers(1, 4))))
    u = interior_point(A)
    sampled = (A @ rng.normal(size=(A.shape[1], 1000)) > 0.02).all(axis=0).any()
    assert not sampled or u is not None
    if u is not None:
        assert (A @ u > 0).all() and np.linalg.norm(u) == pytest.approx(1.0)
        assert interior_point(np.vstack([A, -A.sum(axis=0)])) is None


@given(seed=seeds, kind=kinds)
@settings(max_examples=40, deadline=None)
def test_hyperplanes(seed: int, kind: str) -> None:
    X = rows(kind, seed)
    H, B = hyperplanes(X)
    nonzero = np.any(X != 0, axis=1)
    assert H.shape == (nonzero.sum(), np.linalg.matrix_rank(X)) and B.shape == (X.shape[1], H.shape[1])
    np.testing.assert_allclose(np.linalg.norm(H, axis=1), 1.0)
    w = np.random.default_rng(seed).normal(size=(H.shape[1], 100))
    assert np.array_equal(H @ w > 0, X[nonzero] @ (B @ w) > 0)
    one_each = distinct(H)
    inner = np.abs(one_each @ one_each.T) - np.eye(len(one_each))
    assert (np.triu(inner, 1) < 1.0).all()


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_of_the_features_do_not_matter(unit: float) -> None:
    X = np.column_stack([np.random.default_rng(0).normal(size=(8, 2)), np.ones(8)])
    cells = enumerate_cells(X)
    other = X * [unit, 1.0, 1.0]
    assert count_cells(other) == len(cells)
    assert {m.tobytes() for m in enumerate_cells(other).masks.T} == {m.tobytes() for m in cells.masks.T}


@pytest.mark.parametrize("distance", [1e-15, 1e-11, 1e-7])
def test_cells_that_cannot_be_told_are_refused(distance: float) -> None:
    X = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, -1.0], [2.0, distance, 2.0]])
    if distance == 1e-11:
        with pytest.raises(RefusedError, match="too close to tell"):
            enumerate_cells(X)
        with pytest.raises(RefusedError, match="too close to tell"):
            count_cells(X)
    else:
        assert len(enumerate_cells(X)) == count_cells(X) == (8 if distance < 1e-12 else 14)


def test_gates_on_hyperplanes_are_covered_exactly_in_an_open_half_space() -> None:
    half = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    whole = np.array([[1.0, 0.0], [-1.0, 0.0]])
    for X, covered in ((half, True), (whole, False), (np.column_stack([whole, np.ones(2)]), True)):
        cells = enumerate_cells(X)
        assert covers_faces(X, cells) is covered
        listed = {mask.tobytes() for mask in cells.masks.T}
        faces = np.array(list(product([-1.0, 0.0, 1.0], repeat=X.shape[1]))).T
        assert ({mask.tobytes() for mask in (X @ faces >= 0).T} <= listed) is covered


def test_sampled_patterns_are_distinct_nonempty_and_those_of_their_gates() -> None:
    X = np.random.default_rng(1).normal(size=(6, 3)) * [1.0, 1e6, 1e-6]
    found = sample(X, 300, 0)
    assert np.array_equal(found.masks, X @ found.gates >= 0) and found.masks.any(axis=0).all()
    assert len(found.distinct()) == len(found) > 20  # every column has its say, whatever its unit
    again = sample(X, 300, 0)
    assert np.array_equal(found.gates, again.gates)
    assert len(found.join(again)) == len(found)


@pytest.mark.parametrize("n_patterns", [40, 41])
def test_antithetic_patterns_are_complementary(n_patterns: int) -> None:
    X = np.random.default_rng(1).normal(size=(60, 3))
    found = sample(X, n_patterns, 0, antithetic=True)
    assert len(found) == n_patterns and np.array_equal(found.masks, X @ found.gates >= 0)
    assert np.array_equal(found.masks[:, -20:], ~found.masks[:, : n_patterns // 2])
    drawn = -(-n_patterns // 2)
    assert np.array_equal(found.gates[:, :drawn], sample(X, drawn, 0).gates)


def test_first_of_each() -> None:
    assert first_of_each(np.array([[True, False, True]])).tolist() == [0, 1]
    masks = np.zeros((9, 3), dtype=bool)
    masks[8, 1] = True
    assert first_of_each(masks).tolist() == [0, 1]
    assert len(Patterns(masks, np.zeros((2, 3))).distinct()) == 2

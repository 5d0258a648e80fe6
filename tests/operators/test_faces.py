"""Boxes on a face: no point of a box exceeds its bound, halves cover it, and known sides change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidual.operators.faces import Boxes, Face, shortest

seeds = st.integers(0, 2**32 - 1)


def drawn(rng: np.random.Generator, p: int, B: int = 6) -> Boxes:
    """Boxes of all sizes, some of them flat."""
    ends = rng.uniform(-1, 1, size=(2, B, p - 1))
    ends[1] = np.where(
        rng.uniform(size=(B, p - 1)) < 0.2, ends[0], ends[0] + rng.choice([1.0, 0.1]) * (ends[1] - ends[0])
    )
    return Boxes(ends.min(axis=0), ends.max(axis=0), np.zeros((B, p)), np.full(B, np.inf))


def face(rng: np.random.Generator, p: int, whole: bool) -> Face:
    A, B = (rng.normal(size=(rng.integers(0, 9), p)) for _ in range(2))
    if whole:
        A, B = np.round(A), np.round(B)
    return Face(A, B, rng.normal(size=p), np.zeros(p))


def points(rng: np.random.Generator, boxes: Boxes, count: int = 200) -> np.ndarray:
    """(count, B, p): corners of the boxes, and others of their points."""
    share = rng.uniform(size=(count, *boxes.low.shape))
    share[::2] = np.round(share[::2])
    inside = boxes.low + share * (boxes.high - boxes.low)
    return np.concatenate([inside, np.ones((*inside.shape[:2], 1))], axis=2)


def values(f: Face, w: np.ndarray) -> np.ndarray:
    each = np.abs(w @ f.A.T).sum(axis=-1) - np.abs(w @ f.B.T).sum(axis=-1) + w @ (f.c + f.held)
    return each / np.linalg.norm(w, axis=-1)


@given(seed=seeds, p=st.integers(1, 5), steps=st.integers(0, 3))
def test_no_point_exceeds_the_bound(seed: int, p: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    f, boxes = face(rng, p, seed % 3 == 0), drawn(rng, p)
    for _ in range(3):
        boxes, reached, loose = f.bounded(boxes, 0.0, steps)
        assert (values(f, points(rng, boxes)) <= boxes.value + 1e-12 * (1 + np.abs(boxes.value))).all()
        assert (loose >= 0).all() and reached.shape == (len(boxes), p)
        if p > 1:
            boxes = boxes.halved(rng.integers(0, p - 1, size=len(boxes)))


@given(seed=seeds, p=st.integers(2, 5))
def test_halves_cover_their_box(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = drawn(rng, p)
    halves, w = boxes.halved(rng.integers(0, p - 1, size=len(boxes))), points(rng, boxes)[..., :-1]
    inside = ((halves.low <= w.repeat(2, axis=1)) & (w.repeat(2, axis=1) <= halves.high)).all(axis=-1)
    assert (inside[:, ::2] | inside[:, 1::2]).all()
    assert (halves.radius.sum(axis=1) <= boxes.radius.sum(axis=1).repeat(2)).all()


@given(seed=seeds, p=st.integers(1, 5))
def test_known_sides_change_nothing(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    f, boxes = face(rng, p, False), drawn(rng, p, 40)
    few = boxes.take(np.arange(seed % 40, 40))
    less = f.on(few)
    assert len(less.A) <= len(f.A) and len(less.B) <= len(f.B)
    w = points(rng, few)
    np.testing.assert_allclose(values(less, w), values(f, w), rtol=0, atol=1e-12 * (1 + len(f.A) + len(f.B)))


@given(seed=seeds, p=st.integers(1, 5))
def test_projections_bound_linear_functions(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = drawn(rng, p)
    a = rng.normal(size=(len(boxes), p))
    length, w = np.linalg.norm(shortest(a, boxes), axis=1), points(rng, boxes)
    ratio = np.vecdot(w, a) / np.linalg.norm(w, axis=-1)
    assert (ratio <= length + 1e-13).all()
    assert (length <= np.linalg.norm(a, axis=1) + 1e-13).all()


def test_a_concave_sum_is_bounded_exactly() -> None:
    """``(w1 + 1) - |w1 - 1/4|`` over ``|w|`` is largest at 1/4; without steps the bound is looser."""
    f = Face(np.zeros((0, 2)), np.array([[1.0, -0.25]]), np.ones(2), np.zeros(2))
    boxes = Boxes(-np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 2)), np.full(1, np.inf))
    best = 1.25 / np.hypot(0.25, 1.0)
    assert f.bounded(boxes, 0.0, 0)[0].value[0] == pytest.approx(best, abs=1e-6)
    assert f.bounded(boxes, 10.0, 0)[0].value[0] > 1.1 * best


def test_squares_that_cancel_tighten_a_sum_of_chords() -> None:
    """``|w1 + w2| + |w1 - w2|`` is ``2 max |w_j|``, and the chords' bound of it on the box of radius 1 is 4."""
    f = Face(np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]]), np.zeros((0, 3)), np.zeros(3), np.zeros(3))
    boxes = Boxes(-np.ones((1, 2)), np.ones((1, 2)), np.zeros((1, 3)), np.full(1, np.inf))
    assert f.bounded(boxes, 0.0, 1)[0].value[0] == pytest.approx(3.0, abs=1e-12)

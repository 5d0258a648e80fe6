"""Masked products against two-line twins that form every masked matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.operators import masked

sizes = st.integers(1, 5)


def slow_forward(X: np.ndarray, D: np.ndarray, U: np.ndarray) -> np.ndarray:
    return sum((np.diag(D[:, j]) @ X @ U[j] for j in range(len(U))), np.zeros((X.shape[0], U.shape[2])))


def slow_adjoint(X: np.ndarray, D: np.ndarray, V: np.ndarray) -> np.ndarray:
    return np.array([X.T @ np.diag(d) @ V for d in D.T])


@given(n=sizes, p=sizes, P=sizes, c=sizes, seed=st.integers(0, 2**32 - 1), masks=st.booleans())
@settings(max_examples=60, deadline=None)
def test_products_equal_their_slow_twins(n: int, p: int, P: int, c: int, seed: int, masks: bool) -> None:
    rng = np.random.default_rng(seed)
    X, D, U, V = (rng.normal(size=s) for s in ((n, p), (n, P), (P, p, c), (n, c)))
    D = (D > 0).astype(float) if masks else D
    F, C = masked.forward(X, D, U), masked.adjoint(X, D, V)
    np.testing.assert_allclose(F, slow_forward(X, D, U), rtol=0, atol=1e-12)
    np.testing.assert_allclose(C, slow_adjoint(X, D, V), rtol=0, atol=1e-12)
    assert np.sum(F * V) == pytest.approx(np.sum(C * U), abs=1e-11)


@pytest.mark.parametrize("block", [1, 7, 30])
def test_row_blocks_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, D, U = rng.normal(size=(11, 3)), rng.normal(size=(11, 4)), rng.normal(size=(4, 3, 2))
    whole = masked.forward(X, D, U)
    monkeypatch.setattr(masked, "BLOCK", block)
    np.testing.assert_allclose(masked.forward(X, D, U), whole, rtol=0, atol=1e-13)


def test_no_patterns_predict_zero() -> None:
    assert not masked.forward(np.ones((3, 2)), np.ones((3, 0)), np.ones((0, 2, 1))).any()

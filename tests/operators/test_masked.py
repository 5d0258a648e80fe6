"""Masked products against two-line twins that form every masked matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.operators import masked
from bidual.operators.masked import MaskedData

sizes = st.integers(1, 5)


@given(
    n=st.integers(1, 20),
    p=sizes,
    P=sizes,
    c=sizes,
    seed=st.integers(0, 2**32 - 1),
    slope=st.sampled_from([0.0, 0.01, -1.0]),
    single=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_products_equal_their_slow_twins(n: int, p: int, P: int, c: int, seed: int, slope: float, single: bool) -> None:
    rng = np.random.default_rng(seed)
    X, R, masks = rng.normal(size=(n, p)), rng.normal(size=(n, c)), rng.normal(size=(n, P)) > 0
    which = np.flatnonzero(rng.uniform(size=P) < 0.7)
    U, a = rng.normal(size=(which.size, p, c)), rng.normal(size=(which.size, c))
    each = [np.where(masks[:, j : j + 1], X, slope * X) for j in range(P)]
    data, kind, atol = MaskedData(X, masks, slope), np.float32 if single else np.float64, 1e-4 if single else 1e-12
    F, C = data.forward(U.astype(kind), which), data.adjoint(R.astype(kind), which)
    assert F.dtype == C.dtype == kind
    np.testing.assert_allclose(
        F, sum((each[j] @ u for j, u in zip(which, U, strict=True)), np.zeros((n, c))), atol=atol
    )
    np.testing.assert_allclose(C, np.array([each[j].T @ R for j in which]).reshape(U.shape), atol=atol)
    np.testing.assert_allclose(data.adjoint(R), np.array([D.T @ R for D in each]), atol=1e-12)
    columns = data.columns(U[:, :, 0].astype(kind), which)
    twins = [each[j] @ u for j, u in zip(which, U[:, :, 0], strict=True)]
    np.testing.assert_allclose(columns, np.array(twins).reshape(-1, n).T, atol=atol)
    np.testing.assert_allclose(data.mask_sum(a, which), np.where(masks, 1.0, slope)[:, which] @ a, atol=1e-12)


@pytest.mark.parametrize("rows", [8, 16, 512])
def test_row_blocks_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    data = MaskedData(rng.normal(size=(35, 3)), rng.normal(size=(35, 4)) > 0)
    U, R = rng.normal(size=(4, 3, 2)), rng.normal(size=(35, 2))
    F, C = data.forward(U), data.adjoint(R)
    monkeypatch.setattr(masked, "ROWS", rows)
    np.testing.assert_allclose(data.forward(U), F, rtol=0, atol=1e-13)
    np.testing.assert_allclose(data.adjoint(R), C, rtol=0, atol=1e-13)


def test_flops_are_counted() -> None:
    data = MaskedData(np.ones((10, 3)), np.ones((10, 4), dtype=bool))
    data.forward(np.ones((4, 3, 2), np.float32))
    assert data.flops == 2 * 10 * 3 * 4 * 2
    data.adjoint(np.ones((10, 1)), np.array([1, 2]))
    assert data.flops == 2 * 10 * 3 * 4 * 2 + 2 * (2 * 10 * 3 * 2)


def test_no_patterns_predict_zero() -> None:
    data = MaskedData(np.ones((3, 2)), np.ones((3, 0), dtype=bool))
    assert not data.forward(np.ones((0, 2, 1))).any()

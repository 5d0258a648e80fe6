"""Pooled products against two-line twins that form every masked matrix, stored or not, on every device."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.operators import masked, pooled
from bidual.operators.device import Device
from bidual.operators.masked import MaskedData
from bidual.operators.pooled import PooledData
from bidual.solvers.inner.active_blocks import ActiveBlocks

from .test_masked import Strict, random_masks

sizes = st.integers(1, 4)


@pytest.fixture(autouse=True)
def devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked, "Device", lambda name: Strict() if name == "strict" else Device(name))


@given(
    n=st.integers(1, 9),
    N=st.integers(1, 9),
    p=sizes,
    P=st.integers(1, 7),
    c=sizes,
    seed=st.integers(0, 2**32 - 1),
    slope=st.sampled_from([0.0, 0.01, -1.0]),
    single=st.booleans(),
    device=st.sampled_from(["cpu", "cpu:0", "strict"]),
    spare=st.sampled_from([0.0, 100.0, np.inf]),
)
@settings(max_examples=200, deadline=None)
def test_products_equal_their_slow_twins(
    n: int, N: int, p: int, P: int, c: int, seed: int, slope: float, single: bool, device: str, spare: float
) -> None:
    rng = np.random.default_rng(seed)
    X, R, masks = rng.normal(size=(n * N, p)), rng.normal(size=(n, c)), random_masks(rng, n * N, P)
    which = rng.permutation(P)[: rng.integers(0, P + 1)]
    U, a = rng.normal(size=(which.size, p, c)), rng.exponential(size=(which.size, c))
    each = [np.where(masks[:, j : j + 1], X, slope * X).reshape(n, N, p).sum(axis=1) / 3 for j in range(P)]
    data, kind = PooledData(X, masks, N, 1 / 3, slope, device, spare), np.float32 if single else np.float64
    atol = 1e-4 if single else 1e-12
    some, chosen = data.diagonals.take(which), np.array([each[j] for j in which]).reshape(which.size, n, p)
    for _ in range(2):  # computed, then perhaps from what was stored
        F, C = data.forward(U.astype(kind), some), data.adjoint(R.astype(kind), some)
        assert F.dtype == C.dtype == kind
        np.testing.assert_allclose(F, np.einsum("jnp,jpc->nc", chosen, U), atol=atol)
        np.testing.assert_allclose(C, np.einsum("jnp,nc->jpc", chosen, R), atol=atol)
    np.testing.assert_allclose(data.adjoint(R), np.array([D.T @ R for D in each]), atol=1e-12)
    rows = [data.device.get(block) for _, block in data.columns(U[:, :, 0].astype(kind), some)]
    twins = np.einsum("jnp,jp->jn", chosen, U[:, :, 0])
    np.testing.assert_allclose(np.concatenate(rows, axis=1), twins, atol=atol)
    variance, means = data.mean_field(a.astype(kind), some)
    for k in range(c):
        mean = np.einsum("j,jnp->np", a[:, k], chosen) / max(a[:, k].sum(), 1e-300)
        np.testing.assert_allclose(data.device.get(means(slice(0, n), k)), mean.T, atol=atol)
        left = np.einsum("j,jnp->n", a[:, k], (chosen - mean) ** 2)
        np.testing.assert_allclose(variance[:, k], left, atol=10 * atol)


@given(n=st.integers(1, 20), p=sizes, P=st.integers(1, 7), c=sizes, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_one_patch_a_row_is_masked_data(n: int, p: int, P: int, c: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, masks = rng.normal(size=(n, p)), random_masks(rng, n, P)
    one, other = PooledData(X, masks, 1), MaskedData(X, masks)
    U, R = rng.normal(size=(P, p, c)), rng.normal(size=(n, c))
    np.testing.assert_allclose(one.forward(U), other.forward(U), atol=1e-12)
    np.testing.assert_allclose(one.adjoint(R), other.adjoint(R), atol=1e-12)
    np.testing.assert_allclose(one.lengths(R), other.lengths(R), atol=1e-12)


@pytest.mark.parametrize("count", [1, 3, 4, 8])
@pytest.mark.parametrize("stored", [0, 2**31])
def test_blocks_of_images_change_nothing(count: int, stored: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, masks = rng.normal(size=(19 * count, 3)), rng.normal(size=(19 * count, 4)) > 0
    U, R = rng.normal(size=(4, 3, 2)).astype(np.float32), rng.normal(size=(19, 2)).astype(np.float32)
    data = PooledData(X, masks, count)
    monkeypatch.setattr(pooled, "STORED", stored)
    monkeypatch.setattr(pooled, "ENTRIES", 1)
    other = PooledData(X, masks, count)
    assert len(list(other.columns(U[:, :, 0]))) == -(-19 // (8 // np.gcd(8, count)))
    np.testing.assert_allclose(other.forward(U), data.forward(U), atol=1e-4)
    np.testing.assert_allclose(other.adjoint(R), data.adjoint(R), atol=1e-4)


def costs(data: PooledData, product: Callable[[], object]) -> float:
    before = data.flops
    product()
    return data.flops - before


def test_features_are_computed_once_where_there_is_room() -> None:
    n, N, p, P, c = 8, 5, 3, 4, 2
    masks = np.eye(n * N, P, dtype=bool)
    features, product = 2 * n * N * p * P, 2 * n * p * P * c
    U, size = np.ones((P, p, c), np.float32), 4 * n * p * (P + 1)
    roomy, tight = (PooledData(np.ones((n * N, p)), masks, N, spare=spare) for spare in (2.0 * size, size - 1.0))
    assert [costs(roomy, lambda: roomy.forward(U)) for _ in range(2)] == [features + product, product]
    assert [costs(tight, lambda: tight.forward(U)) for _ in range(2)] == [features + product] * 2
    assert roomy.spare < size  # what was taken is gone
    assert costs(roomy, lambda: roomy.forward(U.astype(float))) == 2 * (features + product)


def test_stored_features_come_in_the_order_asked_for() -> None:
    rng = np.random.default_rng(0)
    X, masks, U = rng.normal(size=(12, 2)), rng.normal(size=(12, 3)) > 0, rng.normal(size=(3, 2, 1)).astype(np.float32)
    data = PooledData(X, masks, 4)
    order = np.array([2, 0, 1])
    np.testing.assert_allclose(data.forward(U[order], data.diagonals.take(order)), data.forward(U), atol=1e-5)


def test_all_outputs_share_one_product() -> None:
    data = PooledData(np.ones((20, 3)), np.random.default_rng(0).uniform(size=(20, 8)) < 0.5, 5)
    pattern = output = np.arange(4)
    U, w = np.zeros((8, 3, 4)), np.random.default_rng(1).normal(size=(4, 3))
    U[pattern, :, output] = w
    np.testing.assert_allclose(ActiveBlocks(data, pattern, output, 4).forward(w), data.forward(U), atol=1e-12)

"""Masked products against two-line twins that form every masked matrix, on every device."""

from __future__ import annotations

import sys
from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from bidual.errors import MissingDependencyError
from bidual.operators import blocks, masked
from bidual.operators.device import Device
from bidual.operators.masked import MaskedData

sizes = st.integers(1, 5)


class Strict:
    """A device with nothing but the array API standard."""

    name, xp = "strict", array_api_strict

    def put(self, values: Any, dtype: Any = None) -> Any:
        return array_api_strict.asarray(np.array(values, dtype=dtype))

    def get(self, values: Any) -> Any:
        return np.asarray(values)


@pytest.fixture(autouse=True)
def devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked, "Device", lambda name: Strict() if name == "strict" else Device(name))


def random_masks(rng: np.random.Generator, n: int, P: int) -> np.ndarray:
    """Masks of which some are the same and some complementary."""
    masks = rng.normal(size=(n, P)) > 0
    other = rng.integers(P, size=P)
    return np.where(rng.uniform(size=P) < 0.3, masks, masks[:, other] ^ (rng.uniform(size=P) < 0.5))


@given(
    n=st.integers(1, 20),
    p=sizes,
    P=st.integers(1, 9),
    c=sizes,
    seed=st.integers(0, 2**32 - 1),
    slope=st.sampled_from([0.0, 0.01, -1.0]),
    single=st.booleans(),
    device=st.sampled_from(["cpu", "cpu:0", "strict"]),
    spare=st.sampled_from([0.0, 100.0, np.inf]),
)
@settings(max_examples=300, deadline=None)
def test_products_equal_their_slow_twins(
    n: int, p: int, P: int, c: int, seed: int, slope: float, single: bool, device: str, spare: float
) -> None:
    rng = np.random.default_rng(seed)
    X, R, masks = rng.normal(size=(n, p)), rng.normal(size=(n, c)), random_masks(rng, n, P)
    which = np.flatnonzero(rng.uniform(size=P) < 0.7)
    U, a = rng.normal(size=(which.size, p, c)), rng.normal(size=(which.size, c))
    each = [np.where(masks[:, j : j + 1], X, slope * X) for j in range(P)]
    data, kind = MaskedData(X, masks, slope, device, spare), np.float32 if single else np.float64
    atol = 1e-4 if single else 1e-12
    some = data.diagonals.take(which)
    F, C = data.forward(U.astype(kind), some), data.adjoint(R.astype(kind), some)
    assert F.dtype == C.dtype == kind
    np.testing.assert_allclose(
        F, sum((each[j] @ u for j, u in zip(which, U, strict=True)), np.zeros((n, c))), atol=atol
    )
    np.testing.assert_allclose(C, np.array([each[j].T @ R for j in which]).reshape(U.shape), atol=atol)
    np.testing.assert_allclose(data.adjoint(R), np.array([D.T @ R for D in each]), atol=1e-12)
    rows = [data.device.get(block) for _, block in data.columns(U[:, :, 0].astype(kind), some)]
    twins = [each[j] @ u for j, u in zip(which, U[:, :, 0], strict=True)]
    np.testing.assert_allclose(np.concatenate(rows, axis=1), np.array(twins).reshape(-1, n), atol=atol)
    np.testing.assert_allclose(data.mask_sum(a, some), np.where(masks, 1.0, slope)[:, which] @ a, atol=1e-12)


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
@pytest.mark.parametrize("rows", [8, 16, 512])
@pytest.mark.parametrize("entries", [0, 2**21])
def test_row_blocks_change_nothing(rows: int, entries: int, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, masks = rng.normal(size=(35, 3)), rng.normal(size=(35, 4)) > 0
    data, U, R = MaskedData(X, masks, device=device), rng.normal(size=(4, 3, 2)), rng.normal(size=(35, 2))
    monkeypatch.setattr(masked, "ROWS", rows)
    monkeypatch.setattr(masked, "DEVICE_ENTRIES", 1)
    monkeypatch.setattr(blocks, "ENTRIES", entries)  # masks are unpacked block by block, or once for all
    other = MaskedData(X, masks, device=device)
    assert len(list(other.columns(U[:, :, 0]))) == -(-35 // rows)
    np.testing.assert_allclose(other.forward(U), data.forward(U), rtol=0, atol=1e-13)
    np.testing.assert_allclose(other.adjoint(R), data.adjoint(R), rtol=0, atol=1e-13)


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_columns_of_few_patterns_come_in_the_same_blocks(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked, "ROWS", 8)
    monkeypatch.setattr(masked, "DEVICE_ENTRIES", 16 * 20)
    rng = np.random.default_rng(0)
    data = MaskedData(rng.normal(size=(90, 2)), rng.normal(size=(90, 20)) > 0, device=device)
    few, all_ = ([rows for rows, _ in data.diagonals.take(np.arange(k)).blocks(np.dtype(float))] for k in (3, 20))
    assert few == all_ and len(few) > 1


def large() -> tuple[MaskedData, MaskedData, np.ndarray, np.ndarray]:
    """NumPy, torch, and operands large enough for several threads."""
    rng = np.random.default_rng(0)
    X, gates = rng.normal(size=(3000, 30)), rng.normal(size=(30, 200))
    masks = X @ np.hstack([gates, -gates]) >= 0
    U, R = rng.normal(size=(400, 30, 2)), rng.normal(size=(3000, 2))
    return MaskedData(X, masks), MaskedData(X, masks, device="cpu:0"), U, R


def test_torch_agrees_with_numpy() -> None:
    data, other, U, R = large()
    F, C = data.forward(U), data.adjoint(R)
    assert np.abs(other.forward(U) - F).max() <= 1e-9 * np.abs(F).max()
    assert np.abs(other.adjoint(R) - C).max() <= 1e-9 * np.abs(C).max()


def test_one_thread_or_two_and_again() -> None:
    data, _, U, R = large()
    with threadpool_limits(2, "blas"):
        F, C = data.forward(U), data.adjoint(R)
        assert data.forward(U).tobytes() == F.tobytes() and data.adjoint(R).tobytes() == C.tobytes()
    with threadpool_limits(1, "blas"):
        assert np.abs(data.forward(U) - F).max() <= 1e-10 * np.abs(F).max()
        assert np.abs(data.adjoint(R) - C).max() <= 1e-10 * np.abs(C).max()


def test_a_device_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "array_api_compat.torch", None)
    with pytest.raises(MissingDependencyError, match="device='cuda' needs torch: pip install"):
        MaskedData(np.ones((3, 2)), np.ones((3, 1), dtype=bool), device="cuda")


def test_operands_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((9, 3), (4, 3, 2), (9, 2), (4, 2))]
    for values in arrays:
        values.flags.writeable = False
    X, U, R, a = arrays
    for device in ("cpu", "cpu:0"):  # an assignment would raise, and torch would warn of sharing memory
        data = MaskedData(X, random_masks(rng, 9, 4), device=device)
        data.forward(U), data.adjoint(R), data.mask_sum(a), list(data.columns(U[:, :, 0]))


def test_flops_are_counted() -> None:
    masks = np.eye(10, 4, dtype=bool)
    data = MaskedData(np.ones((10, 3)), masks)
    data.forward(np.ones((4, 3, 2), np.float32))
    assert data.flops == 2 * 10 * 3 * 4 * 2
    data.adjoint(np.ones((10, 1)), data.diagonals.take(np.array([1, 2])))
    assert data.flops == 2 * 10 * 3 * 4 * 2 + 2 * (2 * 10 * 3 * 2)


def test_complementary_masks_share_one_pass() -> None:
    masks = np.eye(10, 4, dtype=bool)
    data = MaskedData(np.ones((10, 3)), np.hstack([masks, ~masks]))
    data.forward(np.ones((8, 3, 2), np.float32))
    assert data.flops == 2 * 10 * 3 * 4 * 2
    data.adjoint(np.ones((10, 1), np.float32))
    assert data.flops == 2 * 10 * 3 * 4 * 2 + 2 * 10 * 3 * 5  # four masks and the whole


def test_no_patterns_predict_zero() -> None:
    data = MaskedData(np.ones((3, 2)), np.ones((3, 0), dtype=bool))
    assert not data.forward(np.ones((0, 2, 1))).any()

"""Bits against the boolean matrices they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.errors import InvalidDataError
from bidual.operators import blocks
from bidual.operators.bits import Bits
from bidual.operators.blocks import row_blocks

matrices = st.builds(
    lambda n, P, seed: np.random.default_rng(seed).integers(2, size=(n, P)).astype(bool),
    st.integers(1, 20),
    st.integers(0, 12),
    st.integers(0, 2**32 - 1),
)


@given(masks=matrices)
@settings(max_examples=200, deadline=None)
def test_bits_are_the_matrix(masks: np.ndarray) -> None:
    bits, columns = Bits.of(masks), [tuple(column) for column in masks.T]
    assert bits.shape == masks.shape and np.array_equal(bits.unpack(), masks)
    assert bits.distinct().tolist() == [j for j, column in enumerate(columns) if column not in columns[:j]]
    some = np.arange(masks.shape[1])[::2]
    assert np.array_equal(bits.take(some).join(bits).unpack(), np.hstack([masks[:, some], masks]))


@given(masks=matrices)
@settings(max_examples=200, deadline=None)
def test_pairs_are_complementary_and_none_is_missed(masks: np.ndarray) -> None:
    kept, base, flipped = Bits.of(masks).pairs
    assert np.array_equal(masks[:, kept][:, base] ^ flipped, masks)
    assert np.unique(base[flipped]).size == flipped.sum() and np.array_equal(base[kept], np.arange(kept.size))
    once = masks[:, Bits.of(masks).distinct()]
    columns = {tuple(column) for column in once.T}
    assert Bits.of(once).pairs[2].sum() == sum(tuple(~column) in columns for column in once.T) // 2


@pytest.mark.parametrize("entries", [1, 100, 2**21])
def test_nonnegative_block_by_block(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ENTRIES", entries)
    rng = np.random.default_rng(0)
    X, gates = rng.normal(size=(45, 3)), rng.normal(size=(3, 7))
    assert np.array_equal(Bits.nonnegative(X, gates).unpack(), X @ gates >= 0)
    slices = list(row_blocks(45, 7))
    assert [i for rows in slices for i in range(rows.start, rows.stop)] == list(range(45))
    assert all(rows.start % 8 == 0 for rows in slices)


def test_what_are_no_bits() -> None:
    with pytest.raises(InvalidDataError, match="boolean"):
        Bits.of(np.ones((3, 2)))
    with pytest.raises(InvalidDataError, match="shape"):
        Bits(np.zeros((2, 3), np.uint8), 9)

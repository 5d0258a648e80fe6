"""The diagonal matrices of activation patterns: bits that become operands of matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from bidual.operators import blocks
from bidual.operators.bits import Bits
from bidual.operators.device import Device
from bidual.typing import Matrix, Places, Vector

Pairs = tuple[Places, NDArray[np.bool_]] | None
"""(place, flipped), both (k,): mask j is the kept one at ``place[j]``, or its complement. None: it is the j-th kept."""

BYTES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(bool)
"""(256, 8): the bits of each byte."""


@final
class Diagonals:
    """``D_1, ..., D_k`` of n rows each, with 1 on mask j and ``slope`` off it.

    They are kept as bits, pattern by pattern, and unpacked ``step`` rows at a time; once for all where that is no more
    than one block of :data:`~bidual.operators.blocks.ENTRIES`. Complementary masks share one of the ``kept`` ones:
    where D_j is the diagonal of a mask, that of its complement is ``(1 + slope) I - D_j``. ``places`` (kept,) are
    theirs among those kept of all columns.
    """

    def __init__(self, bits: Any, n: int, pairs: Pairs, slope: float, step: int, device: Device, places: Places):
        self.n, self.pairs, self.slope, self.step, self.device = n, pairs, slope, step, device
        self.places, self._bits = places, bits
        self._unpacked: dict[Any, Any] = {}

    @classmethod
    def of(cls, bits: Bits, slope: float, step: int, device: Device) -> Self:
        """Those of all columns."""
        kept, place, flipped = bits.pairs
        pairs = (place, flipped) if flipped.any() else None
        return cls(device.put(bits.packed[kept]), bits.n, pairs, slope, step, device, np.arange(kept.size))

    def take(self, which: Places) -> Self:
        """Those at the given places."""
        kept, pairs = which, None
        if self.pairs is not None:
            place, flipped = self.pairs
            kept, place = np.unique(place[which], return_inverse=True)
            pairs = place, flipped[which]
        bits = self.device.xp.take(self._bits, self.device.put(kept), axis=0)
        return type(self)(bits, self.n, pairs, self.slope, self.step, self.device, self.places[kept])

    @property
    def count(self) -> int:
        """k."""
        return self.kept if self.pairs is None else int(self.pairs[0].size)

    @property
    def kept(self) -> int:
        """How many differ, but for complements."""
        return int(self._bits.shape[0])

    def blocks(self, dtype: Any) -> Iterator[tuple[slice, Any]]:
        """Blocks of rows, the same for any selection, with the kept (kept, rows) on the device."""
        whole = self._whole(dtype) if self.kept * self.n <= blocks.ENTRIES else None
        for start in range(0, self.n, self.step):
            rows = slice(start, min(start + self.step, self.n))
            yield rows, self._unpack(rows, dtype) if whole is None else whole[:, rows]

    def each(self, D: Any, dtype: Any) -> Any:
        """(k, rows): every D_j, from those kept."""
        if self.pairs is None:
            return D
        place, flipped = self.pairs
        sign, shift = (self.device.put(v, dtype)[:, None] for v in (1.0 - 2.0 * flipped, (1.0 + self.slope) * flipped))
        return self.device.xp.take(D, self.device.put(place), axis=0) * sign + shift

    def merge(self, A: Matrix) -> tuple[Matrix, Vector]:
        """(B, r): ``sum_j D_j A_j = sum_b D_b B_b + I r`` over the kept D_b, A (k, q); none was taken twice."""
        if self.pairs is None:
            return A, np.zeros(A.shape[1], A.dtype)
        place, flipped = self.pairs
        B = np.zeros((self.kept, A.shape[1]), A.dtype)
        B[place[~flipped]] = A[~flipped]
        B[place[flipped]] -= A[flipped]
        return B, A.dtype.type(1.0 + self.slope) * A[flipped].sum(axis=0)

    def spread(self, C: Matrix, whole: Vector) -> Matrix:
        """(k, q): what the D_j give, where the kept ones give C (kept, q) and the identity ``whole`` (q,)."""
        if self.pairs is None:
            return C
        place, flipped = self.pairs
        return np.where(flipped[:, None], C.dtype.type(1.0 + self.slope) * whole - C[place], C[place])

    def _whole(self, dtype: Any) -> Any:
        """All rows, unpacked when they are first asked for."""
        if dtype not in self._unpacked:
            self._unpacked[dtype] = self._unpack(slice(0, self.n), dtype)
        return self._unpacked[dtype]

    def _unpack(self, rows: slice, dtype: Any) -> Any:
        xp = self.device.xp
        table = self.device.put(np.where(BYTES, 1.0, self.slope), dtype)
        codes = xp.astype(self._bits[:, rows.start // 8 : -(-rows.stop // 8)], xp.int64)
        D = xp.reshape(xp.take(table, xp.reshape(codes, (-1,)), axis=0), (self.kept, 8 * codes.shape[1]))
        return D[:, : rows.stop - rows.start]

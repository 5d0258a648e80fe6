"""Products with masked data: the hot kernel of every program over activation patterns."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from bidual.operators.bits import Bits
from bidual.operators.device import Device
from bidual.typing import Masks, Matrix, Outputs, Rows, Vector

ROWS = 512
"""Rows of one block: its masks, unpacked, and its products stay in the second-level cache."""

DEVICE_ENTRIES = 2**26
"""Entries of one block on a device without such a cache, where starting a product costs more."""

Which = NDArray[np.intp] | None
"""The patterns that take part; None: all."""


@final
class MaskedData:
    """The n x pP matrix ``[D_1 X, ..., D_P X]``, never formed: D_j holds 1 on mask j and ``slope`` off it.

    A mask is an operand of one matrix product, so that all patterns cost one BLAS call for each block of rows; masks
    are kept as bits, pattern by pattern, and unpacked block by block. Complementary masks share one pass: where D_j is
    the diagonal of a mask, that of its complement is ``(1 + slope) I - D_j``. Products are in the precision of their
    operand. ``flops`` counts floating-point operations, those in double precision twice.

    Operands and products are NumPy arrays, but for :meth:`columns` and :meth:`rows`, as large as X: these stay on the
    ``device``, where all products run. X is never copied beyond ``spare`` bytes, the room for what can be computed
    again; what does not fit is converted block by block.

    X : (n, p), masks : (n, P) bool, or their bits.
    """

    def __init__(self, X: Rows, masks: Masks | Bits, slope: float = 0.0, device: str = "cpu", spare: float = inf):
        bits = Bits.of(masks)
        self.shape = (X.shape[0], X.shape[1], bits.shape[1])
        self.slope, self.flops, self.device, self.spare = slope, 0.0, Device(device), spare
        kept, self._base, self._flipped = bits.pairs
        self._bits = self.device.put(bits.packed[kept])
        self._source = X
        self._copies: dict[str, Any] = {}
        each = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
        self._slopes_of_byte = np.where(each, 1.0, slope)

    def forward(self, U: Matrix, which: Which = None) -> Outputs:
        """(n, c): ``sum_j D_j X U_j``, U (k, p, c) on the patterns ``which`` (k,)."""
        xp, (k, p, c) = self.device.xp, U.shape
        base, place, flipped = self._pairs(which)
        A, rest = self._merge(U.reshape(k, p * c), place, flipped)
        A, rest = self.device.put(A), self.device.put(rest.reshape(p, c))
        parts = []
        for rows, D in self._blocks(U.dtype, base):
            G = xp.reshape(D.T @ A, (-1, p, c)) + rest
            parts.append(xp.vecdot(self.rows(rows, U.dtype)[:, :, None], G, axis=-2))
        self._count(A.shape[0], c, U.dtype)
        return self.device.get(xp.concat(parts))

    def adjoint(self, R: Outputs, which: Which = None) -> Matrix:
        """(k, p, c): ``X'D_j R``, R (n, c)."""
        xp, p, c = self.device.xp, self.shape[1], R.shape[1]
        base, place, flipped = self._pairs(which)
        values, both = self.device.put(R), bool(flipped.any())
        C: Any = 0.0
        whole: Any = 0.0
        for rows, D in self._blocks(R.dtype, base):
            XR = xp.reshape(self.rows(rows, R.dtype)[:, :, None] * values[rows, None, :], (-1, p * c))
            C = C + D @ XR
            whole = whole + xp.sum(XR, axis=0) if both else whole
        self._count(C.shape[0] + both, c, R.dtype)
        each = self.device.get(C)[place]
        if both:
            others = R.dtype.type(1.0 + self.slope) * self.device.get(whole) - each
            each = np.where(flipped[:, None], others, each)
        return each.reshape(-1, p, c)

    def columns(self, U: Matrix, which: Which = None) -> Iterator[tuple[slice, Any]]:
        """Blocks of rows with their (rows, k) on the device: column j is ``D_j X u_j``, U (k, p)."""
        xp = self.device.xp
        base, place, flipped = self._pairs(which)
        W = self.device.put(U)
        sign, shift = (self.device.put(v.astype(U.dtype)) for v in (1 - 2 * flipped, (1.0 + self.slope) * flipped))
        places = self.device.put(place)
        self._count(U.shape[0], 1, U.dtype)
        for rows, D in self._blocks(U.dtype, base):
            yield rows, (self.rows(rows, U.dtype) @ W.T) * (xp.take(D, places, axis=0).T * sign + shift)

    def mask_sum(self, a: Matrix, which: Which = None) -> Matrix:
        """(n, c): ``sum_j diag(D_j) a_j``, a (k, c)."""
        xp = self.device.xp
        base, place, flipped = self._pairs(which)
        A, rest = (self.device.put(v) for v in self._merge(a, place, flipped))
        return self.device.get(xp.concat([D.T @ A + rest for _, D in self._blocks(a.dtype, base)]))

    def squared_lengths(self) -> Vector:
        """(n,): ``||x_i||^2``."""
        return np.vecdot(self._source, self._source)

    def rows(self, rows: slice, dtype: Any) -> Any:
        """(rows, p) on the device: a block of X in the given precision."""
        name, X = np.dtype(dtype).name, self._source
        if name not in self._copies:
            ready = self.device.name == "cpu" and X.dtype == dtype and X.flags.c_contiguous
            size = 0.0 if ready else float(X.size * np.dtype(dtype).itemsize)
            if size > self.spare:
                return self.device.put(np.ascontiguousarray(X[rows]), dtype)
            self.spare -= size
            self._copies[name] = self.device.put(np.ascontiguousarray(X), dtype)
        return self._copies[name][rows, :]

    def _pairs(self, which: Which) -> tuple[Which, NDArray[np.intp], NDArray[np.bool_]]:
        """(base, place, flipped): pattern j of ``which`` is number ``place[j]`` of the kept masks ``base``, or its
        complement."""
        if which is None:
            return None, self._base, self._flipped
        taken, places = np.zeros(self._bits.shape[0], dtype=bool), self._base[which]
        taken[places] = True
        return np.flatnonzero(taken), (np.cumsum(taken) - 1)[places], self._flipped[which]

    def _merge(self, A: Matrix, place: NDArray[np.intp], flipped: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
        """(B, m) and (m,), with ``sum_j D_j A_j = sum_b D_b merged_b + rest`` over the kept masks b."""
        merged = np.zeros((int(place.max(initial=-1)) + 1, A.shape[1]), A.dtype)
        merged[place[~flipped]] = A[~flipped]
        merged[place[flipped]] -= A[flipped]
        return merged, A.dtype.type(1.0 + self.slope) * A[flipped].sum(axis=0)

    def _blocks(self, dtype: Any, base: Which) -> Iterator[tuple[slice, Any]]:
        """Blocks of rows, always the same, with their D (B, rows)."""
        xp, n = self.device.xp, self.shape[0]
        bits = self._bits if base is None else xp.take(self._bits, self.device.put(base), axis=0)
        step = ROWS
        if self.device.name != "cpu":
            step = max(ROWS, DEVICE_ENTRIES // max(self._bits.shape[0], self.shape[1]) // 8 * 8)
        table = self.device.put(self._slopes_of_byte, dtype)
        for start in range(0, n, step):
            stop = min(start + step, n)
            codes = xp.astype(bits[:, start // 8 : -(-stop // 8)], xp.int64)
            D = xp.reshape(xp.take(table, xp.reshape(codes, (-1,)), axis=0), (bits.shape[0], 8 * codes.shape[1]))
            yield slice(start, stop), D[:, : stop - start]

    def _count(self, k: int, c: int, dtype: Any) -> None:
        n, p, _ = self.shape
        self.flops += 2.0 * n * p * k * c * np.dtype(dtype).itemsize / 4.0

"""Products with masked data: the hot kernel of every program over activation patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from math import inf
from typing import Any, final

import numpy as np

from bidual.operators.bits import Bits
from bidual.operators.blocks import row_blocks
from bidual.operators.device import Device
from bidual.operators.diagonals import Diagonals
from bidual.typing import Masks, Matrix, Outputs, Places, Rows, Vector

ROWS = 512
"""Rows of one block: its masks, unpacked, and its products stay in the second-level cache."""

DEVICE_ENTRIES = 2**26
"""Entries of one block on a device without such a cache, where starting a product costs more."""

Means = Callable[[slice, int], Any]
"""(p, rows) on the device: a block of rows of the mean masked data of an output."""


LENGTHS = 2**24
"""Entries of the products that are held at a time where only their lengths matter."""


@final
class MaskedData:
    """The n x pP matrix ``[D_1 X, ..., D_P X]``, never formed: D_j holds 1 on mask j and ``slope`` off it.

    A mask is an operand of one matrix product, so that all patterns cost one BLAS call for each block of rows. Products
    are with all ``diagonals``, or ``some`` that were taken from them, in the precision of their operand. ``flops``
    counts floating-point operations, those in double precision twice.

    Operands and products are NumPy arrays, but for :meth:`columns` and :meth:`rows`, as large as X: these stay on the
    ``device``, where all products run. X is never copied beyond ``spare`` bytes, the room for what can be computed
    again; what does not fit is converted block by block.

    X : (n, p), masks : (n, P) bool, or their bits.
    """

    joint = False
    """Products cost as much for one output as for all."""

    def __init__(self, X: Rows, masks: Masks | Bits, slope: float = 0.0, device: str = "cpu", spare: float = inf):
        bits = Bits.of(masks)
        self.shape = (X.shape[0], X.shape[1], bits.shape[1])
        self.flops, self.device, self.spare = 0.0, Device(device), spare
        widest = max(bits.pairs[0].size, X.shape[1])
        step = ROWS if device == "cpu" else max(ROWS, DEVICE_ENTRIES // widest // 8 * 8)
        self.diagonals = Diagonals.of(bits, slope, step, self.device)
        self._source = X
        self._copies: dict[Any, Any] = {}

    def forward(self, U: Matrix, some: Diagonals | None = None) -> Outputs:
        """(n, c): ``sum_j D_j X U_j``, U (k, p, c)."""
        xp, (k, p, c), masks = self.device.xp, U.shape, some or self.diagonals
        A, rest = (self.device.put(v) for v in masks.merge(U.swapaxes(1, 2).reshape(k, c * p)))
        parts = []
        for rows, D in masks.blocks(U.dtype):
            G = xp.reshape(D.T @ A + rest, (-1, c, p))
            parts.append(xp.vecdot(self.rows(rows, U.dtype)[:, None, :], G))
        self._count(masks.kept, c, U.dtype)
        return self.device.get(xp.concat(parts))

    def adjoint(self, R: Outputs, some: Diagonals | None = None) -> Matrix:
        """(k, p, c): ``X'D_j R``, R (n, c)."""
        xp, p, c, masks = self.device.xp, self.shape[1], R.shape[1], some or self.diagonals
        values, C, whole = self.device.put(R), 0.0, 0.0
        for rows, D in masks.blocks(R.dtype):
            XR = xp.reshape(values[rows, :, None] * self.rows(rows, R.dtype)[:, None, :], (-1, c * p))
            C = C + D @ XR
            whole = whole if masks.pairs is None else whole + xp.sum(XR, axis=0)
        self._count(masks.kept + (masks.pairs is not None), c, R.dtype)
        each = masks.spread(self.device.get(C), self.device.get(whole))
        return each.reshape(-1, c, p).swapaxes(1, 2)

    def forward_each(self, W: Matrix, masks: Diagonals, output: Places, c: int) -> Outputs:
        """(n, c): column k is the sum of ``D_i X w_i`` over the i of output k, W (B, p), on B diagonals."""
        xp, which = self.device.xp, self.device.put(np.equal(np.arange(c)[:, None], output), W.dtype)
        return self.device.get(xp.concat([(which @ E).T for _, E in self.columns(W, masks)]))

    def adjoint_each(self, R: Outputs, masks: Diagonals, output: Places) -> Matrix:
        """(B, p): row i is ``X'D_i R_k``, k the output of i, on B diagonals."""
        xp, values, which, C = self.device.xp, self.device.put(R.T.copy()), self.device.put(output), 0.0
        for rows, D in masks.blocks(R.dtype):
            each = masks.each(D, R.dtype) * xp.take(values[:, rows], which, axis=0)
            C = C + each @ self.rows(rows, R.dtype)
        self._count(masks.count, 1, R.dtype)
        return self.device.get(C)

    def lengths(self, R: Outputs) -> Matrix:
        """(P, c): the 2-norms of the columns of every ``X'D_j R``, some patterns at a time; R (n, c)."""
        P, c, pairs = self.shape[2], R.shape[1], self.diagonals.pairs
        order = np.arange(P) if pairs is None else np.argsort(pairs[0], kind="stable")  # complements stay together
        found = np.empty((P, c))
        step = max(1, LENGTHS // (self.shape[1] * c))
        for begin in range(0, P, step):
            which = order[begin : begin + step]
            C = self.adjoint(R, self.diagonals.take(which)).swapaxes(1, 2)
            found[which] = np.sqrt(np.vecdot(C, C))
        return found

    def single_error(self, R: Outputs) -> Vector:
        """(c,): how far :meth:`lengths` of R in single precision are off at most, inf where that says nothing.

        Entries are sums of n products, in whatever order, of factors rounded once, and maybe differences of two; the
        length of p of them is off by no more than p roundings.
        """
        (n, p, _), unit = self.shape, float(np.finfo(np.float32).eps)
        if (n + p + 8.0) * unit > 0.1:
            return np.full(R.shape[1], np.inf)
        most = np.zeros((p, R.shape[1]))
        for rows in row_blocks(n, p):
            most += np.abs(self._source[rows]).T @ np.abs(R[rows])
        underflow = 8.0 * n * p * float(np.finfo(np.float32).tiny)
        return 1.25 * (n + p + 8.0) * unit * np.linalg.norm(most, axis=0) + underflow

    def columns(self, U: Matrix, some: Diagonals | None = None) -> Iterator[tuple[slice, Any]]:
        """Blocks of rows with their (k, rows) on the device: row j is ``D_j X u_j``, U (k, p)."""
        W, masks = self.device.put(U), some or self.diagonals
        self._count(U.shape[0], 1, U.dtype)
        for rows, D in masks.blocks(U.dtype):
            yield rows, (W @ self.rows(rows, U.dtype).T) * masks.each(D, U.dtype)

    def mask_sum(self, a: Matrix, some: Diagonals | None = None) -> Matrix:
        """(n, c): ``sum_j diag(D_j) a_j``, a (k, c)."""
        masks = some or self.diagonals
        A, rest = (self.device.put(v) for v in masks.merge(a))
        return self.device.get(self.device.xp.concat([D.T @ A + rest for _, D in masks.blocks(a.dtype)]))

    @property
    def energy(self) -> float:
        """``||X||_F^2``: twice the mean of ``||D_j X||_F^2`` over masks that are open on half of the rows."""
        return float(self.squared_lengths.sum())

    @cached_property
    def squared_lengths(self) -> Vector:
        """(n,): ``||x_i||^2``."""
        return np.vecdot(self._source, self._source)

    def rows(self, rows: slice, dtype: Any) -> Any:
        """(rows, p) on the device: a block of X in the given precision."""
        kind, X = np.dtype(dtype), self._source
        if kind not in self._copies:
            ready = self.device.name == "cpu" and X.dtype == kind and X.flags.c_contiguous
            size = 0.0 if ready else float(X.size * kind.itemsize)
            if size > self.spare:
                return self.device.put(np.ascontiguousarray(X[rows]), kind)
            self.spare -= size
            self._copies[kind] = self.device.put(np.ascontiguousarray(X), kind)
        return self._copies[kind][rows, :]

    def _count(self, k: int, c: int, dtype: Any) -> None:
        n, p, _ = self.shape
        self.flops += 2.0 * n * p * k * c * np.dtype(dtype).itemsize / 4.0

"""Products with masked data: the hot kernel of every program over activation patterns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from bidual.typing import Masks, Matrix, Outputs, Rows, Vector

ROWS = 512
"""Rows of one block: its masks, unpacked, and its products stay in the second-level cache."""

Which = NDArray[np.intp] | None
"""The patterns that take part; None: all."""


@final
class MaskedData:
    """The n x pP matrix ``[D_1 X, ..., D_P X]``, never formed: D_j holds 1 on mask j and ``slope`` off it.

    A mask is an operand of one matrix product, so that all patterns cost one BLAS call for each block of rows; masks
    are kept as bits, pattern by pattern, and unpacked block by block. Products are in the precision of their operand.
    ``flops`` counts floating-point operations, those in double precision twice.

    X : (n, p), masks : (n, P) bool.
    """

    def __init__(self, X: Rows, masks: Masks, slope: float = 0.0):
        self.shape = (X.shape[0], X.shape[1], masks.shape[1])
        self.slope, self.flops = slope, 0.0
        self._X: dict[str, Any] = {"float64": np.ascontiguousarray(X, dtype=np.float64)}
        self._bits = np.packbits(masks, axis=0).T.copy()

    def forward(self, U: Matrix, which: Which = None) -> Outputs:
        """(n, c): ``sum_j D_j X U_j``, U (k, p, c) on the patterns ``which`` (k,)."""
        n, p, _ = self.shape
        k, _, c = U.shape
        X, A, F = self.rows(U.dtype), U.reshape(k, p * c), np.empty((n, c), U.dtype)
        for rows, D in self._blocks(U.dtype, which):
            F[rows] = np.einsum("np,npc->nc", X[rows], (D.T @ A).reshape(-1, p, c))
        self._count(k, c, U.dtype)
        return F

    def adjoint(self, R: Outputs, which: Which = None) -> Matrix:
        """(k, p, c): ``X'D_j R``, R (n, c)."""
        n, p, P = self.shape
        c, k = R.shape[1], P if which is None else which.size
        X, C = self.rows(R.dtype), np.zeros((k, p * c), R.dtype)
        for rows, D in self._blocks(R.dtype, which):
            C += D @ (X[rows, :, None] * R[rows, None, :]).reshape(-1, p * c)
        self._count(k, c, R.dtype)
        return C.reshape(k, p, c)

    def columns(self, U: Matrix, which: Which = None) -> Matrix:
        """(n, k): column j is ``D_j X u_j``, U (k, p)."""
        n, k = self.shape[0], U.shape[0]
        X, columns = self.rows(U.dtype), np.empty((n, k), U.dtype)
        for rows, D in self._blocks(U.dtype, which):
            columns[rows] = (X[rows] @ U.T) * D.T
        self._count(k, 1, U.dtype)
        return columns

    def mask_sum(self, a: Matrix, which: Which = None) -> Matrix:
        """(n, c): ``sum_j diag(D_j) a_j``, a (k, c)."""
        total = np.empty((self.shape[0], a.shape[1]), a.dtype)
        for rows, D in self._blocks(a.dtype, which):
            total[rows] = D.T @ a
        return total

    def squared_lengths(self) -> Vector:
        """(n,): ``||x_i||^2``."""
        return np.einsum("np,np->n", self._X["float64"], self._X["float64"])

    def rows(self, dtype: Any) -> Matrix:
        """(n, p): X in the given precision."""
        name = np.dtype(dtype).name
        if name not in self._X:
            self._X[name] = self._X["float64"].astype(dtype)
        return self._X[name]

    def _blocks(self, dtype: Any, which: Which) -> Iterator[tuple[slice, Matrix]]:
        """Blocks of rows with their D (k, rows)."""
        n = self.shape[0]
        for start in range(0, n, ROWS):
            stop = min(start + ROWS, n)
            bits = self._bits[:, start // 8 : -(-stop // 8)]
            bits = bits if which is None else bits[which]
            D = np.unpackbits(bits, axis=1, count=stop - start).astype(dtype)
            yield slice(start, stop), np.where(D, D, D.dtype.type(self.slope)) if self.slope else D

    def _count(self, k: int, c: int, dtype: Any) -> None:
        n, p, _ = self.shape
        self.flops += 2.0 * n * p * k * c * np.dtype(dtype).itemsize / 4.0

"""An approximate inverse of the Newton matrix of a program over patterns, in the space of the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from bidual.operators.masked import MaskedData
from bidual.typing import Matrix, Outputs


class MeanField:
    """The inverse of ``diag(h) + sum_j a_j D_j X X'D_j + sum_j r_j e_j e_j' + w 1 1'``, ``e_j = D_j X u_j``, for each
    output, with the masks of the first sum replaced by their weighted mean and, on the diagonal, their variance:

        ``sum_j a_j D_j X X'D_j  ~  (sum a) M X X'M + diag(||x_i||^2 (sum a) m_i (1 - m_i))``,

    ``m = sum_j a_j d_j / sum a`` and M = diag(m).

    What remains is a diagonal and few columns (Woodbury).

    h (n, c), a (k, c) and r (k, c) nonnegative, U (k, p, c) on the patterns ``which`` (k,).
    """

    def __init__(
        self,
        data: MaskedData,
        which: NDArray[np.intp],
        h: Outputs,
        a: Matrix,
        r: Matrix,
        U: Matrix,
        constant: float,
    ):
        X, rows = data.rows(np.float32), data.squared_lengths()
        masks = data.mask_sum(a.astype(np.float32), which)
        total = a.sum(axis=0)
        mean = masks / np.where(total > 0.0, total, 1.0).astype(np.float32)
        diagonal = np.minimum(h, 1e30) + rows[:, None] * masks * (1.0 - mean)
        self.root = (1.0 / np.sqrt(diagonal)).astype(np.float32)
        self.columns: list[NDArray[np.floating]] = []
        for k in range(h.shape[1]):
            active = np.flatnonzero(a[:, k] > 0.0)
            radial = data.columns(np.ascontiguousarray(U[active, :, k], dtype=np.float32), which[active])
            parts = [np.sqrt(total[k]) * mean[:, k : k + 1] * X, radial * np.sqrt(r[active, k])]
            if constant > 0.0:
                parts.append(np.full((X.shape[0], 1), np.sqrt(constant)))
            self.columns.append(self.root[:, k : k + 1] * np.hstack(parts).astype(np.float32))
            data.flops += X.shape[0] * self.columns[-1].shape[1] ** 2
        self.factors = [cho_factor(np.eye(B.shape[1]) + (B.T @ B).astype(np.float64)) for B in self.columns]

    def __call__(self, R: Outputs) -> Outputs:
        """(n, c): the approximate inverse times R, in single precision."""
        Y = self.root * R
        for k, (B, factor) in enumerate(zip(self.columns, self.factors, strict=True)):
            Y[:, k] -= B @ cho_solve(factor, B.T @ Y[:, k], check_finite=False).astype(np.float32)
        return self.root * Y

"""An approximate inverse of the Newton matrix of a program over patterns, in the space of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cho_factor, cho_solve

from bidual.operators.masked import MaskedData
from bidual.typing import Matrix, Outputs

Blocks = Iterable[tuple[slice, Any]]
"""Blocks of rows with their columns, on the device."""


class MeanField:
    """The inverse of ``diag(h) + sum_j a_j D_j X X'D_j + sum_j r_j e_j e_j' + w 1 1'``, ``e_j = D_j X u_j``, for each
    output, with the masks of the first sum replaced by their weighted mean and, on the diagonal, their variance:

        ``sum_j a_j D_j X X'D_j  ~  (sum a) M X X'M + diag(||x_i||^2 (sum a) m_i (1 - m_i))``,

    ``m = sum_j a_j d_j / sum a`` and M = diag(m).

    What remains is a diagonal and few columns: n (p + k) numbers for each output, which are computed again at every
    use where the data have no room for them. Woodbury's identity needs a matrix of the number of columns. If
    ``centred``, the inverse is that on the R whose rows sum to 0, where the outputs meet in one such matrix; else each
    output has its own.

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
        centred: bool = False,
    ):
        self.data, self.which, self.a, self.r, self.U, self.constant = data, which, a, r, U, constant
        n, c = h.shape
        masks = data.mask_sum(a.astype(np.float32), which)
        self.total = a.sum(axis=0)
        self.mean = masks / np.where(self.total > 0.0, self.total, 1.0).astype(np.float32)
        diagonal = h + data.squared_lengths()[:, None] * masks * (1.0 - self.mean)
        self.root = (1.0 / np.sqrt(diagonal)).astype(np.float32)
        # In the space scaled by root, the vectors whose rows sum to 0 are those off this normal.
        self.normal = self.root / np.linalg.norm(self.root, axis=1, keepdims=True) if centred else None
        numbers = n * (c * (data.shape[1] + 1) + np.count_nonzero(a))
        self.stored = [list(self._compute(k)) for k in range(c)] if 4.0 * numbers <= data.spare else None
        self.groups = [range(c)] if centred else [range(k, k + 1) for k in range(c)]
        self.factors = [cho_factor(self._inner(group)) for group in self.groups]

    def __call__(self, R: Outputs) -> Outputs:
        """(n, c): the approximate inverse times R, in single precision."""
        device, Y = self.data.device, self._project(self.root * R)
        explained = np.empty_like(Y)
        for group, factor in zip(self.groups, self.factors, strict=True):
            y = device.put(Y)
            inner = [device.get(sum(B.T @ y[rows, k] for rows, B in self._columns(k))) for k in group]
            z = cho_solve(factor, np.concatenate(inner), check_finite=False)
            ends = np.cumsum([part.size for part in inner])[:-1]
            for k, part in zip(group, np.split(z, ends), strict=True):
                t = device.put(part, np.float32)
                for rows, B in self._columns(k):
                    explained[rows, k] = device.get(B @ t)
        return self.root * (Y - self._project(explained))

    def _project(self, Y: Outputs) -> Outputs:
        return Y if self.normal is None else Y - self.normal * np.sum(self.normal * Y, axis=1, keepdims=True)

    def _columns(self, k: int) -> Blocks:
        """Blocks of rows of the columns of output k, on the device."""
        return self._compute(k) if self.stored is None else self.stored[k]

    def _compute(self, k: int) -> Iterator[tuple[slice, Any]]:
        data, active = self.data, np.flatnonzero(self.a[:, k] > 0.0)
        put, root = data.device.put, self.root[:, k : k + 1]
        U = self.U[active, :, k] * np.sqrt(self.r[active, k])[:, None]
        centre, root = put(root * self.mean[:, k : k + 1] * np.sqrt(self.total[k]), np.float32), put(root)
        for rows, E in data.columns(U.astype(np.float32), self.which[active]):
            parts = [centre[rows, :] * data.rows(rows, np.float32), root[rows, :] * E]
            if self.constant > 0.0:
                parts.append(root[rows, :] * float(np.sqrt(self.constant)))
            yield rows, data.device.xp.concat(parts, axis=1)

    def _inner(self, group: range) -> Matrix:
        """``I + blockdiag(B_k'B_k)`` for the columns B_k of a group of outputs, less what the projection takes."""
        xp, grams, taken = self.data.device.xp, [0.0] * len(group), 0.0
        for blocks in zip(*(self._columns(k) for k in group), strict=True):
            rows = blocks[0][0]
            for i, (_, B) in enumerate(blocks):
                grams[i] = grams[i] + xp.astype(B.T @ B, xp.float64)
            parts = [B for _, B in blocks]
            if self.normal is not None:
                normal = self.data.device.put(self.normal[rows])
                along = xp.concat([normal[:, k : k + 1] * B for k, B in zip(group, parts, strict=True)], axis=1)
                taken = taken + xp.astype(along.T @ along, xp.float64)
            size = sum(B.shape[1] ** 2 for B in parts) + (0 if self.normal is None else along.shape[1] ** 2)
            self.data.flops += (rows.stop - rows.start) * size
        inner = block_diag(*(self.data.device.get(gram) for gram in grams))
        lifted = 1.0 + np.finfo(np.float32).eps * np.trace(inner)  # positive definite in spite of rounding
        return inner - self.data.device.get(taken) + lifted * np.eye(len(inner))

"""An approximate inverse of the Newton matrix of a program over patterns, in the space of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from bidual.operators.diagonals import Diagonals
from bidual.operators.pooled import Products
from bidual.solvers.inner.woodbury import Cholesky
from bidual.typing import Matrix, Outputs

Blocks = Iterable[tuple[slice, Any]]
"""Blocks of rows with their columns B' (p + k, rows), on the device."""


class MeanField:
    """The inverse of ``diag(h) + sum_j a_j D_j X X'D_j + sum_j r_j e_j e_j' + w 1 1'``, ``e_j = D_j X u_j``, for each
    output, with the masks of the first sum replaced by their weighted mean and, on the diagonal, their variance:

        ``sum_j a_j D_j X X'D_j  ~  (sum a) M X X'M + diag(||x_i||^2 (sum a) m_i (1 - m_i))``,

    ``m = sum_j a_j d_j / sum a`` and M = diag(m).

    What remains is a diagonal and few columns: n (p + k) numbers for each output, which are computed again at every
    use where the data have no room for them. Woodbury's identity needs a matrix of the number of columns. If
    ``centred``, the inverse is that on the R whose rows sum to 0, where the outputs meet in one such matrix; else each
    output has its own.

    h (n, c), a (k, c) and r (k, c) nonnegative, U (k, p, c) in single precision, on k diagonals.
    """

    def __init__(
        self,
        data: Products,
        masks: Diagonals,
        h: Outputs,
        a: Matrix,
        r: Matrix,
        U: Matrix,
        constant: float,
        centred: bool = False,
    ):
        self.data, self.masks, self.a, self.r, self.U, self.constant = data, masks, a, r, U, constant
        n, c = h.shape
        variance, self.means = data.mean_field(a, masks)
        self.total = a.sum(axis=0)
        self.root = (1.0 / np.sqrt(h + variance)).astype(np.float32)
        # In the space scaled by root, the vectors whose rows sum to 0 are those off this normal.
        self.normal = self.root / np.linalg.norm(self.root, axis=1, keepdims=True) if centred else None
        numbers = n * (c * (data.shape[1] + 1) + np.count_nonzero(a))
        self.stored = [list(self._compute(k)) for k in range(c)] if 4.0 * numbers <= data.spare else None
        self.groups = [range(c)] if centred else [range(k, k + 1) for k in range(c)]
        self.factors = [Cholesky(self._inner(group)) for group in self.groups]

    def __call__(self, R: Outputs) -> Outputs:
        """(n, c): the approximate inverse times R, in single precision."""
        device, Y = self.data.device, self._project(self.root * R)
        explained, y = np.empty_like(Y), device.put(Y)
        for group, factor in zip(self.groups, self.factors, strict=True):
            inner = [device.get(sum(B @ y[rows, k] for rows, B in self._columns(k))) for k in group]
            z, begin = factor.solve(np.concatenate(inner)), 0
            for k, part in zip(group, inner, strict=True):
                t, begin = device.put(z[begin : begin + part.size], np.float32), begin + part.size
                for rows, B in self._columns(k):
                    explained[rows, k] = device.get(t @ B)
        return self.root * (Y - self._project(explained))

    def _project(self, Y: Outputs) -> Outputs:
        return Y if self.normal is None else Y - self.normal * np.sum(self.normal * Y, axis=1, keepdims=True)

    def _columns(self, k: int) -> Blocks:
        """Blocks of rows of the columns of output k, on the device."""
        return self._compute(k) if self.stored is None else self.stored[k]

    def _compute(self, k: int) -> Iterator[tuple[slice, Any]]:
        data, put = self.data, self.data.device.put
        active = np.flatnonzero(self.a[:, k])
        masks = self.masks if active.size == len(self.a) else self.masks.take(active)
        U = self.U[active, :, k] * np.sqrt(self.r[active, k])[:, None]
        centre, root = put(self.root[:, k] * np.sqrt(self.total[k])), put(self.root[:, k])
        for rows, E in data.columns(U, masks):
            parts = [centre[rows] * self.means(rows, k), root[rows] * E]
            if self.constant > 0.0:
                parts.append(root[None, rows] * float(np.sqrt(self.constant)))
            yield rows, data.device.xp.concat(parts)

    def _inner(self, group: range) -> Matrix:
        """``I + blockdiag(B_k'B_k)`` for the columns B_k of a group of outputs, less what the projection takes."""
        xp, get, grams, taken = self.data.device.xp, self.data.device.get, [0.0] * len(group), 0.0
        for blocks in zip(*(self._columns(k) for k in group), strict=True):
            rows = blocks[0][0]
            for i, (_, B) in enumerate(blocks):
                grams[i] = grams[i] + xp.astype(B @ B.T, xp.float64)
            parts = [B for _, B in blocks]
            if self.normal is not None:
                normal = self.data.device.put(self.normal[rows])
                along = xp.concat([normal[:, k] * B for k, B in zip(group, parts, strict=True)])
                taken = taken + xp.astype(along @ along.T, xp.float64)
            size = sum(B.shape[0] ** 2 for B in parts) + (0 if self.normal is None else along.shape[0] ** 2)
            self.data.flops += (rows.stop - rows.start) * size
        inner = _block_diagonal([get(gram) for gram in grams])
        diagonal = np.einsum("ii->i", inner)
        diagonal += 1.0 + np.finfo(np.float32).eps * diagonal.sum()  # positive definite in spite of rounding
        return inner - get(taken)


def _block_diagonal(blocks: list[Matrix]) -> Matrix:
    size, begin = sum(len(block) for block in blocks), 0
    whole = np.zeros((size, size))
    for block in blocks:
        end = begin + len(block)
        whole[begin:end, begin:end], begin = block, end
    return whole

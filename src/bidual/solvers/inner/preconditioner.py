"""An approximate inverse of the Newton matrix of a program over patterns, in the space of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, final

import numpy as np

from bidual.operators.blocks import row_blocks
from bidual.operators.masked import MaskedData, Means
from bidual.operators.pooled import PooledData, Products
from bidual.solvers.inner.active_blocks import ActiveBlocks
from bidual.solvers.inner.woodbury import Cholesky
from bidual.typing import Matrix, Outputs, Vector

Blocks = Iterable[tuple[slice, Any]]
"""Blocks of rows with their columns B' (p + k, rows), on the device."""


LEADING = 128
"""Directions of the data that count one by one, where there are more than twice as many."""


@final
class Leading:
    """``X X'`` as the sum of ``Z Z'``, Z (n, q), and a rest that is known by its diagonal: X itself, or its products
    with the :data:`LEADING` directions in which it is largest, by subspace iteration from a fixed start (Halko,
    Martinsson & Tropp 2011)."""

    def __init__(self, data: MaskedData):
        n, p, _ = data.shape
        self.data, self.columns, self.rest = data, None, np.zeros(n)
        self.count, size = p, 4.0 * n * LEADING
        if p <= 2 * LEADING or size > data.spare:
            return
        data.spare -= size
        Q: Any = np.random.default_rng(0).standard_normal((p, LEADING)).astype(np.float32)
        for _ in range(3):
            image: Any = self._image(self._products(Q))
            Q = np.linalg.qr(image)[0]
        self.columns, self.count = self._products(Q), LEADING
        self.rest = np.maximum(data.squared_lengths - np.vecdot(self.columns, self.columns), 0.0)

    def mean_field(self, blocks: ActiveBlocks, a: Vector) -> tuple[Outputs, Means]:
        """For each output k, with the weights a_i (B,) of its blocks, the weighted mean M_k Z and, (n, c), the
        variance: the sums of ``a_i ||(D_i - M_k) x||^2`` for masks of slope 0, and of what Z leaves of M_k x."""
        data = self.data
        sums = np.hstack([data.mask_sum(a[own, None], masks) for own, masks in blocks.of_outputs])
        total = np.array([a[own].sum() for own, _ in blocks.of_outputs], a.dtype)
        mean = sums / np.where(total > 0.0, total, np.float32(1.0))

        def means(rows: slice, k: int) -> Any:
            return data.device.put(mean[rows, k]) * self.rows(rows).T

        return sums * (data.squared_lengths[:, None] * (1.0 - mean) + self.rest[:, None] * mean), means

    def rows(self, rows: slice) -> Any:
        """(rows, q) on the device: a block of Z, in single precision."""
        return self.data.rows(rows, np.float32) if self.columns is None else self.data.device.put(self.columns[rows])

    def _products(self, Q: Matrix) -> Matrix:
        device = self.data.device
        return device.get(device.xp.concat([X @ device.put(Q) for _, X in self._blocks()]))

    def _image(self, Z: Matrix) -> Matrix:
        device = self.data.device
        return device.get(sum(X.T @ device.put(Z[rows]) for rows, X in self._blocks()))

    def _blocks(self) -> Iterator[tuple[slice, Any]]:
        n = self.data.shape[0]
        return ((rows, self.data.rows(rows, np.float32)) for rows in row_blocks(n, self.data.shape[1]))


@final
class Pooled:
    """Pooled features, whose mean and variance over masks are computed as they are."""

    def __init__(self, data: PooledData):
        self.data, self.count = data, data.shape[1]

    def mean_field(self, blocks: ActiveBlocks, a: Vector) -> tuple[Outputs, Means]:
        """For each output, the weighted mean of its blocks' features, and their variance (n, c)."""
        masks, weights = blocks.of_patterns(a)
        return self.data.mean_field(weights, masks)


Moments: TypeAlias = Leading | Pooled
"""What the mean and the variance over masks are taken of."""


def moments(data: Products) -> Moments:
    """Those of the data."""
    return Leading(data) if isinstance(data, MaskedData) else Pooled(data)


class MeanField:
    """The inverse of ``diag(h) + sum_i a_i D_i X X'D_i + sum_i r_i e_i e_i' + w 1 1'``, ``e_i = D_i X u_i``, for each
    output, with the masks of the first sum replaced by their weighted mean and, on the diagonal, their variance:

        ``sum_i a_i D_i X X'D_i  ~  (sum a) M X X'M + diag(||x||^2 (sum a) m (1 - m))``,

    ``m = sum_i a_i d_i / sum a`` and M = diag(m), and with the :class:`Leading` columns and the diagonal of the rest
    for ``X X'``; of :class:`Pooled` features, likewise.

    What remains is a diagonal and few columns, n numbers for each, which are computed again at every use where the data
    have no room for them. Woodbury's identity needs a matrix of the number of columns. If ``centred``, the inverse is
    that on the R whose rows sum to 0, where the outputs meet in one such matrix; else each output has its own.

    h (n, c), a (k,) and r (k,) nonnegative, U (k, p) in single precision, for k blocks.
    """

    def __init__(
        self,
        moments: Moments,
        blocks: ActiveBlocks,
        h: Outputs,
        a: Vector,
        r: Vector,
        U: Matrix,
        constant: float,
        centred: bool = False,
    ):
        self.data, self.blocks, self.r, self.U, self.constant = moments.data, blocks, r, U, constant
        data, (n, c) = moments.data, h.shape
        variance, self.means = moments.mean_field(blocks, a)
        self.total = np.array([a[own].sum() for own, _ in blocks.of_outputs], a.dtype)
        self.root = (1.0 / np.sqrt(h + variance)).astype(np.float32)
        # In the space scaled by root, the vectors whose rows sum to 0 are those off this normal.
        self.normal = self.root / np.linalg.norm(self.root, axis=1, keepdims=True) if centred else None
        numbers = n * (c * (moments.count + 1) + a.size)
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
        put, (own, masks) = self.data.device.put, self.blocks.of_outputs[k]
        U = self.U[own] * np.sqrt(self.r[own])[:, None]
        centre, root = put(self.root[:, k] * np.sqrt(self.total[k])), put(self.root[:, k])
        for rows, E in self.data.columns(U, masks):
            parts = [centre[rows] * self.means(rows, k), root[rows] * E]
            if self.constant > 0.0:
                parts.append(root[None, rows] * float(np.sqrt(self.constant)))
            yield rows, self.data.device.xp.concat(parts)

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

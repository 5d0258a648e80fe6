"""Products with masked patches that are pooled over each image: the kernel of convolutional programs."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, inf
from typing import Any, TypeAlias, final

import numpy as np

from bidual.operators.bits import Bits
from bidual.operators.diagonals import Diagonals
from bidual.operators.masked import MaskedData, Means
from bidual.typing import Masks, Matrix, Outputs, Rows

STORED = 2**31
"""Bytes of pooled features, in single precision, that are kept rather than computed again at every product."""

ENTRIES = 2**23
"""Entries of one block of features, and of its masks: fewer make products slower."""

Block: TypeAlias = tuple[slice, Any, Any]
"""Images, their features (images, kept, p), and those of a mask that is open everywhere (images, p), on the device."""


@final
class PooledData:
    """The n x pP matrix ``[S D_1 X, ..., S D_P X]``: S adds up the N rows of each image, times ``share``.

    The pooled features ``S D_j X`` of a block of images are one batched product, ``n N p P`` multiplications for all;
    what follows, a product of theirs with weights or outputs, has no factor N, and its cost hardly depends on the
    number of outputs. In single precision they are kept where they take no more than :data:`STORED` bytes and have
    room in ``spare``; else nothing of their size is ever formed, and every product computes them again, block of
    images by block of images.

    The methods are those of :class:`~bidual.operators.masked.MaskedData`, with n images for n rows.

    X : (n N, p), one image after the other, masks : (n N, P) bool, or their bits.
    """

    joint = True

    def __init__(
        self,
        X: Rows,
        masks: Masks | Bits,
        count: int,
        share: float = 1.0,
        slope: float = 0.0,
        device: str = "cpu",
        spare: float = inf,
    ):
        bits = Bits.of(masks)
        self.patches = MaskedData(X, bits, slope, device, spare)
        self.device, self.count, self.share = self.patches.device, count, share
        self.shape = (X.shape[0] // count, X.shape[1], bits.shape[1])
        whole = 8 // gcd(count, 8)  # images, so that a block begins with a byte of bits
        kept = bits.pairs[0].size
        step = max(whole, ENTRIES // max(kept * max(X.shape[1], count), 1) // whole * whole)
        self.diagonals = Diagonals.of(bits, slope, step * count, self.device)
        self.flops = 0.0
        self._stored: list[Block] | None = None

    @property
    def spare(self) -> float:
        """Bytes left for what can be computed again."""
        return self.patches.spare

    def forward(self, U: Matrix, some: Diagonals | None = None) -> Outputs:
        """(n, c): ``sum_j S D_j X U_j``, U (k, p, c)."""
        xp, (k, p, c), masks = self.device.xp, U.shape, some or self.diagonals
        A, rest = (self.device.put(v) for v in masks.merge(U.reshape(k, p * c)))
        A, rest = xp.reshape(A, (masks.kept * p, c)), xp.reshape(rest, (p, c))
        features = self._features(masks, U.dtype)
        parts = [xp.reshape(G, (G.shape[0], masks.kept * p)) @ A + E @ rest for _, G, E in features]
        self._count(masks.kept, c, U.dtype)
        return self.device.get(xp.concat(parts))

    def adjoint(self, R: Outputs, some: Diagonals | None = None) -> Matrix:
        """(k, p, c): ``X'D_j S'R``, R (n, c)."""
        xp, p, c, masks = self.device.xp, self.shape[1], R.shape[1], some or self.diagonals
        C: Any = 0.0
        whole: Any = 0.0
        values = self.device.put(np.ascontiguousarray(R.T))
        for images, G, E in self._features(masks, R.dtype):
            C = C + values[:, images] @ xp.reshape(G, (G.shape[0], masks.kept * p))
            whole = whole + values[:, images] @ E
        self._count(masks.kept, c, R.dtype)
        C = xp.reshape(xp.permute_dims(xp.reshape(C, (c, masks.kept, p)), (1, 2, 0)), (masks.kept, p * c))
        each = masks.spread(self.device.get(C), self.device.get(xp.reshape(whole.T, (p * c,))))
        return each.reshape(len(each), p, c)

    def lengths(self, R: Outputs) -> Matrix:
        """(P, c): the 2-norms of the columns of every ``X'D_j S'R``; R (n, c)."""
        return np.linalg.norm(self.adjoint(R), axis=1)

    def columns(self, U: Matrix, some: Diagonals | None = None) -> Iterator[tuple[slice, Any]]:
        """Blocks of images with their (k, images) on the device: row j is ``S D_j X u_j``, U (k, p)."""
        xp, W, masks = self.device.xp, self.device.put(U), some or self.diagonals
        self._count(masks.kept, 1, U.dtype)
        for images, G, E in self._features(masks, U.dtype):
            yield images, xp.vecdot(self._each(masks, G, E, U.dtype), W[None, :, :]).T

    def mean_field(self, a: Matrix, some: Diagonals | None = None) -> tuple[Outputs, Means]:
        """For each output k, with the weights a_jk (k, c) of the S D_j X, their weighted mean and, (n, c), the sums of
        the squared lengths of what it leaves of each image's features."""
        xp, masks, total = self.device.xp, some or self.diagonals, a.sum(axis=0)
        weights = self.device.put(a)
        shares = self.device.put((a / np.where(total > 0.0, total, total.dtype.type(1.0))).T)
        variances, parts = [], []
        for _, G, E in self._features(masks, a.dtype):
            each = self._each(masks, G, E, a.dtype)
            parts.append(xp.matmul(shares, each))
            variances.append(xp.vecdot(each, each) @ weights)
        means = xp.concat(parts)  # (n, c, p)
        self._count(masks.kept, a.shape[1], a.dtype)
        mean_squares = self.device.get(xp.vecdot(means, means)) * total
        variance = np.maximum(self.device.get(xp.concat(variances)) - mean_squares, 0.0)
        return variance, lambda images, k: means[images, k, :].T

    @property
    def energy(self) -> float:
        """Twice the mean of ``||S D_j X||_F^2``."""
        xp, squares = self.device.xp, 0.0
        for _, G, _ in self._features(self.diagonals, np.dtype(np.float32)):
            squares += float(xp.sum(G * G))
        return 2.0 * squares / max(self.diagonals.kept, 1)

    def _each(self, masks: Diagonals, G: Any, E: Any, dtype: Any) -> Any:
        """(images, k, p): the features of every mask, from those kept."""
        if masks.pairs is None:
            return G
        place, flipped = masks.pairs
        xp, put = self.device.xp, self.device.put
        sign, shift = (put(v, dtype)[None, :, None] for v in (1.0 - 2.0 * flipped, (1.0 + masks.slope) * flipped))
        return xp.take(G, put(place), axis=1) * sign + shift * E[:, None, :]

    def _features(self, masks: Diagonals, dtype: Any) -> Iterator[Block]:
        """Blocks of images, the same for any selection."""
        if not self._keep(np.dtype(dtype)):
            yield from self._compute(masks, dtype)
            return
        assert self._stored is not None
        every = np.array_equal(masks.places, self.diagonals.places)
        for images, G, E in self._stored:
            yield images, G if every else self.device.xp.take(G, self.device.put(masks.places), axis=1), E

    def _keep(self, dtype: Any) -> bool:
        """Whether the features of this precision are kept; they are computed when they are first asked for."""
        if dtype != np.float32:
            return False
        if self._stored is None:
            n, p, _ = self.shape
            size = 4.0 * n * p * (self.diagonals.kept + 1)
            if size > min(STORED, self.patches.spare):
                return False
            self.patches.spare -= size
            self._stored = list(self._compute(self.diagonals, dtype))
        return True

    def _compute(self, masks: Diagonals, dtype: Any) -> Iterator[Block]:
        xp, N, p = self.device.xp, self.count, self.shape[1]
        for rows, D in masks.blocks(dtype):
            X = xp.reshape(self.patches.rows(rows, dtype), (-1, N, p))
            D = xp.permute_dims(xp.reshape(D, (masks.kept, X.shape[0], N)), (1, 0, 2))
            self.flops += 2.0 * (rows.stop - rows.start) * p * masks.kept * np.dtype(dtype).itemsize / 4.0
            yield slice(rows.start // N, rows.stop // N), xp.matmul(D, X) * self.share, xp.sum(X, axis=1) * self.share

    def _count(self, k: int, c: int, dtype: Any) -> None:
        n, p, _ = self.shape
        self.flops += 2.0 * n * p * k * c * np.dtype(dtype).itemsize / 4.0


Products: TypeAlias = MaskedData | PooledData
"""The matrix of a program over patterns."""

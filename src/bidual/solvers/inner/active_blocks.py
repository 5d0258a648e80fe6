"""Products of masked data with some of the blocks, output by output."""

from __future__ import annotations

from functools import cached_property
from typing import final

import numpy as np

from bidual.operators.diagonals import Diagonals
from bidual.operators.masked import MaskedData
from bidual.operators.pooled import Products
from bidual.typing import Matrix, Outputs, Places, Vector

DENSE = 0.5
"""The share of the blocks of all patterns in use from which on all outputs share one product."""


@final
class ActiveBlocks:
    """B blocks, of weights W (B, p): block i is of pattern ``pattern[i]`` for output ``output[i]`` of c; none twice.

    Most outputs use few of the patterns that any output uses. Then a product goes over the blocks one by one, or each
    output over its own: it costs no more than the blocks.
    """

    def __init__(self, data: Products, pattern: Places, output: Places, c: int):
        self.data, self.pattern, self.output, self.c = data, pattern, output, c

    def __len__(self) -> int:
        return self.pattern.size

    def take(self, which: Places) -> ActiveBlocks:
        """Those at the given places."""
        return ActiveBlocks(self.data, self.pattern[which], self.output[which], self.c)

    def forward(self, W: Matrix) -> Outputs:
        """(n, c): column k is the sum of ``D_j X w`` over the blocks w of output k, D_j of their patterns j."""
        if self._each is not None:
            data, each = self._each
            return data.forward_each(W, each, self.output, self.c)
        if self._shared is not None:
            masks, place = self._shared
            U = np.zeros((masks.count * self.c, W.shape[1]), W.dtype)
            U[place] = W
            return self.data.forward(U.reshape(masks.count, self.c, W.shape[1]).swapaxes(1, 2), masks)
        parts = [self.data.forward(W[own, :, None], masks) for own, masks in self.of_outputs]
        return np.concatenate(parts, axis=1)

    def adjoint(self, R: Outputs) -> Matrix:
        """(B, p): ``X'D_j R_k`` of each block."""
        if self._each is not None:
            data, each = self._each
            return data.adjoint_each(R, each, self.output)
        if self._shared is not None:
            masks, place = self._shared
            C = self.data.adjoint(R, masks).swapaxes(1, 2)
            return C.reshape(masks.count * self.c, C.shape[2])[place]
        C = np.zeros((len(self), self.data.shape[1]), R.dtype)
        for k, (own, masks) in enumerate(self.of_outputs):
            C[own] = self.data.adjoint(R[:, k : k + 1], masks)[:, :, 0]
        return C

    def of_patterns(self, a: Vector) -> tuple[Diagonals, Matrix]:
        """The diagonals of the patterns in use, and (k, c) the numbers a (B,) of their blocks for all outputs, 0
        for those that are not in use."""
        used, place = np.unique(self.pattern, return_inverse=True)
        numbers = np.zeros((used.size, self.c), a.dtype)
        numbers[place, self.output] = a
        return self.data.diagonals.take(used), numbers

    @cached_property
    def of_outputs(self) -> list[tuple[Places, Diagonals]]:
        """For each output the places of its blocks, and their diagonals."""
        own = [np.flatnonzero(self.output == k) for k in range(self.c)]
        return [(places, self.data.diagonals.take(self.pattern[places])) for places in own]

    @cached_property
    def _each(self) -> tuple[MaskedData, Diagonals] | None:
        """The diagonal of each block where these are fewer than the columns of the data, times the outputs: so many
        numbers a row are multiplied one by one beside the matrix product, by masks or by the data."""
        data = self.data
        if not isinstance(data, MaskedData) or len(self) >= self.c * data.shape[1]:
            return None
        return data, data.diagonals.take(self.pattern)

    @cached_property
    def _shared(self) -> tuple[Diagonals, Places] | None:
        """The diagonals of all patterns in use, and the place of each block among their blocks for all outputs; None
        where most of these are not in use."""
        used, place = np.unique(self.pattern, return_inverse=True)
        if not self.data.joint and len(self) < DENSE * used.size * self.c:
            return None
        masks = self.data.diagonals if used.size == self.data.shape[2] else self.data.diagonals.take(used)
        return masks, place * self.c + self.output

"""Products with the blocks that are in use, output by output."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.operators.diagonals import Diagonals
from bidual.operators.pooled import Products
from bidual.typing import Matrix, Outputs

DENSE = 0.5
"""The share of active blocks from which on all outputs share one product."""


@final
class ActiveBlocks:
    """The blocks (j, k), pattern j for output k, where ``active`` (m, c) is true, of blocks (m, p, c) on m diagonals.

    Most outputs use few of the patterns that any output uses. Then each goes over its own: a product costs the share
    of active blocks. Blocks that are not active must be 0, and are 0 or anything in what comes back.
    """

    def __init__(self, data: Products, masks: Diagonals, active: NDArray[np.bool_]):
        self._data, (m, c) = data, active.shape
        self._parts = [(slice(0, c), np.arange(m), masks)]
        if not data.joint and np.count_nonzero(active) < DENSE * m * c:
            own = [np.flatnonzero(column) for column in active.T]
            self._parts = [(slice(k, k + 1), which, masks.take(which)) for k, which in enumerate(own)]
        self._count = m

    def forward(self, U: Matrix) -> Outputs:
        """(n, c): column k is ``sum_j D_j X U_jk``, U (m, p, c)."""
        return np.concatenate([self._data.forward(U[which, :, k], masks) for k, which, masks in self._parts], axis=1)

    def adjoint(self, R: Outputs) -> Matrix:
        """(m, p, c): ``X'D_j R_k``, R (n, c)."""
        C = np.zeros((self._count, self._data.shape[1], R.shape[1]), R.dtype)
        for k, which, masks in self._parts:
            C[which, :, k] = self._data.adjoint(R[:, k], masks)
        return C

"""Products with masked data: the hot kernel of every program over activation patterns.

The (n, pP) matrix ``[D_1 X, ..., D_P X]`` is never formed: the mask is itself an operand of one matrix product.
"""

from __future__ import annotations

import numpy as np

from bidual.typing import Matrix, Outputs, Rows

BLOCK = 1 << 22
"""Entries of the largest temporary of one row block."""


def adjoint(X: Rows, D: Matrix, V: Outputs) -> Matrix:
    """(P, p, c): ``X' diag(D_j) V`` for every pattern j; X (n, p), D (n, P) slopes or masks, V (n, c)."""
    return np.stack([((X * v[:, None]).T @ D).T for v in V.T], axis=2)


def forward(X: Rows, D: Matrix, U: Matrix) -> Outputs:
    """(n, c): ``sum_j diag(D_j) X U_j``; X (n, p), D (n, P), U (P, p, c)."""
    n, p = X.shape
    rows = max(1, BLOCK // max(1, p * U.shape[2]))
    F = np.empty((n, U.shape[2]))
    for start in range(0, n, rows):
        block = slice(start, start + rows)
        F[block] = np.einsum("np,npc->nc", X[block], np.tensordot(D[block], U, axes=1))
    return F

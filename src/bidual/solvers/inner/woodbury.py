"""Linear systems of a diagonal and a few columns."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from bidual.typing import Matrix, Vector


@final
class Cholesky:
    """``A = R'R`` of a symmetric positive definite A, by LAPACK itself: what SciPy does around it takes longer than a
    small A. Raises LinAlgError unless A is positive definite."""

    def __init__(self, A: Matrix):
        self._factor, failed = dpotrf(A)
        if failed:
            raise np.linalg.LinAlgError(f"the leading minor of order {failed} is not positive")

    def solve(self, b: Vector) -> Vector:
        """``A^-1 b``."""
        return np.asarray(dpotrs(self._factor, b)[0])


def solve_diagonal_plus(h: Vector, B: Matrix, g: Vector) -> Vector:
    """``(diag(h) + B B')^-1 g``: one Cholesky factorisation, of as many rows as B (n, q) has rows or columns."""
    root = 1.0 / np.sqrt(h)
    B, y = root[:, None] * B, root * g
    n, q = B.shape
    if q == 0:
        return root * y
    if q < n:
        return root * (y - B @ Cholesky(np.eye(q) + B.T @ B).solve(B.T @ y))
    return root * Cholesky(np.eye(n) + B @ B.T).solve(y)

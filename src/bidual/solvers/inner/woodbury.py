"""Linear systems of a diagonal and a few columns."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from bidual.typing import Matrix, Vector


def solve_diagonal_plus(h: Vector, B: Matrix, g: Vector) -> Vector:
    """``(diag(h) + B B')^-1 g``: one Cholesky factorisation, of as many rows as B (n, q) has rows or columns."""
    root = 1.0 / np.sqrt(h)
    B, y = root[:, None] * B, root * g
    n, q = B.shape
    if q < n:
        return root * (y - B @ cho_solve(cho_factor(np.eye(q) + B.T @ B), B.T @ y))
    return root * np.asarray(cho_solve(cho_factor(np.eye(n) + B @ B.T), y))

"""The space that the rows of data span, where these are fewer than their features."""

from __future__ import annotations

import numpy as np

from bidual.typing import Matrix, Rows


def row_basis(X: Rows) -> Matrix | None:
    """(p, n), orthonormal columns Q with ``X = X Q Q'``; None for X (n, p) of no more columns than rows.

    Of all vectors u with the same ``X u`` the shortest is ``Q Q'u``, as long as ``Q'u``: a program that charges 2-norms
    needs no more than n coordinates.
    """
    n, p = X.shape
    return np.linalg.qr(np.asarray(X, dtype=float).T)[0] if p > n else None

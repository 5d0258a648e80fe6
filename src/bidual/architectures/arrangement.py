"""The hyperplane arrangement of the data: every activation pattern there is, and the proof that none is missing."""

from __future__ import annotations

from math import comb

import numpy as np
from scipy.optimize import nnls

from bidual.architectures.patterns import Patterns
from bidual.typing import Matrix, Vector

MARGIN = 1e-9
"""A row is off a hyperplane when its normalised distance exceeds this."""


def row_basis(X: Matrix) -> Matrix:
    """(p, r): an orthonormal basis of the row space of X (n, p), r its numerical rank."""
    _, s, Vt = np.linalg.svd(X, full_matrices=False)
    return Vt[s > MARGIN * max(s[0], 1e-300)].T if s.size and s[0] > 0 else np.zeros((X.shape[1], 0))


def distinct_hyperplanes(X: Matrix) -> Matrix:
    """(h, r): one unit normal, in row-space coordinates, for each distinct hyperplane ``{u : x_i'u = 0}``."""
    Z = X @ row_basis(X)
    lengths = np.linalg.norm(Z, axis=1)
    Z = Z[lengths > MARGIN * lengths.max(initial=0.0)]
    Z = Z / np.linalg.norm(Z, axis=1)[:, None]
    kept: list[Vector] = []
    for z in Z:
        if not any(min(np.abs(z - k).max(), np.abs(z + k).max()) <= MARGIN for k in kept):
            kept.append(z)
    return np.array(kept).reshape(len(kept), Z.shape[1])


def most_cells(n: int, r: int) -> int:
    """The number of cells of n hyperplanes through the origin of R^r in general position (Cover 1965)."""
    return 2 * sum(comb(n - 1, k) for k in range(min(r, n))) if n > 0 and r > 0 else 1


def in_general_position(X: Matrix, n_cells: int) -> bool:
    """True if every r rows of X are independent: no two rows are parallel, and the cells are as many as can be."""
    H = distinct_hyperplanes(X)
    nonzero = int((np.linalg.norm(X, axis=1) > 0).sum())
    return H.shape[0] == nonzero and n_cells == most_cells(*H.shape)


def count_cells(X: Matrix) -> int:
    """The exact number of cells, by deletion and restriction; NumPy only, and independent of :func:`enumerate_cells`.

    ``cells(A) = cells(A without h) + cells(A restricted to h)`` for every hyperplane h of the arrangement A
    (Zaslavsky 1975).
    """
    H = distinct_hyperplanes(X)
    n, r = H.shape
    if n == 0 or r <= 2:
        return 2 * n if n else 1
    if n <= r and np.linalg.matrix_rank(H, tol=MARGIN) == n:
        return 2**n
    h = H[-1]
    return count_cells(H[:-1]) + count_cells(H[:-1] @ _complement(h))


def _complement(h: Vector) -> Matrix:
    """(r, r-1): an orthonormal basis of the hyperplane with unit normal h."""
    Q, _ = np.linalg.qr(np.column_stack([h, np.eye(h.size)]))
    return Q[:, 1 : h.size]


def covers_faces(X: Matrix, patterns: Patterns) -> bool:
    """True if gates on hyperplanes, open on the rows there, open no other sets of rows than gates off them.

    That is so exactly if some cell is open on every row: a little of its gate moves any gate off its hyperplanes, to
    the open side of each. Otherwise the gate 0, open everywhere, already is such another set.
    """
    return bool(patterns.masks[np.any(X != 0, axis=1)].all(axis=0).any())


def interior_point(A: Matrix) -> Vector | None:
    """A unit u with ``A u > 0`` for every row of A (h, r), or None if the cone has no interior.

    The point of least norm in the convex hull of the rows is such a u, and is 0 exactly when there is none (Gordan);
    it is found by one nonnegative least squares (Lawson & Hanson 1974, least distance programming).
    """
    h, r = A.shape
    weights = nnls(np.vstack([A.T, np.ones(h)]), np.append(np.zeros(r), 1.0), maxiter=100 * h + 100)[0]
    u = A.T @ weights
    length = np.linalg.norm(u)
    if length == 0 or weights.sum() == 0:
        return None
    u = u / length
    return u if (A @ u).min() > MARGIN else None


def enumerate_cells(X: Matrix) -> Patterns:
    """Every full-dimensional cell of the arrangement of the rows of X (n, p), one hyperplane at a time.

    Each new hyperplane keeps every cell on the side of its witness and tries the other side. The witnesses become the
    gates, so ``sign(X gates)`` has no zero but on zero rows.
    """
    H = distinct_hyperplanes(X)
    basis = row_basis(X)
    if H.shape[0] == 0:
        return Patterns(np.ones((X.shape[0], 1), dtype=bool), np.zeros((X.shape[1], 1)))
    if H.shape[1] == 2:
        gates = basis @ _plane_witnesses(H)
        return Patterns(X @ gates >= 0, gates)
    witnesses = [H[0], -H[0]]
    for k in range(1, H.shape[0]):
        found = []
        for u in witnesses:
            signs = np.where(H[:k] @ u > 0, 1.0, -1.0)
            for side in (1.0, -1.0):
                if side * (H[k] @ u) > MARGIN:
                    found.append(u)
                else:
                    other = interior_point(np.vstack([signs[:, None] * H[:k], side * H[k]]))
                    if other is not None:
                        found.append(other)
        witnesses = found
    gates = basis @ np.array(witnesses).T
    return Patterns(X @ gates >= 0, gates)


def _plane_witnesses(H: Matrix) -> Matrix:
    """(2, 2h): a unit vector in every cell of h lines of the plane, half-way between neighbouring lines."""
    angles = np.sort(np.arctan2(H[:, 1], H[:, 0]) % np.pi)
    middle = (angles + np.append(angles[1:], angles[0] + np.pi)) / 2.0 + np.pi / 2.0
    return np.hstack([half * np.array([np.cos(middle), np.sin(middle)]) for half in (1.0, -1.0)])

"""The hyperplane arrangement of the data: every activation pattern there is, and the proof that none is missing."""

from __future__ import annotations

from math import comb, inf

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from bidual.architectures.patterns import Patterns
from bidual.errors import RefusedError
from bidual.operators.bits import Bits
from bidual.typing import Matrix, Vector

ROUNDING = 1e-12
"""A distance of at most this, between unit vectors, is 0 up to rounding."""

MARGIN = 1e-9
"""A distance above this is not. What lies between cannot be told in double precision."""


NEARLY = 1.0 - 1e-12
"""Unit vectors of a smaller cosine, either way, are farther apart than the margin."""


def tells(distance: float) -> bool:
    """True if a distance is not 0, False if it is.

    Raises RefusedError where it can be either: a list of cells that may miss one would prove nothing.
    """
    if ROUNDING < distance <= MARGIN:
        raise RefusedError(
            f"rows of X (with the bias column) are {distance:.1e} from dependent, too close to tell all their "
            "activation patterns in double precision; round the data, or use the oracle LocalSearch or Sampled"
        )
    return distance > MARGIN


def hyperplanes(X: Matrix) -> tuple[Matrix, Matrix]:
    """(H, B): unit normals H (h, r) of the hyperplanes ``{w : H_i w = 0}`` of the nonzero rows of X (n, p), in r = rank
    coordinates, and B (p, r) with ``sign(x_i'B w) = sign(H_i w)``.

    The coordinates are whitened after rows and columns have been scaled, so that neither units of length nor
    correlations of features decide which rows are near each other.
    """
    X = X[np.any(X != 0, axis=1)]
    scale = np.abs(X).max(axis=0, initial=0.0)
    scale = np.where(scale > 0, scale, 1.0)
    Z = X / scale
    Z = Z / np.linalg.norm(Z, axis=1)[:, None]
    _, s, Vt = np.linalg.svd(Z, full_matrices=False)
    r = sum(tells(float(value / s[0])) for value in s)
    B = Vt[:r].T / s[:r]
    H = Z @ B
    return H / np.linalg.norm(H, axis=1)[:, None], B / scale[:, None]


def parallel(H: Matrix) -> tuple[NDArray[np.intp], Vector]:
    """(first, side): for each unit normal of H (h, r) the first one that is equal (side +1) or opposite (-1) to it."""
    first, side = np.full(H.shape[0], -1, dtype=np.intp), np.ones(H.shape[0])
    for i, z in enumerate(H):
        if first[i] < 0:
            cosines = H[i:] @ z
            for j in i + np.flatnonzero((np.abs(cosines) > NEARLY) & (first[i:] < 0)):
                towards = 1.0 if cosines[j - i] > 0 else -1.0
                if not tells(float(np.abs(H[j] - towards * z).max())):
                    first[j], side[j] = i, towards
    return first, side


def distinct(H: Matrix) -> Matrix:
    """One of each set of unit normals (h, r) that are equal or opposite."""
    return H[np.unique(parallel(H)[0])]


def most_cells(n: int, r: int) -> int:
    """The number of cells of n hyperplanes through the origin of R^r in general position (Cover 1965)."""
    return 2 * sum(comb(n - 1, k) for k in range(min(r, n))) if n > 0 and r > 0 else 1


def count_cells(X: Matrix, limit: float = inf) -> int:
    """The exact number of cells, by deletion and restriction; NumPy only, and independent of :func:`enumerate_cells`.

    ``cells(A) = cells(A without h) + cells(A restricted to h)`` for every hyperplane h of the arrangement A
    (Zaslavsky 1975). Counting stops above ``limit``, at a number that is too small.
    """
    H = distinct(hyperplanes(X)[0])
    n, r = H.shape
    if n == 0 or r <= 2:
        return 2 * n if n else 1
    if n == r:
        return 2**n
    h = H[-1]
    count = count_cells(H[:-1], limit)
    return count if count > limit else count + count_cells(H[:-1] @ _complement(h), limit - count)


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
    length = float(np.linalg.norm(u))
    if length == 0:
        return None
    u = u / length
    return u if tells(float((A @ u).min())) else None


def enumerate_cells(X: Matrix) -> Patterns:
    """Every full-dimensional cell of the arrangement of the rows of X (n, p), one hyperplane at a time.

    Each new hyperplane keeps every cell on the side of its witness and tries the other side. The witnesses become the
    gates, so ``sign(X gates)`` has no zero but on zero rows.
    """
    H, B = hyperplanes(X)
    H = distinct(H)
    if H.shape[0] == 0:
        return Patterns(np.ones((X.shape[0], 1), dtype=bool), np.zeros((X.shape[1], 1)))
    witnesses = _plane_witnesses(H) if H.shape[1] == 2 else _witnesses(H)
    gates = B @ witnesses
    gates = gates / np.linalg.norm(gates, axis=0)
    return Patterns(Bits.nonnegative(X, gates), gates)


def check_count(X: Matrix, patterns: Patterns) -> None:
    """Raise RefusedError unless there are as many cells as patterns, or where the cells cannot be counted."""
    cells = count_cells(X)
    if cells != len(patterns):
        raise RefusedError(
            f"{len(patterns)} activation patterns were found, but there are {cells}: rows of X are too close to "
            "dependent; round the data, or use the oracle LocalSearch or Sampled"
        )


def _witnesses(H: Matrix) -> Matrix:
    """(r, cells): a unit vector in every cell of the hyperplanes with unit normals H (h, r)."""
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
    return np.array(witnesses).T


def _plane_witnesses(H: Matrix) -> Matrix:
    """(2, 2h): a unit vector in every cell of h lines of the plane, half-way between neighbouring lines."""
    angles = np.sort(np.arctan2(H[:, 1], H[:, 0]) % np.pi)
    middle = (angles + np.append(angles[1:], angles[0] + np.pi)) / 2.0 + np.pi / 2.0
    return np.hstack([half * np.array([np.cos(middle), np.sin(middle)]) for half in (1.0, -1.0)])

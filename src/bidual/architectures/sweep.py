"""The best sign units against a dual vector, exactly: sweeps through the planes of the data's arrangement."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, islice
from math import comb, log2

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.arrangement import hyperplanes, parallel
from bidual.architectures.patterns import first_of_each
from bidual.architectures.planes import Places, Planes
from bidual.typing import Matrix, Outputs, Rows, Vector

BLOCK = 1 << 18
"""Planes times hyperplanes that are swept together: what they need stays in the cache."""

TRIES = 8
"""Planes looked at for each unit that is wanted: neighbouring planes have the same best cell."""


def best_signs(X: Rows, V: Outputs, keep: int = 20) -> tuple[Vector, list[Matrix]]:
    """(bounds, units): for each column v of V (n, c) a proven bound of ``max over u of |sum_i v_i sign(x_i'u)|`` over
    all u off the hyperplanes of the rows of X (n, p), and up to ``keep`` units (p, m) of different patterns and high
    scores, the best first, which attains the bound up to rounding.

    Every cell of rows of rank r has a face of dimension 2, in which r - 2 independent hyperplanes meet. There the sides
    of all that contain the face are free, and the others cut its plane in lines: one sort and one cumulative sum give
    the scores of all arcs between them. That is O(n^(r-1) log n), O(n^2 log n) for two features and a bias. Where more
    than r - 2 hyperplanes contain the face, the best of their sides is the same question on fewer rows, of rank r - 2.
    At most r distinct hyperplanes leave all sides free: ``|v|_1``.

    Raises RefusedError where double precision cannot tell which rows are dependent. Arcs that are narrower than
    rounding are none; those that may be are counted, which can only make the bound larger.
    """
    H, B, C, fixed = merged(X, V)
    if H.shape[0] == 0:
        return _outwards(np.abs(fixed), V), [np.zeros((X.shape[1], 1))] * V.shape[1]
    values, points = _best_cells(H, C, keep)
    units = [B @ (np.where(k < 0, -1.0, 1.0) * point) for k, point in zip(fixed, points, strict=True)]
    return _outwards(np.abs(fixed) + values, V), [U / np.linalg.norm(U, axis=0) for U in units]


def sweep_work(X: Rows) -> float:
    """The sorted entries of all sweeps, times the logarithm of how many are sorted at once: about 1e-8 seconds each."""
    h, r = _arrangement(X.tobytes(), X.shape)[0].shape
    return float(h * r if h == r or r < 2 else comb(h, r - 2) * h * (1.0 + log2(h)))


def merged(X: Rows, V: Outputs) -> tuple[Matrix, Matrix, Matrix, Vector]:
    """(H, B, C, fixed): the distinct hyperplanes H (h, r) of the rows of X and the map B (p, r) of
    :func:`~bidual.architectures.arrangement.hyperplanes`, and C (h, c) and fixed (c,) with
    ``V'sign(X B w) = C'sign(H w) + fixed`` for every w off the hyperplanes: a row of zeros is +1 for every unit."""
    H, B, row, side = _arrangement(X.tobytes(), X.shape)
    C, kept = np.zeros((H.shape[0], V.shape[1])), row >= 0
    np.add.at(C, row[kept], side[kept, None] * V[kept])
    return H, B, C, V[~kept].sum(axis=0)


def _outwards(values: Vector, V: Outputs) -> Vector:
    """Larger by more than a sum of n numbers, added in any order, can be wrong."""
    return values + 2.0 * V.shape[0] * float(np.finfo(float).eps) * np.abs(V).sum(axis=0)


@lru_cache(maxsize=8)
def _arrangement(data: bytes, shape: tuple[int, int]) -> tuple[Matrix, Matrix, Places, Vector]:
    """(H, B, row, side): the distinct hyperplanes of :func:`~bidual.architectures.arrangement.hyperplanes`, which of
    them each row of X is (-1: a zero row), and on which side of it."""
    X = np.frombuffer(data).reshape(shape)
    H, B = hyperplanes(X)
    first, side = parallel(H)
    kept, place = np.unique(first, return_inverse=True)
    row, sides = np.full(shape[0], -1, dtype=np.intp), np.ones(shape[0])
    nonzero = np.any(X != 0, axis=1)
    row[nonzero], sides[nonzero] = place, side
    return H[kept], B, row, sides


def _best_cells(H: Matrix, C: Matrix, keep: int) -> tuple[Vector, list[Matrix]]:
    """(values, points): ``max over s of |c's|`` over the cells' signs s of the distinct hyperplanes H (h, r), for each
    column c of C (h, c), and points (r, m) in the best cells, with ``c's >= 0``."""
    h, r = H.shape
    if h == r:
        return np.abs(C).sum(axis=0), [_free_sides(H, c, keep) for c in C.T]
    best, anchors = [], []
    for T in _subsets(h, r - 2, max(1, BLOCK // h)):
        planes = Planes.through(H, T)
        best.append(np.max(_scores(planes, C), axis=1))
        anchors.append(planes.anchors)
    scores, T = np.concatenate(best), np.concatenate(anchors)
    points = [np.zeros((r, 0))] * C.shape[1] if keep == 0 else []
    for k, column in enumerate(C.T if keep else ()):
        few = np.argsort(-scores[:, k], kind="stable")[: TRIES * keep]
        points.append(_points(Planes.through(H, T[few]), column[:, None], keep))
    return scores.max(axis=0), points


def _free_sides(H: Matrix, c: Vector, keep: int) -> Matrix:
    """(r, m): points on the best sides of independent hyperplanes, and with one of the cheapest on the other side."""
    signs = np.repeat(np.where(c < 0, -1.0, 1.0)[:, None], min(keep, c.size + 1), axis=1)
    cheapest = np.argsort(np.abs(c), kind="stable")[: max(signs.shape[1] - 1, 0)]
    signs[cheapest, np.arange(1, cheapest.size + 1)] *= -1.0
    return np.linalg.solve(H, signs)


def _subsets(h: int, size: int, together: int) -> Iterator[Places]:
    """(b, size): all subsets of h places, up to ``together`` at a time."""
    every = combinations(range(h), size)
    while block := list(islice(every, together)):
        yield np.array(block, dtype=np.intp).reshape(len(block), size)


def _scores(planes: Planes, C: Matrix) -> NDArray[np.float64]:
    """(b, h, c): the scores of the arcs after each line in order, with the best sides of all that contain the plane;
    -inf where there is no arc."""
    free = np.abs(C[planes.anchors]).sum(axis=1)
    for j in np.flatnonzero(np.count_nonzero(planes.flat, axis=1) > planes.anchors.shape[1]):
        F = planes.flat[j]
        free[j] = _best_cells(planes.H[F] @ planes.along[j], C[F], 0)[0]
    return np.where(planes.arcs[:, :, None], np.abs(planes.sums(C)) + free[:, None, :], -np.inf)


def _points(planes: Planes, c: Matrix, keep: int) -> Matrix:
    """(r, m): points in cells of different signs beside the best arcs for c (h, 1), the best first."""
    scores, sums, names = _scores(planes, c)[:, :, 0], planes.sums(c)[:, :, 0], _names(planes, c).ravel()
    place = np.argsort(-scores, axis=None, kind="stable")
    place = place[np.isfinite(scores.ravel()[place])]
    place = place[np.sort(np.unique(names[place], return_index=True)[1])][: 2 * keep]
    j, k = np.unravel_index(place, scores.shape)
    middles = planes.middles(j, k, sums[j, k])
    points = np.array([_beside(planes, i, middle, c) for i, middle in zip(j, middles.T, strict=True)]).T
    return points[:, first_of_each(planes.H @ points > 0)[:keep]]


def _names(planes: Planes, c: Matrix) -> Matrix:
    """(b, h): a number for the best cell beside each arc, the same wherever the cell is met: a random combination of
    its sides. (A cell may have several where more than r - 2 hyperplanes meet.)"""
    random = np.random.default_rng(0).standard_normal(c.shape)
    towards = np.where(planes.sums(c) < 0, -1.0, 1.0)
    named = towards * planes.sums(random) + (planes.flat @ (np.where(c < 0, -1.0, 1.0) * random))[:, None, :]
    return np.round(named[:, :, 0], 6)


def _beside(planes: Planes, j: int, point: Vector, c: Matrix) -> Vector:
    """A point beside the given one of plane j, on the best sides of what contains the plane, and so near that no line
    lies between."""
    F = planes.flat[j]
    if not F.any():
        return point
    beside = planes.along[j] @ _best_cells(planes.H[F] @ planes.along[j], c[F], 1)[1][0][:, 0]
    beside = beside / np.linalg.norm(beside)
    room = np.abs(planes.H[~F] @ point) / np.maximum(np.abs(planes.H[~F] @ beside), 1e-300)
    return point + 0.5 * min(1.0, float(room.min())) * beside

"""The best sign units against a dual vector, exactly: sweeps through the planes of the data's arrangement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, islice
from math import comb, log2

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.arrangement import ROUNDING, hyperplanes, parallel, tells
from bidual.architectures.patterns import first_of_each
from bidual.typing import Masks, Matrix, Outputs, Rows, Vector

BLOCK = 1 << 18
"""Planes times hyperplanes that are swept together: what they need stays in the cache."""

TRIES = 8
"""Planes looked at for each unit that is wanted: neighbouring planes have the same best cell."""

Places = NDArray[np.intp]


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
    H, B, row, side = _arrangement(X.tobytes(), X.shape)
    C = np.zeros((H.shape[0], V.shape[1]))
    np.add.at(C, row[row >= 0], side[row >= 0, None] * V[row >= 0])
    fixed = V[row < 0].sum(axis=0)  # a zero row is +1 for every unit
    if H.shape[0] == 0:
        return _outwards(np.abs(fixed), V), [np.zeros((X.shape[1], 1))] * V.shape[1]
    values, points = _best_cells(H, C, keep)
    units = [B @ (np.where(k < 0, -1.0, 1.0) * point) for k, point in zip(fixed, points, strict=True)]
    return _outwards(np.abs(fixed) + values, V), [U / np.linalg.norm(U, axis=0) for U in units]


def sweep_work(X: Rows) -> float:
    """The sorted entries of all sweeps, times the logarithm of how many are sorted at once: about 1e-8 seconds each."""
    h, r = _arrangement(X.tobytes(), X.shape)[0].shape
    return float(h * r if h == r or r < 2 else comb(h, r - 2) * h * (1.0 + log2(h)))


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
        planes = _Planes.through(H, T)
        best.append(np.max(planes.scores(C), axis=1))
        anchors.append(planes.anchors)
    scores, T = np.concatenate(best), np.concatenate(anchors)
    points = [np.zeros((r, 0))] * C.shape[1] if keep == 0 else []
    for k, column in enumerate(C.T if keep else ()):
        few = np.argsort(-scores[:, k], kind="stable")[: TRIES * keep]
        points.append(_Planes.through(H, T[few]).points(column[:, None], keep))
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


@dataclass(frozen=True, eq=False)
class _Planes:
    """b planes, each the intersection of the hyperplanes at its anchors (b, r-2), in orthonormal coordinates.

    across : (b, r, 2), a basis of each plane; along : (b, r, r-2), one of its complement; x, y : (b, h), the lines in
    which the hyperplanes H (h, r) cut it (their normals); flat : (b, h), which hyperplanes contain it; firm : (b,), how
    far from dependent the anchors are.
    """

    H: Matrix
    anchors: Places
    across: NDArray[np.float64]
    along: NDArray[np.float64]
    x: Matrix
    y: Matrix
    flat: Masks
    firm: Vector

    @classmethod
    def through(cls, H: Matrix, anchors: Places) -> _Planes:
        """The planes of those anchors that are independent."""
        r = H.shape[1]
        Q, R = np.linalg.qr(H[anchors].transpose(0, 2, 1), mode="complete")
        firm = np.abs(np.diagonal(R, axis1=1, axis2=2)).min(axis=1, initial=1.0)
        kept = _all_tell(firm)
        Q, anchors, firm = Q[kept], anchors[kept], firm[kept]
        x, y = (H @ Q[:, :, r - 2 + k].T for k in (0, 1))
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
        flat = ~_all_tell(np.hypot(x, y) * firm[:, None])
        return cls(H, anchors, Q[:, :, r - 2 :], Q[:, :, : r - 2], x, y, flat, firm)

    @cached_property
    def order(self) -> Places:
        """(b, h): the lines by the angle in [0, pi) of the direction along each; hyperplanes that are no line last."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope = np.where(self.x == 0, -np.inf, self.y / self.x)
        return np.argsort(np.where(self.flat, np.nan, slope), axis=1)

    @cached_property
    def before(self) -> Matrix:
        """(b, h): the side of each hyperplane that directions just past angle 0 are on, 0 if it contains the plane."""
        return np.where(self.flat, 0.0, np.where((self.x > 0) | ((self.x == 0) & (self.y < 0)), 1.0, -1.0))

    @cached_property
    def following(self) -> Places:
        """(b, h): the line after each in order, the first one after the last."""
        lines = self.flat.shape[1] - np.count_nonzero(self.flat, axis=1)
        place = np.arange(1, self.flat.shape[1] + 1)[None, :]
        return np.take_along_axis(self.order, np.where(place < lines[:, None], place, 0), axis=1)

    @cached_property
    def arcs(self) -> Masks:
        """(b, h): whether there is an arc between the line in this place of the order and the following one."""
        x, y = (np.take_along_axis(a, self.order, axis=1) for a in (self.x, self.y))
        u, v = (np.take_along_axis(a, self.following, axis=1) for a in (self.x, self.y))
        longer = np.sqrt(np.maximum(x * x + y * y, u * u + v * v))
        open_ = np.abs(x * v - y * u) * self.firm[:, None] > ROUNDING * longer
        return open_ & ~np.take_along_axis(self.flat, self.order, axis=1)

    def sums(self, C: Matrix) -> NDArray[np.float64]:
        """(b, h, c): the sums of the sides of the lines times C (h, c) on the arc after each line in order."""
        sides = np.take_along_axis(self.before, self.order, axis=1)[:, :, None] * C[self.order]
        return sides.sum(axis=1)[:, None, :] - 2.0 * np.cumsum(sides, axis=1)

    def scores(self, C: Matrix) -> NDArray[np.float64]:
        """(b, h, c): the scores of the arcs after each line in order, with the best sides of all that contain the
        plane; -inf where there is no arc."""
        free = np.abs(C[self.anchors]).sum(axis=1)
        for j in np.flatnonzero(np.count_nonzero(self.flat, axis=1) > self.anchors.shape[1]):
            F = self.flat[j]
            free[j] = _best_cells(self.H[F] @ self.along[j], C[F], 0)[0]
        return np.where(self.arcs[:, :, None], np.abs(self.sums(C)) + free[:, None, :], -np.inf)

    def points(self, c: Matrix, keep: int) -> Matrix:
        """(r, m): points in cells of different signs beside the best arcs for c (h, 1), the best first."""
        scores, sums, names = self.scores(c)[:, :, 0], self.sums(c)[:, :, 0], self._names(c).ravel()
        place = np.argsort(-scores, axis=None, kind="stable")
        place = place[np.isfinite(scores.ravel()[place])]
        place = place[np.sort(np.unique(names[place], return_index=True)[1])][: 2 * keep]
        found = [self._point(j, k, c, sums[j, k]) for j, k in zip(*np.unravel_index(place, scores.shape), strict=True)]
        points = np.array(found).T
        return points[:, first_of_each(self.H @ points > 0)[:keep]]

    def _names(self, c: Matrix) -> Matrix:
        """(b, h): a number for the best cell beside each arc, the same wherever the cell is met: a random combination
        of its sides. (A cell may have several where more than r - 2 hyperplanes meet.)"""
        random = np.random.default_rng(0).standard_normal(c.shape)
        towards = np.where(self.sums(c) < 0, -1.0, 1.0)
        named = towards * self.sums(random) + (self.flat @ (np.where(c < 0, -1.0, 1.0) * random))[:, None, :]
        return np.round(named[:, :, 0], 6)

    def _point(self, j: int, k: int, c: Matrix, total: float) -> Vector:
        """A point beside the middle of the arc after line k of plane j, on the best sides of what contains the plane,
        and so near to the arc that no line lies between."""
        line, following = self.order[j, k], self.following[j, k]
        ends = [np.array([-self.y[j, i], self.x[j, i]]) * self.before[j, i] for i in (line, following)]
        ends = [end / np.linalg.norm(end) for end in ends]
        last = k + 1 == np.count_nonzero(~self.flat[j])
        middle = self.across[j] @ (ends[0] + (-ends[1] if last else ends[1]))
        middle = middle / np.linalg.norm(middle) * (1.0 if total >= 0 else -1.0)
        F = self.flat[j]
        if not F.any():
            return middle
        beside = self.along[j] @ _best_cells(self.H[F] @ self.along[j], c[F], 1)[1][0][:, 0]
        beside = beside / np.linalg.norm(beside)
        room = np.abs(self.H[~F] @ middle) / np.maximum(np.abs(self.H[~F] @ beside), 1e-300)
        return middle + 0.5 * min(1.0, float(room.min())) * beside


def _all_tell(distances: Matrix) -> Masks:
    """:func:`~bidual.architectures.arrangement.tells` of each distance."""
    unclear = distances[(distances > ROUNDING)]
    tells(float(unclear.min(initial=1.0)))
    return distances > ROUNDING

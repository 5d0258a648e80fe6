"""Planes through the data's arrangement, and the arcs into which its hyperplanes cut them: one sort, one sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.arrangement import ROUNDING, tells
from bidual.typing import Masks, Matrix, Vector

Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Planes:
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
    def through(cls, H: Matrix, anchors: Places) -> Planes:
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

    @classmethod
    def spanned(cls, H: Matrix, P: Matrix, Q: Matrix) -> Planes:
        """The b planes through the columns of P and of Q (r, b)."""
        across, x, y = np.stack([P.T, Q.T], axis=2), (H @ P).T, (H @ Q).T
        length = np.hypot(x, y)
        none = np.zeros((P.shape[1], 0), dtype=np.intp)
        flat = length <= ROUNDING * length.max(axis=1, keepdims=True)
        return cls(H, none, across, np.zeros((*P.T.shape, 0)), x, y, flat, np.ones(P.shape[1]))

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

    def middles(self, j: Places, k: Places, totals: Vector) -> Matrix:
        """(r, m): the middle of the arc after line k of plane j, or the opposite point where ``totals`` is negative."""
        last = k + 1 == np.count_nonzero(~self.flat, axis=1)[j]
        begin, end = self._direction(j, self.order[j, k]), self._direction(j, self.following[j, k])
        middle = begin + np.where(last, -1.0, 1.0)[:, None] * end
        middle = np.einsum("mrk,mk->mr", self.across[j], middle)
        return (middle * (np.where(totals < 0, -1.0, 1.0) / np.linalg.norm(middle, axis=1))[:, None]).T

    def _direction(self, j: Places, line: Places) -> Matrix:
        """(m, 2): the unit vector of angle in [0, pi) along the line in plane j."""
        x, y = self.x[j, line], self.y[j, line]
        return np.column_stack([-y, x]) * (self.before[j, line] / np.hypot(x, y))[:, None]


def _all_tell(distances: Matrix) -> Masks:
    """:func:`~bidual.architectures.arrangement.tells` of each distance."""
    unclear = distances[(distances > ROUNDING)]
    tells(float(unclear.min(initial=1.0)))
    return distances > ROUNDING

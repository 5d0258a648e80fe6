"""Boxes on a face of the cube, and the largest value on their cones of a sum of absolute values of both signs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bidual.typing import Matrix, Vector

SMALLEST = 1e-100
"""In place of a range of no length, which nothing is divided by."""

LAST = 60
"""Steps where the pull is sought to the end:"""

SMALL = 0.1
"""where all else adds less than this share of what is too much to the bound."""

HULL = 16
"""Neighbouring boxes that are taken for one where sides are sought that all have in common."""

STEPS = 2
"""Newton steps of a projection; the function is a parabola on pieces, and any end proves a bound."""


@dataclass(frozen=True)
class Boxes:
    """B boxes ``low <= w' <= high`` on the face ``w = (w', 1)`` of the cube in p dimensions.

    low, high : (B, p-1); pull : (B, p), the linear function that stands for the concave terms; value : (B,) a bound on
    each.
    """

    low: Matrix
    high: Matrix
    pull: Matrix
    value: Vector

    def __len__(self) -> int:
        return self.value.size

    @property
    def center(self) -> Matrix:
        return 0.5 * (self.low + self.high)

    @property
    def radius(self) -> Matrix:
        return 0.5 * (self.high - self.low)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Boxes:
        return Boxes(self.low[which], self.high[which], self.pull[which], self.value[which])

    def halved(self, axis: NDArray[np.intp]) -> Boxes:
        """(2B,): both halves of each box along its axis (B,), one after the other: they cover it."""
        both = self.take(np.repeat(np.arange(len(self)), 2))
        first, middle = 2 * np.arange(len(self)), self.center[np.arange(len(self)), axis]
        both.high[first, axis], both.low[first + 1, axis] = middle, middle
        return both


@dataclass(frozen=True)
class Face:
    """The function ``c'w + sum_i |a_i'w| - sum_j |b_j'w|``, where the sides of some rows are known on all boxes.

    A : (r, p) the rows a_i, B : (k, p) the rows b_j of unknown side; c : (p,) and held : (p,), the sums of the terms
    that are linear: those of c and the a_i, and those of the b_j.
    """

    A: Matrix
    B: Matrix
    c: Vector
    held: Vector

    def bounded(self, boxes: Boxes, enough: float, steps: int) -> tuple[Boxes, Matrix, Matrix]:
        """(boxes, u (B, p), loose (B, p-1)): the boxes with bounds of ``f(w) / |w|`` on each, where they are reached,
        and what the length of each axis adds to them.

        The convex terms have a linear bound on a box, and so have the concave ones, ``-|z| <= -beta z`` for any beta in
        [-1, 1], their sum being the ``pull``. It is improved where the bound is above ``enough``: by conditional
        gradient ``steps``, and to the end where little else makes the bound loose. The whole is linear in w, and so
        positively homogeneous on the cone of the box: :func:`shortest`.
        """
        fixed, loose = self._convex(boxes)
        found = _Found(fixed, boxes)
        for _ in range(steps):
            open_ = np.flatnonzero(found.value > enough)
            found.offer(open_, self._towards(found.a[open_], found.pull[open_]))
        over = found.value - enough
        self._settle(found, np.flatnonzero((over > 0.0) & (loose.sum(axis=1) < SMALL * over)), enough)
        value = np.minimum(found.value, boxes.value)
        return replace(boxes, pull=found.pull, value=value), found.a, loose

    def _convex(self, boxes: Boxes) -> tuple[Matrix, Matrix]:
        """(a (B, p), loose (B, p-1)): ``c'w + sum_i |a_i'w| <= a'w`` on each box.

        The interval of ``z = a_i'w`` on a box is ``z_c -+ z_r``. There, with ``delta = z - z_c``, ``rho = z_c / z_r``
        clipped to [-1, 1] and ``g = 1 - |rho|``, the parabola furthest below the chord that is above ``|z|`` is

            ``|z| <= rho z + z_r g (1/2 + |rho|) + delta^2 g / (2 z_r)``.

        The squares are added up before they are bounded, by ``sum_jk |sum_i a_ij a_ik g_i / (2 z_r,i)| r_j r_k`` for
        the radii r of the box: rows that point elsewhere cancel, as they do not in a sum of chords.
        """
        radius, size = boxes.radius, np.abs(self.A[:, :-1])
        rho = boxes.center @ self.A[:, :-1].T + self.A[:, -1]
        width = np.maximum(radius @ size.T, SMALLEST)
        rho /= width
        np.clip(rho, -1.0, 1.0, out=rho)
        a = rho @ self.A + self.c
        g = np.subtract(1.0, np.abs(rho, out=rho), out=rho)
        a[:, -1] += np.vecdot(width, g * (1.5 - g))
        j, k = np.triu_indices(size.shape[1])
        squares = np.abs(np.divide(g, width, out=g) @ (0.5 * self.A[:, j] * self.A[:, k]))
        squares *= radius[:, j] * radius[:, k]
        a[:, -1] += squares @ np.where(j == k, 1.0, 2.0)
        return a, squares[:, j == k]

    def _towards(self, a: Matrix, pull: Matrix) -> Matrix:
        """The pull on the way to the one that is best at a, for the shortest sum."""
        step = self.held - np.sign(a @ self.B.T) @ self.B - pull
        share = np.clip(-np.vecdot(a, step) / np.maximum(np.vecdot(step, step), SMALLEST), 0.0, 1.0)
        return pull + share[:, None] * step

    def _settle(self, found: _Found, which: NDArray[np.intp], enough: float) -> None:
        """The best pull of these boxes, by accelerated projected gradients in beta (Beck & Teboulle 2009)."""
        center = found.boxes.center[which] @ self.B[:, :-1].T + self.B[:, -1]
        width = np.maximum(found.boxes.radius[which] @ np.abs(self.B[:, :-1]).T, SMALLEST)
        beta = before = np.clip(center / width, -1.0, 1.0)
        curvature = float(np.linalg.norm(self.B.T @ self.B, 2)) or 1.0
        for i in range(LAST if len(self.B) else 1):
            a = found.offer(which, self.held - beta @ self.B)
            open_ = found.value[which] > enough
            which, a, beta, before = which[open_], a[open_], beta[open_], before[open_]
            if which.size == 0:
                break
            after = np.clip(beta + a @ self.B.T / curvature, -1.0, 1.0)
            beta = np.clip(after + i / (i + 3.0) * (after - before), -1.0, 1.0)
            before = after

    def on(self, boxes: Boxes) -> Face:
        """The face with the sides of all rows that are known on these boxes."""
        first = np.arange(0, len(boxes), HULL)
        low, high = np.minimum.reduceat(boxes.low, first), np.maximum.reduceat(boxes.high, first)
        up, down = _sides(self.A, low, high), _sides(self.B, low, high)
        return Face(self.A[up == 0], self.B[down == 0], self.c + up @ self.A, self.held - down @ self.B)


class _Found:
    """The least bounds yet of boxes whose convex terms are bounded by ``fixed`` (B, p)."""

    def __init__(self, fixed: Matrix, boxes: Boxes):
        self.fixed, self.boxes, self.pull = fixed, boxes, boxes.pull.copy()
        self.a = shortest(fixed + boxes.pull, boxes)
        self.value: Vector = np.linalg.norm(self.a, axis=1)

    def offer(self, which: NDArray[np.intp], pull: Matrix) -> Matrix:
        """What another pull of some boxes makes of them."""
        a = shortest(self.fixed[which] + pull, self.boxes.take(which))
        value = np.linalg.norm(a, axis=1)
        better = value < self.value[which]
        place = which[better]
        self.a[place], self.pull[place], self.value[place] = a[better], pull[better], value[better]
        return a


def _sides(rows: Matrix, low: Matrix, high: Matrix) -> Vector:
    """(r,): 1 or -1 where a row has that sign on all boxes, else 0."""
    center = 0.5 * (high + low) @ rows[:, :-1].T + rows[:, -1]
    width = 0.5 * (high - low) @ np.abs(rows[:, :-1]).T
    return (center >= width).all(axis=0).astype(float) - (center <= -width).all(axis=0)


def shortest(a: Matrix, boxes: Boxes) -> Matrix:
    """(B, p): nearly the projections of a (B, p) on the cones of the boxes: their lengths bound ``a'w / |w|`` there.

    Any vector of the form ``a + sum_j mu_j (e_j - low_j e_p) + nu_j (high_j e_p - e_j)`` with mu, nu >= 0 does, as what
    is added is nowhere negative on the cone. For a last entry t of the projection, the others are those of a, clipped
    to ``t low`` and ``t high``, which tells mu and nu, and they the last entry: t is found by Newton's method.
    """
    first, last = a[:, :-1], a[:, -1]
    t = np.maximum(last, 0.0)
    for _ in range(STEPS):
        low, high = boxes.low * t[:, None], boxes.high * t[:, None]
        side = np.where(first > high, boxes.high, 0.0) + np.where(first < low, boxes.low, 0.0)
        t = np.maximum((last + np.vecdot(side, first)) / (1.0 + np.vecdot(side, side)), 0.0)
    inside = np.clip(first, boxes.low * t[:, None], boxes.high * t[:, None])
    over = first - inside
    moved = last + np.vecdot(np.where(over > 0.0, boxes.high, boxes.low), over)
    return np.column_stack([inside, np.maximum(moved, 0.0)])

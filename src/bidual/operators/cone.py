"""Exact projections on the polyhedral cones of activation patterns, many at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.operators.active_set import begin, step
from bidual.operators.row_space import row_basis
from bidual.typing import Masks, Matrix, Rows, Vector

BLOCK = 4_000_000
"""Bytes of the groups that are worked on at once: their matrices stay in the cache."""

STEPS = 50
"""Rows that may enter or leave, in units of the dimension, before rounding is taken to go round in circles."""

FREE_BIAS_SCALE = 1e3
"""How much cheaper than a weight an unpenalised bias is while its active rows are being found."""

Places = NDArray[np.intp]


@final
@dataclass(frozen=True)
class Projections:
    """For each group g, ``points[g] = c_g + shifts[g]``, ``shifts[g] = sum_m multipliers[g, m] S X[rows[g, m]]``.

    ``bounds`` (G,) is the largest ``<c, u>`` over the cone's part of the unit ball: any nonnegative multipliers prove
    it, since ``<c, u> <= <c + (S X)'mu, u> <= ||c + (S X)'mu||`` there. ``finished`` (G,) is False where the work
    stopped early, at a point that may lie outside the cone; the bound holds all the same.

    points, shifts : (G, p). rows : (G, m), -1 where there is none. multipliers : (G, m), 0 there, else nonnegative.
    With a free bias the last slot holds the row that makes the bias's part of ``c + (S X)'mu`` zero, which may be
    active in another slot too; there, points are projections, but not that sum.
    """

    points: Matrix
    shifts: Matrix
    rows: Places
    multipliers: Matrix
    bounds: Vector
    finished: NDArray[np.bool_]

    def take(self, groups: NDArray[np.bool_]) -> Projections:
        return Projections(*(getattr(self, f.name)[groups] for f in fields(self)))

    def released(self, X: Rows, masks: Masks, slots: Places) -> Projections:
        """Without the multiplier in one slot of each group: near the projections on the cones across these walls.

        masks : (n, G), of the groups' cones.
        """
        g = np.arange(slots.size)
        rows = self.rows[g, slots]
        amount = self.multipliers[g, slots] * np.where(masks[rows, g], 1.0, -1.0)
        multipliers, shifts = self.multipliers.copy(), self.shifts - amount[:, None] * X[rows]
        multipliers[g, slots] = 0.0
        return replace(self, points=self.points - self.shifts + shifts, shifts=shifts, multipliers=multipliers)


@final
class Cones:
    """The cones ``{u : S_j X u >= 0}``, ``S_j = 2 D_j - 1``, of patterns j with masks D_j.

    X : (n, p), masks : (n, P) bool. With ``free_bias`` the last coordinate is outside the norm; without, the work is
    done in the space that the rows span where that has fewer dimensions.
    """

    def __init__(self, X: Rows, masks: Masks, free_bias: bool = False):
        self.X, self.free_bias = X, free_bias
        self._basis = None if free_bias else row_basis(X)
        self._signs = np.where(masks.T, np.int8(1), np.int8(-1))
        self._unit = float(np.linalg.norm(X[:, :-1], axis=1).max(initial=0.0)) or 1.0
        scaled = X
        if self._basis is not None:  # a last coordinate for what no row sees
            scaled = np.column_stack([X @ self._basis, np.zeros(len(X))])
        if free_bias:  # the weights' unit of length is made that of the bias, which the multipliers do not depend on
            scaled = np.column_stack([X[:, :-1] / self._unit, X[:, -1] * FREE_BIAS_SCALE])
        lengths = np.linalg.norm(scaled, axis=1)
        self._lengths = np.where(lengths > 0.0, lengths, 1.0)
        self._rows = scaled / self._lengths[:, None]

    def project(
        self,
        which: Places,
        C: Matrix,
        target: float = 0.0,
        start: Projections | None = None,
        steps: int = STEPS,
        rounding: float = 0.0,
    ) -> Projections:
        """Project each ``C[g]`` (G, p) on the cone of pattern ``which[g]``, by nonnegative least squares (Moreau).

        Stops early where the bound has fallen to ``target``, or once ``steps`` times p + 1 rows have entered or left.
        ``start``: projections of vectors near these, or near multiples of them, on the same cones. With a free bias the
        multipliers also satisfy ``(c + (S X)'mu)_last = 0`` up to ``rounding``, without which no bound exists;
        ``bounds`` is inf where that is impossible, and ``target`` and ``steps`` are not used. Source: Lawson & Hanson
        1974, chapter 23; Goldfarb & Idnani 1983 (dual active sets).
        """
        if self.free_bias:
            return self._project_free(which, C, start, rounding)
        if self._basis is None:
            return self._project(which, C, target, start, steps)
        Q, along = self._basis, C @ self._basis
        unseen = C - along @ Q.T
        inner = None if start is None else replace(start, shifts=_appended(start.shifts @ Q, 0.0))
        found = self._project(which, _appended(along, np.linalg.norm(unseen, axis=1)), target, inner, steps)
        return replace(found, points=found.points[:, :-1] @ Q.T + unseen, shifts=found.shifts[:, :-1] @ Q.T)

    def _project(self, which: Places, C: Matrix, target: float, start: Projections | None, steps: int) -> Projections:
        G, p = C.shape
        points, finished = C.copy(), np.zeros(G, dtype=bool)
        rows, multipliers = np.full((G, p), -1, dtype=np.intp), np.zeros((G, p))
        if start is not None:
            points, multipliers = _rescaled(C, start)
            rows = np.where(multipliers > 0.0, start.rows, -1)
        hard = np.flatnonzero(np.linalg.norm(points, axis=1) > target)
        size = max(1, BLOCK // (16 * p * p + 10 * self._rows.shape[0]))
        for first in range(0, hard.size, size):
            where = hard[first : first + size]
            mu = multipliers[where] * self._lengths[rows[where]]
            sets = begin(self._rows, where, C[where], self._signs[which[where]], rows[where], mu)
            left = steps * (p + 1)
            while len(sets):
                reached, done, inside = step(self._rows, sets, target)
                left -= 1
                if done.any() or left <= 0:
                    done |= left <= 0
                    w, mu = sets.where[done], sets.multipliers[done]
                    points[w], finished[w] = reached[done], inside[done]
                    rows[w] = np.where(mu > 0.0, sets.rows[done], -1)
                    multipliers[w] = mu / self._lengths[sets.rows[done]]
                    sets = sets.take(~done)
        return Projections(points, points - C, rows, multipliers, np.linalg.norm(points, axis=1), finished)

    def _project_free(self, which: Places, C: Matrix, start: Projections | None, rounding: float) -> Projections:
        """Find the active rows with a nearly free bias, then solve their equality-constrained least squares exactly; a
        row in the last slot closes what is left of the equality."""
        G, p = C.shape
        unit = np.append(np.full(p - 1, 1.0 / self._unit), 1.0)
        scale = np.append(np.ones(p - 1), FREE_BIAS_SCALE)
        warm = None if start is None else self._scaled(which, start)
        near = self._project(which, C * unit * scale, 0.0, warm, STEPS)
        points = near.points * scale * np.append(np.full(p - 1, self._unit), self._unit**2)
        rows, multipliers = np.full((G, p + 1), -1, dtype=np.intp), np.zeros((G, p + 1))
        rows[:, :-1] = near.rows
        bounds = np.empty(G)
        for g, j in enumerate(which):
            A, used = self._signs[j, :, None] * self.X * unit, near.rows[g] >= 0
            active = near.rows[g, used]
            mu, rows[g, -1], last = _least_squares(C[g] * unit, A, active)
            multipliers[g, :-1][used], multipliers[g, -1] = mu, last
            left = C[g] * unit + A[active].T @ mu + A[rows[g, -1]] * last
            closed = abs(left[-1]) <= max(rounding, 1e-12 * float(np.abs(C[g] * unit).sum()))
            bounds[g] = self._unit * float(np.linalg.norm(left[:-1])) if closed else np.inf
        return Projections(points, points - C, rows, multipliers, bounds, near.finished)

    def _scaled(self, which: Places, start: Projections) -> Projections:
        """Without the rows that close the equality, with shifts as they are where the active rows are found."""
        rows, multipliers = start.rows[:, :-1], start.multipliers[:, :-1]
        amount = multipliers * self._signs[which[:, None], rows] * self._lengths[rows]
        return replace(
            start, rows=rows, multipliers=multipliers, shifts=np.einsum("gm,gmp->gp", amount, self._rows[rows])
        )


def _appended(C: Matrix, last: Vector | float) -> Matrix:
    """With one more column."""
    return np.column_stack([C, np.broadcast_to(last, len(C))])


def _rescaled(C: Matrix, start: Projections) -> tuple[Matrix, Matrix]:
    """(points, multipliers): the best multiple of the multipliers of ``start`` for each group."""
    along = -np.einsum("gp,gp->g", C, start.shifts)
    energy = np.einsum("gp,gp->g", start.shifts, start.shifts)
    factor = np.maximum(along, 0.0) / np.where(energy > 0.0, energy, 1.0)
    return C + factor[:, None] * start.shifts, factor[:, None] * start.multipliers


def _least_squares(c: Vector, A: Matrix, rows: Places) -> tuple[Vector, int, float]:
    """(mu, row, last): multipliers, all nonnegative, of the active rows and of one more row with
    ``(c + A[rows]'mu + A[row] last)_last = 0``, where there are any."""
    p, m = c.shape[0] - 1, rows.size
    mu = np.zeros(m)
    if m:
        B, b = A[rows, :p], A[rows, p]
        kkt = np.block([[B @ B.T, b[:, None]], [b[None, :], np.zeros((1, 1))]])
        mu = np.maximum(np.linalg.lstsq(kkt, np.append(-B @ c[:p], -c[p]), rcond=None)[0][:m], 0.0)
    return _close(c, A, rows, mu)


def _close(c: Vector, A: Matrix, rows: Places, mu: Vector) -> tuple[Vector, int, float]:
    """Another row takes what is missing for ``(c + A' mu)_last = 0``; where none can, the multipliers of the other sign
    are shortened. The row is -1 where it is not needed."""
    missing = -(c[-1] + A[rows, -1] @ mu)
    able = np.flatnonzero(A[:, -1] * missing > 0)
    if missing == 0.0:
        return mu, -1, 0.0
    if able.size == 0:
        total = abs(float(A[rows, -1] @ mu))
        return mu * max(0.0, 1.0 - abs(missing) / total) if total > 0.0 else mu, -1, 0.0
    cheapest = able[np.argmin(np.linalg.norm(A[able, :-1], axis=1) / np.abs(A[able, -1]))]
    return mu, int(cheapest), float(missing / A[cheapest, -1])

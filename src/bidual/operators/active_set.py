"""Many small projections on polyhedral cones at once, by the dual active-set method."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.typing import Matrix, Rows, Vector

INSIDE = 1e-11
"""A row is violated when its margin is below this share of the length of what is projected."""

VANISHED = 1e-9
"""A projection shorter than this share of what is projected is 0."""

DEPENDENT = 1e-12
"""A unit row nearer than this to the span of the active rows cannot be told from a row of it."""

LONG = 1e3
"""A dual vector longer than this says that active rows are nearly dependent: when it is dropped, the others are lost in
its rounding, and computed again."""

Places = NDArray[np.intp]
Flags = NDArray[np.bool_]
Signs = NDArray[np.int8]


@final
@dataclass
class ActiveSets:
    """Groups g with vector c_g, cone ``{u : sign * (rows @ u) >= 0}``, and active rows in p slots.

    where : (g,) the caller's numbers of the groups; c : (g, p); signs : (g, n), 1 or -1. rows : (g, p) the row in each
    slot, -1 if it is empty; multipliers : (g, p). active : (g, p, p) the signed unit rows A of the slots.
    dual : (g, p, p) their dual basis T in the span of A, ``T A' = 1`` on the slots in use; empty slots are 0 in both.
    least : (g,) the length of the last point that was optimal on its active rows.
    """

    where: Places
    c: Matrix
    signs: Signs
    rows: Places
    multipliers: Matrix
    active: Matrix
    dual: Matrix
    least: Vector

    def __len__(self) -> int:
        return self.where.size

    def take(self, groups: Flags) -> ActiveSets:
        return ActiveSets(*(getattr(self, f.name)[groups] for f in fields(self)))


def begin(X: Rows, where: Places, c: Matrix, signs: Signs, rows: Places, multipliers: Matrix) -> ActiveSets:
    """The sets that hold the given rows of X, which are independent unit rows, or of length 0."""
    used, least = rows >= 0, np.full(where.size, np.inf)
    if not used.any():
        active, dual = np.zeros((2, *rows.shape, X.shape[1]))
        return ActiveSets(where, c, signs, rows, multipliers, active, dual, least)
    direction = np.take_along_axis(signs, np.maximum(rows, 0), axis=1) * used
    active = X[rows] * direction[:, :, None]
    return ActiveSets(where, c, signs, rows, multipliers, active, _dual(active, used), least)


def step(X: Rows, sets: ActiveSets, target: float) -> tuple[Matrix, Flags, Flags]:
    """Move every group towards its optimum on its active rows; there, let the most violated row in.

    On active rows A the least ``||c + A'mu||`` is at ``mu = -T c``. If some of it is negative, go as far as all
    multipliers stay nonnegative, and drop the row that stops the way.

    Returns (points (g, p), done (g,), finished (g,)): groups are done where no row is violated (then they are
    finished), where the point is no longer than ``target``, or where rounding leaves no progress.
    """
    points, leaving, stopped = _advance(sets)
    length, size = np.linalg.norm(points, axis=1), np.linalg.norm(sets.c, axis=1)
    worst, least = _most_violated(X, sets, points, np.flatnonzero(~stopped))
    finished = ~stopped & ((least >= -INSIDE * size) | (length <= VANISHED * size))
    done = finished | (length <= target) | (~stopped & ~(length < sets.least))
    sets.least = np.where(stopped, sets.least, length)
    return points, _exchange(X, sets, stopped, leaving, worst, done), finished


def _most_violated(X: Rows, sets: ActiveSets, points: Matrix, groups: Places) -> tuple[Places, Vector]:
    """(row (g,), margin (g,)) of the row that is most violated at each group's point; 0 for those not asked for."""
    worst, least = np.zeros(len(sets), dtype=np.intp), np.zeros(len(sets))
    margins = points[groups] @ X.T
    margins *= sets.signs[groups]
    worst[groups] = np.argmin(margins, axis=1)
    least[groups] = np.take_along_axis(margins, worst[groups, None], axis=1)[:, 0]
    return worst, least


def _exchange(X: Rows, sets: ActiveSets, stopped: Flags, leaving: Places, entering: Places, done: Flags) -> Flags:
    """Where a group is ``stopped``, drop the row in slot ``leaving``; else take in the row ``entering`` of X.

    T changes by ``-w t'``: with ``w = T a`` for a new row a, whose dual vector is ``t = r / ||r||^2``, ``r = a - A'w``;
    or with ``w = T T_i``, ``t = T_i / ||T_i||^2`` for the row in slot i. Returns the groups that are done, those that
    cannot take their row in among them.
    """
    g, drops = np.arange(len(sets)), stopped[:, None]
    slot = np.where(stopped, leaving, np.argmin(sets.rows >= 0, axis=1))
    a = X[entering] * sets.signs[g, entering, None]
    w = _times(sets.dual, a)
    r = a - _times_transposed(sets.active, w)
    again = _times(sets.dual, r)
    w, r = w + again, r - _times_transposed(sets.active, again)
    old = sets.dual[g, slot]
    w, r = np.where(drops, _times(sets.dual, old), w), np.where(drops, old, r)
    energy = np.einsum("gp,gp->g", r, r)
    done = done | (~stopped & (energy <= DEPENDENT**2))
    t = r * np.where(done, 0.0, 1.0 / np.where(done, 1.0, energy))[:, None]
    sets.dual -= w[:, :, None] * t[:, None, :]
    sets.dual[g, slot] = np.where(drops, 0.0, t)
    sets.active[g, slot] = np.where(drops, 0.0, a)
    sets.rows[g, slot] = np.where(done, sets.rows[g, slot], np.where(stopped, -1, entering))
    long = np.flatnonzero(stopped & (energy > LONG**2))
    if long.size:
        sets.dual[long] = _dual(sets.active[long], sets.rows[long] >= 0)
    return done


def _dual(active: Matrix, used: Flags) -> Matrix:
    """(g, p, p): the dual bases of the rows A in the slots that are in use."""
    transposed = active.transpose(0, 2, 1)
    gram = active @ transposed
    slots = np.arange(used.shape[1])
    gram[:, slots, slots] += np.where(used, 1e-14, 1.0)  # rounding, so that it is never singular
    dual = np.asarray(np.linalg.solve(gram, active), dtype=float)
    return 2.0 * dual - (dual @ transposed) @ dual  # squares the error


def _advance(sets: ActiveSets) -> tuple[Matrix, Places, Flags]:
    """Set the multipliers; (points (g, p), the slot (g,) that stops the way, whether it does (g,))."""
    best = -_times(sets.dual, sets.c)
    negative = best < 0.0
    stopped: Flags = np.any(negative, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(negative, sets.multipliers / (sets.multipliers - best), np.inf)
    leaving = np.argmin(ratios, axis=1)
    g = np.arange(len(sets))
    share = np.where(stopped, ratios[g, leaving], 1.0)[:, None]
    mu = sets.multipliers + share * (best - sets.multipliers)
    points = sets.c + _times_transposed(sets.active, mu)
    mu = np.where(stopped[:, None], mu, mu - _times(sets.dual, points))  # iterative refinement
    mu[g[stopped], leaving[stopped]] = 0.0
    sets.multipliers = np.maximum(mu, 0.0)
    return sets.c + _times_transposed(sets.active, sets.multipliers), leaving, stopped


def _times(matrices: Matrix, vectors: Matrix) -> Matrix:
    return (matrices @ vectors[:, :, None])[:, :, 0]


def _times_transposed(matrices: Matrix, vectors: Matrix) -> Matrix:
    return (vectors[:, None, :] @ matrices)[:, 0]

"""Exact projection on the polyhedral cone of an activation pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from bidual.typing import Matrix, Vector

FREE_BIAS_SCALE = 1e3
"""How much cheaper than a weight an unpenalised bias is while its active rows are being found."""


@dataclass(frozen=True)
class Projection:
    """The projection ``point = c + A' multipliers`` of c on ``{u : A u >= 0}``.

    ``bound`` is the largest ``<c, u>`` over the cone's part of the unit ball: any nonnegative multipliers prove it,
    since ``<c, u> <= <c + A' mu, u> <= ||c + A' mu||`` there. ``finished`` is False where the work stopped early, at a
    point that may lie outside the cone; the bound holds all the same.
    """

    point: Vector
    rows: NDArray[np.intp]
    multipliers: Vector
    bound: float
    finished: bool = True


def project(c: Vector, A: Matrix, target: float = 0.0, free_bias: bool = False, rounding: float = 0.0) -> Projection:
    """Project c (p,) on the cone ``{u : A u >= 0}``, A (n, p), by nonnegative least squares (Moreau's decomposition).

    Rows enter a working set only when violated, so the cost hardly depends on n. Stops early once the bound has
    fallen to ``target``. With ``free_bias`` the last coordinate is outside the norm; then the multipliers also satisfy
    ``(c + A' mu)_last = 0`` up to ``rounding``, without which no bound exists, and ``bound`` is ``inf`` where that is
    impossible.
    """
    if free_bias:
        return _project_free(c, A, max(rounding, 1e-12 * float(np.abs(c).sum())))
    rows, multipliers, point, finished = _working_set(c, A, target)
    return Projection(point, rows, multipliers, float(np.linalg.norm(point)), finished)


def _working_set(c: Vector, A: Matrix, target: float) -> tuple[NDArray[np.intp], Vector, Vector, bool]:
    size, p = float(np.linalg.norm(c)), c.shape[0]
    lengths = np.linalg.norm(A, axis=1)
    lengths = np.where(lengths > 0, lengths, 1.0)
    rows, mu, point = np.zeros(0, dtype=np.intp), np.zeros(0), c
    best, finished = np.inf, False
    while np.linalg.norm(point) > target:
        margin = A @ point / lengths
        violated = np.flatnonzero(margin < -1e-11 * size)
        if violated.size == 0 or np.linalg.norm(point) <= 1e-9 * size:
            finished = True
            break
        if not np.linalg.norm(point) < best:
            break
        best = float(np.linalg.norm(point))
        if violated.size > 4 * p:
            violated = violated[np.argpartition(margin[violated], 4 * p)[: 4 * p]]
        rows = np.union1d(rows, violated)
        mu = _nonnegative(A[rows] / lengths[rows, None], c)
        rows, mu = rows[mu > 0], mu[mu > 0] / lengths[rows[mu > 0]]
        point = c + A[rows].T @ mu
    return rows, mu, point, finished


def _nonnegative(active: Matrix, c: Vector) -> Vector:
    """argmin over mu >= 0 of ``||c + active' mu||``, refined on its support to full precision."""
    try:
        mu = nnls(active.T, -c, maxiter=30 * active.shape[0] + 100)[0]
    except RuntimeError:  # cycling on nearly parallel rows: any nonnegative multipliers still give a valid bound
        return np.zeros(active.shape[0])
    support = mu > 0
    if support.any():
        refined = np.linalg.lstsq(active[support].T, -c, rcond=None)[0]
        if (refined >= 0).all():
            mu = np.zeros_like(mu)
            mu[support] = refined
    return mu


def _project_free(c: Vector, A: Matrix, rounding: float) -> Projection:
    """Find the active rows with a nearly free bias, then solve their equality-constrained least squares exactly.

    The weights' unit of length is first made that of the bias: the multipliers do not depend on it.
    """
    unit = float(np.linalg.norm(A[:, :-1], axis=1).max(initial=0.0)) or 1.0
    c, A = np.append(c[:-1] / unit, c[-1]), np.column_stack([A[:, :-1] / unit, A[:, -1]])
    scale = np.ones(c.shape[0])
    scale[-1] = FREE_BIAS_SCALE
    rows, _, point, finished = _working_set(c * scale, A * scale, 0.0)
    point = point * scale
    p, m = c.shape[0] - 1, rows.size
    mu = np.zeros(m)
    if m:
        B, b = A[rows, :p], A[rows, p]
        kkt = np.block([[B @ B.T, b[:, None]], [b[None, :], np.zeros((1, 1))]])
        mu = np.maximum(np.linalg.lstsq(kkt, np.append(-B @ c[:p], -c[p]), rcond=None)[0][:m], 0.0)
    rows, mu = _close(c, A, rows, mu)
    left = abs(c[p] + A[rows, p] @ mu)
    bound = unit * float(np.linalg.norm(c[:p] + A[rows, :p].T @ mu)) if left <= rounding else np.inf
    point = np.append(unit * point[:p], unit**2 * point[p])
    return Projection(point, rows, mu, bound, finished)


def _close(c: Vector, A: Matrix, rows: NDArray[np.intp], mu: Vector) -> tuple[NDArray[np.intp], Vector]:
    """Add to one multiplier what is missing for ``(c + A' mu)_last = 0``; where no row can add it, those of the other
    sign are shortened."""
    missing = -(c[-1] + A[rows, -1] @ mu)
    able = np.flatnonzero(A[:, -1] * missing > 0)
    if missing == 0.0:
        return rows, mu
    if able.size == 0:
        total = abs(float(A[rows, -1] @ mu))
        return rows, mu * max(0.0, 1.0 - abs(missing) / total) if total > 0.0 else mu
    cheapest = able[np.argmin(np.linalg.norm(A[able, :-1], axis=1) / np.abs(A[able, -1]))]
    return np.append(rows, cheapest), np.append(mu, missing / A[cheapest, -1])

"""The semidefinite bound of the largest neuron score: quadratics that enclose |z| on each row, on the whole sphere."""

from __future__ import annotations

import numpy as np

from bidual.operators.relaxed_units import relaxed_units
from bidual.operators.smooth import minimise
from bidual.operators.sphere import sphere_maximum
from bidual.typing import Expired, Matrix, Rows, Vector

WIDTH = 1e-3
"""Kinks are rounded over this much of the root mean square of the data while enclosures are sought."""

ROUNDS = 5
"""Climbs at most, each from where the last one ended, until the bound is as small as the score."""


def score_bound(X: Rows, v: Vector, slope: float, touch: Vector) -> float:
    """A bound of ``max over |u| <= 1 of sum_i v_i phi(x_i'u)``, phi with the given negative slope; inf if ``touch``
    (n,) proves none."""
    if touch.shape != v.shape:
        return np.inf
    return float(score_bounds(X, v, slope, touch[None], np.zeros((1, v.size)))[0])


def score_bounds(X: Rows, v: Vector, slope: float, touch: Matrix, sides: Matrix) -> Vector:
    """(L,): a bound of ``max over |u| <= 1 of sum_i v_i phi(x_i'u)`` for each row of ``touch`` and ``sides`` (L, n).

    A row with v_i > 0 and side 1 or -1 has ``z`` or ``-z`` in place of |z|, which is never more.

    ``phi(z) = (1 + slope)/2 z + (1 - slope)/2 |z|``, and on the sphere, where |z| <= nu_i = ||x_i||,

        ``|z| <= t/2 + z^2 / (2 t)``            for any t > 0 (rows with v_i > 0, t = touch_i),
        ``|z| >= g z + (1 - |g|) z^2 / nu_i``   for any g in [-1, 1] (the other rows, g = touch_i),

    which leaves the largest value of one quadratic on the sphere. The best choice of all t and g is the dual of a
    semidefinite relaxation (Shor 1987) with the cuts ``|z| >= z^2 / nu``.

    Rounding: constant, linear and quadratic part are sums of n terms, each correct to a few eps; the sums of their
    sizes are ``mass``. Each part, computed in any order, is within ``(n + 4) eps mass`` of the exact one, the rows in
    fewer coordinates are within ``p n eps`` of their lengths, and the eigenvalues of a (p, p) matrix within ``p^2 eps``
    of its norm (Higham 2002, sections 3.1 and 19.3).
    """
    terms = X.shape[0] + X.shape[1] * min(X.shape) + 4
    X = fewest_columns(X)
    nu = np.linalg.norm(X, axis=1)
    return np.array([_bound(X, nu, v, slope, *leaf, terms) for leaf in zip(touch, sides, strict=True)])


def _bound(X: Rows, nu: Vector, v: Vector, slope: float, touch: Vector, sides: Vector, terms: int) -> float:
    """The bound of one row of ``touch`` and ``sides``."""
    up, moves = (v > 0) & (sides == 0), nu > 0
    t, g = np.where(up, touch, 1.0), np.where(v > 0, sides, touch)
    if not (np.isfinite(touch).all() and (t > 0).all() and (np.abs(g) <= 1).all()):
        return np.inf
    half = 0.5 * (1.0 - slope) * v
    constant = 0.5 * np.where(up & moves, half * t, 0.0)
    linear = 0.5 * (1.0 + slope) * v + half * g
    quadratic = half * np.where(up, 0.5 / t, (1.0 - np.abs(g)) / np.where(moves, nu, 1.0))
    mass = float(np.sum(constant) + np.abs(v) @ nu + np.abs(quadratic) @ nu**2)
    if not 0.0 < mass < np.inf:
        return np.inf if mass else 0.0
    rounding = 4.0 * terms * np.finfo(float).eps * mass
    most = sphere_maximum(X.T @ linear, (X.T * quadratic) @ X, rounding)
    return max(0.0, float(np.sum(constant)) + most + rounding)


def best_unit(X: Rows, v: Vector, slope: float, block: Matrix, expired: Expired) -> tuple[Matrix, Vector]:
    """(block, touch (n,)): the relaxed unit that scores most against v, climbed to from a given block (p+1, r), and
    where its enclosures of |z| touch.

    The dual of choosing enclosures for the least :func:`score_bound` is to choose the relaxed unit of largest score,
    and the best enclosures touch where it is.
    """
    unit = float(np.sqrt(np.mean(X**2))) or 1.0
    units = relaxed_units(X / unit, slope)
    w = v[:, None] / (float(np.abs(v) @ units.nu) / X.shape[1] or 1.0)

    def scored(block: Matrix) -> tuple[float, Matrix]:
        ends = units.ends(block[None], WIDTH)
        return -float(ends.best(w)[0]), -ends.pull(w)[0]

    kept, least = None, np.inf
    for seed in range(ROUNDS):
        block = minimise(scored, _disturbed(block, seed), 500, expired)
        touch = units.ends(block[None], WIDTH).touch(w)[:, 0]
        bound = score_bound(units.X, w[:, 0], slope, touch)
        if kept is None or bound < least:
            kept, least = (block, np.where(v > 0, unit * touch, touch)), bound
        if bound <= -(1.0 + WIDTH) * scored(block)[0] or expired():
            break
    assert kept is not None
    return kept


def _disturbed(block: Matrix, seed: int) -> Matrix:
    """The block, both parts of norm 1, and a little of every direction: those it lacks would have no gradient."""
    noise = np.random.default_rng(seed).standard_normal(block.shape)
    for part, extra in ((block[:1], noise[:1]), (block[1:], noise[1:])):
        extra *= 0.1 / np.linalg.norm(extra)
        extra += part / (np.linalg.norm(part) + 1e-150)
    return noise


def fewest_columns(X: Rows) -> Rows:
    """X (n, p), or, if p > n, its rows in n coordinates: the sphere of the others adds nothing."""
    return X if X.shape[1] <= X.shape[0] else np.asarray(np.linalg.qr(X.T, mode="r")).T

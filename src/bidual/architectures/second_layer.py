"""The largest scores ``max over z in a ball of sum_i v_i (z_i)_+`` on second-layer patterns, and their proofs.

On a pattern with mask l, ``z_i >= 0`` on l and ``z_i <= 0`` off it, so the score is at most the gauge of any w with
``w_i >= v_i`` on l and ``w_i <= 0`` off it: the best w is the dual of the best z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.base import Witness
from bidual.operators.rectifier_ball import RectifierBall
from bidual.typing import Masks, Matrix, Outputs, Vector

Places = NDArray[np.intp]

CLOSE = 1e-8
"""Relative distance of a bound from a score that is not made smaller: that of the conic solver."""


@dataclass
class Candidates:
    """Every listed mask with every output and sign: G triples, the best w (G, n) known of each, and its gauge.

    which : (G, 3) the mask, output and sign; V : (G, n) the signed dual vector; masks : (G, n).
    found : units (2, P, p), output and sign of the best sub-networks that were met.
    """

    ball: RectifierBall
    which: NDArray[np.int64]
    V: Matrix
    masks: Masks
    w: Matrix
    bounds: Vector
    found: list[tuple[Matrix, int, int]]

    @classmethod
    def of(cls, ball: RectifierBall, masks: Masks, V: Outputs, floor: float) -> Candidates:
        """With ``w = D v``, and gauges that need not be computed below ``floor``."""
        j, k, s = (place.ravel() for place in np.indices((masks.shape[1], V.shape[1], 2)))
        which = np.column_stack([j, k, 1 - 2 * s]).astype(np.int64)
        signed, on = which[:, 2:] * V[:, k].T, masks[:, j].T
        w = np.where(on, signed, 0.0)
        return cls(ball, which, signed, on, w, ball.gauge(w, floor), [])

    def settle(self, floor: float) -> None:
        """Make the largest bound smaller until it is at most ``floor`` or the score of a sub-network.

        First on all masks at once that agree where v > 0: elsewhere ``v_i (z_i)_+`` is concave, and any w_i in
        [v_i, 0] will do on both sides. Then mask by mask.
        """
        tried = np.zeros(len(self.bounds), dtype=int)
        best = floor
        while (self.bounds > best * (1.0 + CLOSE)).any():
            g = int(np.argmax(np.where(tried < 2, self.bounds, -np.inf)))
            if tried[g] == 2 or self.bounds[g] <= best * (1.0 + CLOSE):
                return
            group = self._group(g) if tried[g] == 0 else np.array([g])
            best = max(best, self._improve(g, group, exact=bool(tried[g])))
            tried[group] += 1

    def _group(self, g: int) -> Places:
        """The triples about the same output and sign whose masks agree where v > 0."""
        same = (self.which[:, 1:] == self.which[g, 1:]).all(axis=1)
        return np.flatnonzero(same & ((self.masks == self.masks[g]) | (self.V[g] <= 0)).all(axis=1))

    def _improve(self, g: int, group: Places, exact: bool) -> float:
        """The score of the sub-network found, 0 if it has no listed mask."""
        v, on = self.V[g], self.masks[g]
        low, high = np.where(on, v, 0.0), np.where(on, v, 0.0)
        if exact:
            low, high = np.where(on, v, -np.inf), np.where(on, np.inf, 0.0)
        else:
            low, high = np.where(v > 0, low, v), np.where(v > 0, high, 0.0)
        saddle = self.ball.saddle(low, high)
        bound = float(self.ball.gauge(saddle.w[None])[0])
        better = group[bound < self.bounds[group]]
        self.w[better], self.bounds[better] = saddle.w, bound
        own = saddle.z(self.ball) > 0.0
        if not exact and not (self.masks[group] == own).all(axis=1).any():
            return 0.0
        self.found.append((saddle.units, int(self.which[g, 1]), int(self.which[g, 2])))
        return float(v @ np.maximum(saddle.z(self.ball), 0.0))

    def witness(self) -> Witness:
        """The multipliers ``mu = S (w - D v) >= 0``, ``S = 2 D - 1``, of each triple whose w is another than D v."""
        mu = np.where(self.masks, self.w - self.V, -self.w)
        mu = np.maximum(mu, 0.0)
        told = np.flatnonzero(mu.any(axis=1))
        g, rows = np.nonzero(mu[told])
        start = np.concatenate([[0], np.cumsum(np.bincount(g, minlength=told.size))])
        return Witness(self.which[told], start.astype(np.int64), rows.astype(np.int64), mu[told][g, rows])


def witnessed_bound(ball: RectifierBall, masks: Masks, V: Outputs, witness: Witness | None) -> float:
    """The bound over the listed masks that the witness proves; ``w = D v`` where it has no multipliers."""
    told = Candidates.of(ball, masks, V, 0.0)
    if witness is not None and witness.values.size:
        places = {tuple(which): g for g, which in enumerate(told.which)}
        g = np.array([places[tuple(block)] for block in witness.blocks])
        w, each = told.w[g], np.repeat(np.arange(g.size), np.diff(witness.start))
        np.add.at(w, (each, witness.rows), np.where(told.masks[g[each], witness.rows], 1.0, -1.0) * witness.values)
        np.minimum.at(told.bounds, g, ball.gauge(w))
    return float(told.bounds.max(initial=0.0))


def leaf_bounds(
    ball: RectifierBall, v: Vector, touch: Matrix, sides: Matrix, floor: float = 0.0, width: int | None = None
) -> Vector:
    """(L,): a bound of ``max over z in the ball of sum_i v_i (z_i)_+`` for each row of ``touch`` and ``sides`` (L, n).

    The sum is at most ``<w, z> + constant``: with ``w_i = touch_i``, any number in [v_i, 0], where v_i <= 0; where
    v_i > 0, with ``v_i z_i`` on side 1, 0 on side -1, and on side 0 the chord ``v_i (z_i + |x_i|)/2``, as
    ``|z_i| <= |x_i|``. Bounds that are at most ``floor`` may be as loose as that.

    ``width`` 1 or 2: of z with at most so many units. Then leaves of the same sides share their bound, as any of their
    w will do for each unit, or pair of units of opposite signs. (A pair of equal signs is no more than its best unit.)
    """
    W = np.where(v > 0, 0.5 * v * (1.0 + sides), np.clip(touch, np.minimum(v, 0.0), 0.0))
    chords = np.where((v > 0) & (sides == 0), 0.5 * v * ball.reach, 0.0)
    constant = chords.sum(axis=1)
    prices = ball.prices(W, max(0.0, floor - float(constant.max(initial=0.0))))
    return constant + (prices.max(axis=(1, 2), initial=0.0) if width is None else narrow_gauges(prices, sides, width))


def narrow_gauges(prices: NDArray[np.float64], sides: Matrix, width: int) -> Vector:
    """(L,): of the bounds (L, 2, P) of single units, those of at most ``width`` units, the best w of the same sides
    for each."""
    group = np.unique(sides, axis=0, return_inverse=True)[1].ravel()
    bounds = np.zeros(len(group))
    for g in range(group.max(initial=-1) + 1):
        each = [pairs(own, width) for own in prices[group == g]]
        bounds[group == g] = np.min(each, axis=0).max(initial=0.0)
    return bounds


def pairs(prices: Matrix, width: int | None) -> Matrix:
    """(P,) or (P, P): of the bounds (2, P) of single units, those of one positive unit, or of it and a negative one."""
    positive, negative = prices
    return positive if width == 1 else np.maximum(positive[:, None], negative)

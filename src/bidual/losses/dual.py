"""What the conjugates share: the rounding they forgive, the step to their border, the best scaling of a dual vector."""

from __future__ import annotations

from math import inf, isfinite

import numpy as np

from bidual.losses.functions import falling_root
from bidual.typing import Outputs

ROUNDING = 1e-12
"""How far outside the domain, relative to its size, an entry may be and still count as inside."""


def unit_step(a: Outputs, torn: float = 0.0) -> float:
    """The largest t with every entry of ``t a`` in [0, 1] and ``t torn = 0``, up to rounding; 0 if a itself fails."""
    top, outside = max(float(a.max()), 0.0), max(-float(a.min()), torn)
    if not outside <= ROUNDING * max(1.0, top):
        return 0.0
    return min(1.0 / top if top > 0.0 else inf, ROUNDING / outside if outside > 0.0 else inf)


def quadratic_peak(gain: float, curvature: float, limit: float) -> float:
    """The t in [0, limit] that maximises ``gain t - curvature t^2 / 2``."""
    if not gain > 0.0:
        return 0.0
    t = min(limit, gain / curvature if curvature > 0.0 else inf)
    return t if isfinite(t) else 0.0


def entropy_peak(V: Outputs, Q: Outputs, rate: Outputs, slope: float, limit: float) -> float:
    """The t in [0, limit] that maximises an entropy along ``Q - t rate``.

    Its derivative in t is ``sum V log(Q - t rate) - slope``: decreasing, +inf at 0 where some Q = 0, -inf where an
    entry of Q reaches 0. A root of it is exact where comparing values stops at half the digits.
    """

    def derivative(t: float) -> float:
        return float(np.sum(V * np.log(np.maximum(Q - t * rate, 1e-300)))) - slope

    if not 0.0 < limit < inf:
        return 0.0
    low = 1e-18 * limit
    if derivative(low) <= 0.0:
        return 0.0
    if derivative(limit) >= 0.0:
        return limit
    return falling_root(derivative, low, limit)

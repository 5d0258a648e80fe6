"""The matching loss of a ReLU neuron on orthonormal columns, minimised by a semismooth Newton method."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from bidual.typing import Matrix, Vector

STEPS = 200
NEARLY, EXACT = 1e-11, 1e-15
"""The size of the gradient, relative to that at zero, below which a step that does not lower it is due to rounding, and
below which no step is taken."""
PROXIMAL = 1e-10
"""The weight of the distance to the last point: the Hessian of the active rows may be singular."""


def minimise_matching_loss(Q: Matrix, y: Vector) -> Vector:
    """(r,): a minimiser c of ``1/2 ||(Qc)_+||^2 - y'Qc``, Q (n, r) with orthonormal columns, y (n,) not negative.

    The function is convex and piecewise quadratic. The first point is the least-squares solution. Each step solves the
    Newton system of the active rows and goes to the minimum along its direction; a few steps end in a piece that holds
    a minimum.
    """
    b = Q.T @ y
    c, best, least, scale = b, b, np.inf, float(np.linalg.norm(b))
    for _ in range(STEPS):
        z = Q @ c
        gradient = Q.T @ np.maximum(z, 0.0) - b
        size = float(np.linalg.norm(gradient))
        if least <= min(size, NEARLY * scale):
            break
        if size < least:
            best, least = c, size
        if size <= EXACT * scale:
            break
        active = Q[z > 0.0]
        direction = -np.linalg.solve(active.T @ active + PROXIMAL * np.eye(b.size), gradient)
        c = c + _minimum_along(z, Q @ direction, float(b @ direction)) * direction
    return best


def _minimum_along(z: Vector, w: Vector, gain: float) -> float:
    """The t >= 0 where ``w'(z + tw)_+ - gain``, the slope along the direction, becomes zero: it never falls, and is
    linear between the t at which a row switches."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        switches = -z / w
    edges = np.sort(switches[(switches > 0.0) & np.isfinite(switches)])
    k = bisect_left(edges, 0.0, key=lambda t: float(w @ np.maximum(z + t * w, 0.0)) - gain)
    left, right = (edges[k - 1] if k else 0.0), (edges[k] if k < edges.size else np.inf)
    active = z + 0.5 * (left + right) * w > 0.0 if right < np.inf else w > 0.0
    rise = float(w[active] @ w[active])
    return float(np.clip((gain - w[active] @ z[active]) / rise, left, right)) if rise > 0.0 else float(left)

"""Many neurons at once climb to a local maximum of their rounded score, in matrix products only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace

MOMENTUM, STEP = 0.9, 0.2
"""How much of the last step is repeated, and the length of a gradient step relative to the inverse curvature."""


def climb(
    X: Any, T: Any, U: Any, slope: float, width: float, steps: int = 40, expired: Callable[[], bool] = bool
) -> Any:
    """(p, B): unit neurons after an ascent on the sphere of ``sum_i t_i phi_w(x_i'u)``, one target and start per
    column; ``w`` is the ``width``.

    phi_w is ``phi(z) = slope * z + (1 - slope) max(z, 0)`` with its kink replaced by the parabola between -w and w:
    where t_i < 0 a kink is a ridge, along which an ascent of the score itself zigzags. The curvature of column j along
    coordinate k is about ``sum of |t_ij| over its rounded rows / 2w`` times the mean square of x_k, which sets the step
    of a gradient ascent with momentum (Polyak 1964) in each coordinate. So the coordinates should be those of the
    principal axes: with one step for all, an axis of large inputs would overshoot, or all others stand still.

    X : (n, p), T : (n, B) targets, U : (p, B) starts; arrays of one array-API namespace.
    """
    xp = array_namespace(X, T, U)
    energy, linear = xp.mean(X * X, axis=0)[:, None], slope * (X.T @ T) if slope else 0.0
    w = max(width, 1e-30)

    def unit(U: Any) -> Any:
        return U / xp.clip(xp.linalg.vector_norm(U, axis=0), 1e-30, None)

    U, moved, rounded = unit(U), xp.zeros_like(U), 0.0
    for step in range(steps):
        if expired():
            break
        slopes = X @ U
        slopes += w
        slopes *= 0.5 / w
        slopes = xp.clip(slopes, 0.0, 1.0)
        if step % 10 == 0:
            rounded = xp.sum(xp.where((slopes > 0.0) & (slopes < 1.0), xp.abs(T), 0.0), axis=0)
        slopes *= T
        gradient = linear + (1.0 - slope) * (X.T @ slopes)
        # The second term keeps a step shorter than the sphere's radius.
        curvature = (1.0 - slope) * (0.5 / w) * energy * rounded + STEP * xp.linalg.vector_norm(gradient, axis=0)
        gradient = gradient - U * xp.sum(gradient * U, axis=0)
        moved = MOMENTUM * moved + (STEP / (curvature + 1e-30)) * gradient
        moved = moved - U * xp.sum(moved * U, axis=0)
        U = unit(U + moved)
    return U

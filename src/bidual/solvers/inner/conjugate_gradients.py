"""Preconditioned conjugate gradients, for directions that need not be exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bidual.typing import Matrix

ACCURACY, STEPS = 0.1, 60
"""Decrease of the residual that is enough, and the most steps."""


def conjugate_gradients(
    matrix: Callable[[Matrix], Matrix], inverse: Callable[[Matrix], Matrix], residual: Matrix
) -> Matrix:
    """x with ``matrix(x)`` equal to the residual up to :data:`ACCURACY`; ``matrix`` is symmetric and positive definite,
    ``inverse`` close to its inverse. All arrays have the shape and the precision of the residual."""
    x, z = np.zeros_like(residual), inverse(residual)
    search, product, goal = z, np.vdot(residual, z), ACCURACY * np.linalg.norm(residual)
    for _ in range(STEPS):
        image = matrix(search)
        curvature = np.vdot(search, image)
        if not curvature > 0.0:
            break
        step = product / curvature
        x, residual = x + step * search, residual - step * image
        if np.linalg.norm(residual) <= goal:
            break
        z = inverse(residual)
        before, product = product, np.vdot(residual, z)
        search = z + (product / before) * search
    return x

"""Minimising a smooth function of an array."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from bidual.typing import Expired, Matrix


def minimise(function: Callable[[Matrix], tuple[float, Matrix]], start: Matrix, steps: int, expired: Expired) -> Matrix:
    """Where ``steps`` of L-BFGS (Liu & Nocedal 1989) arrive, or those made before the time expired.

    function : an array of the shape of ``start`` -> (value, gradient).
    """

    def flat(x: Matrix) -> tuple[float, Matrix]:
        value, gradient = function(x.reshape(start.shape))
        return value, gradient.ravel()

    def stop_late(_: Matrix) -> None:
        if expired():
            raise StopIteration

    options = {"maxiter": steps, "maxcor": 20, "ftol": 1e-10, "gtol": 1e-8}
    found = minimize(flat, start.ravel(), jac=True, method="L-BFGS-B", callback=stop_late, options=options)
    return np.asarray(found.x).reshape(start.shape)

"""One scalar problem that every closed form comes down to: how much of a target a chain of L layers keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.errors import InvalidParameterError
from bidual.typing import Vector

TIE = 1e-12
"""Relative distance from the threshold at which both minimisers are as good."""


def prox(sigma: ArrayLike, beta: float, n_layers: int) -> tuple[Vector, NDArray[np.bool_]]:
    """``argmin_{s >= 0} (s - sigma)^2 / 2 + beta (L / 2) s^(2 / L)``, and where it is a tie.

    ``(L / 2) s^(2 / L)`` is the least ``sum_l t_l^2 / 2`` of L numbers whose product is s (Ergen & Pilanci 2020). For
    L = 2 this is the soft threshold. For L >= 3 the minimiser jumps, from 0 to ``s_c = (beta (L - 2))^(L / (2 L -
    2))``, at ``sigma_c = s_c + beta s_c^(2 / L - 1)``, where both are as good: there it is 0, and a tie.

    sigma : nonnegative, any shape. Both results have its shape.

    Raises
    ------
    InvalidParameterError
        beta is negative or not finite, n_layers is below 2, or a sigma is negative or not finite.
    """
    values = np.asarray(sigma, dtype=float)
    if not (beta >= 0 and np.isfinite(beta)):
        raise InvalidParameterError(f"beta must be a finite number, not negative, got {beta!r}")
    if n_layers < 2:
        raise InvalidParameterError(f"n_layers must be at least 2, got {n_layers!r}")
    if not (np.isfinite(values) & (values >= 0)).all():
        raise InvalidParameterError("sigma must be finite and not negative; a sign belongs to the direction")
    power = 2.0 / n_layers - 1.0
    if n_layers == 2 or beta == 0:
        return np.maximum(values - beta, 0.0), np.zeros(values.shape, dtype=bool)
    jump = (beta * (n_layers - 2)) ** (n_layers / (2 * n_layers - 2))
    threshold = jump + beta * jump**power
    tie = np.abs(values - threshold) <= TIE * threshold
    above = (values > threshold) & ~tie
    s = np.where(above, values, 1.0)
    for _ in range(100):  # s - sigma + beta s^(2/L - 1) is convex in s, so Newton falls to the largest root
        step = (s - values + beta * s**power) / (1.0 + beta * power * s ** (power - 1.0))
        step = np.where(above, np.maximum(step, 0.0), 0.0)
        s = s - step
        if (step <= 1e-16 * s).all():
            break
    return np.where(above, s, 0.0), tie

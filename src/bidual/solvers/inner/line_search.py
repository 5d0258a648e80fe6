"""Exact one-dimensional minimisation of a convex loss, and the intercept by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from bidual.problem import Problem
from bidual.typing import Outputs, Vector


def best_step(problem: Problem, F: Outputs, D: Outputs, longest: float, price: float = 0.0) -> float:
    """``argmin over 0 <= g <= longest of L(F + g D) + price g`` for a smooth loss; ``longest`` may be inf."""

    def slope(g: float) -> float:
        return float(np.sum(D * problem.loss.gradient(F + g * D, problem.Y, problem.weights))) + price

    return _root(slope, longest)


def best_intercept(problem: Problem, F: Outputs, b: Vector) -> tuple[Outputs, Vector]:
    """(F, b) with each entry of the intercept b in turn at its best; as they are if the problem has none."""
    if not problem.intercept:
        return F, b
    F, b = F.copy(), b.copy()
    for k in range(b.size):
        column = np.zeros_like(F)
        column[:, k] = 1.0
        up = best_step(problem, F, column, np.inf)
        shift = up if up > 0 else -best_step(problem, F, -column, np.inf)
        F[:, k] += shift
        b[k] += shift
    return F, b


def _root(rising: Callable[[float], float], longest: float) -> float:
    """Where a rising function is 0 in [0, longest]: an end if it is not; at most 2^60 where it never is."""
    low, step = 0.0, min(1.0, longest)
    if longest <= 0 or rising(0.0) >= 0:
        return 0.0
    for _ in range(60):
        if rising(step) >= 0:
            return float(brentq(rising, low, step, xtol=1e-15 * step, rtol=1e-14))
        if step >= longest:
            break
        low, step = step, min(2.0 * step, longest)
    return step

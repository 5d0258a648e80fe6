"""One output weight at a time: the boosting-like step of an incremental network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from bidual.architectures import Neurons
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.master import Amplitudes
from bidual.typing import Outputs, Vector


def boost(problem: Problem, neurons: Neurons, t: Vector, b: Vector) -> Amplitudes:
    """The best amplitude of the one neuron that promises most, all others as they are; then the best intercept.

    What neuron j promises is ``|score_j - price|``, or 0 if its amplitude is 0 and its score no more than the price:
    greedy coordinate descent, which lets neurons shrink as well as grow. The loss must be smooth, the penalty a
    Strength.
    """
    assert isinstance(problem.penalty, Strength)
    price = problem.penalty.beta
    H, A = problem.architecture.activations(problem.lifted, neurons), neurons.outputs
    F = (H * t) @ A.T + b
    promise = np.einsum("nm,nm->m", problem.dual_vector(F) @ A, H) - price
    promise[(t <= 0) & (promise < 0)] = 0.0
    j = int(np.argmax(np.abs(promise)))
    column = np.multiply.outer(H[:, j], A[:, j])
    rest = F - t[j] * column

    def slope(x: float) -> float:
        return float(np.sum(column * problem.loss.gradient(rest + x * column, problem.Y, problem.weights))) + price

    t = t.copy()
    t[j] = 0.0 if slope(0.0) >= 0 else _root(slope, 0.0, max(t[j], 1e-3))
    F, b = rest + t[j] * column, b.copy()
    for k in range(b.size) if problem.intercept else ():
        shift = _best_shift(problem, F, k)
        F[:, k] += shift
        b[k] += shift
    return Amplitudes(t, b, problem.dual_vector(F), price)


def _best_shift(problem: Problem, F: Outputs, k: int) -> float:
    def slope(x: float) -> float:
        shifted = F.copy()
        shifted[:, k] += x
        return float(problem.loss.gradient(shifted, problem.Y, problem.weights)[:, k].sum())

    now = slope(0.0)
    if now == 0.0:
        return 0.0
    return _root(slope, 0.0, 1.0) if now < 0 else -_root(lambda x: -slope(-x), 0.0, 1.0)


def _root(rising: Callable[[float], float], low: float, step: float) -> float:
    """Where a rising function, negative at ``low``, is 0; at most 2^60 steps above, where a loss has no minimum."""
    for _ in range(60):
        if rising(low + step) >= 0:
            return float(brentq(rising, low, low + step, xtol=1e-14 * (low + step), rtol=1e-14))
        low, step = low + step, 2.0 * step
    return low

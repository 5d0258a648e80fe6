"""One output weight at a time: the boosting-like step of an incremental network."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Neurons
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.line_search import best_intercept, best_step
from bidual.solvers.inner.master import Amplitudes
from bidual.typing import Vector


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
    rest, t = F - t[j] * column, t.copy()
    t[j] = best_step(problem, rest, column, np.inf, price)
    F, b = best_intercept(problem, rest + t[j] * column, b)
    return Amplitudes(t, b, problem.dual_vector(F), price)

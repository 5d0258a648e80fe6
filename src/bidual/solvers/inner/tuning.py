"""Joint fine-tuning of hidden and output weights of units that are smooth: an optional step of Bengio et al. 2006."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from bidual.architectures import Neurons
from bidual.problem import Problem
from bidual.solvers.inner.master import Amplitudes
from bidual.typing import Expired, Vector


def tune_tanh(
    problem: Problem, neurons: Neurons, start: Amplitudes, max_iter: int, expired: Expired
) -> tuple[Neurons, Vector, Vector]:
    """L-BFGS-B on ``L(sum_j t_j tanh(X u_j) a_j' + 1 b') + price sum t`` over U, t >= 0 and b, outputs a_j fixed.

    Not convex in U: the result is worth taking only where the objective has fallen. The loss must be smooth. Returns
    neurons, amplitudes and intercept.
    """
    Xl, A, (p, m) = problem.lifted, neurons.outputs, neurons.inputs.shape

    def value(z: Vector) -> tuple[float, Vector]:
        U, t, b = z[: p * m].reshape(p, m), z[p * m : (p + 1) * m], z[(p + 1) * m :]
        H = np.tanh(Xl @ U)
        F = (H * t) @ A.T + b
        G = problem.loss.gradient(F, problem.Y, problem.weights)
        back = G @ A
        slopes = Xl.T @ (back * (1.0 - H**2) * t)
        intercept = G.sum(axis=0) if problem.intercept else np.zeros_like(b)
        parts = [slopes.ravel(), np.einsum("nm,nm->m", back, H) + start.price, intercept]
        return problem.loss_value(F) + start.price * float(t.sum()), np.concatenate(parts)

    def watch(z: Vector) -> None:
        if expired():
            raise StopIteration

    z = np.concatenate([neurons.inputs.ravel(), start.t, start.b])
    bounds = [(None, None)] * (p * m) + [(0.0, None)] * m + [(None, None)] * start.b.size
    options = {"maxiter": max_iter, "maxfun": 2 * max_iter, "gtol": 1e-10}
    z = minimize(value, z, jac=True, method="L-BFGS-B", bounds=bounds, callback=watch, options=options).x
    return Neurons(z[: p * m].reshape(p, m), A), z[p * m : (p + 1) * m], z[(p + 1) * m :]

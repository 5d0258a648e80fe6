"""Joint descent of all weights of a network: neurons slide to where the finite list would never put them."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from bidual.architectures import Neurons
from bidual.oracles import Expired
from bidual.problem import Problem
from bidual.solvers.inner.master import Amplitudes
from bidual.typing import Matrix, Vector


def descend(
    problem: Problem, neurons: Neurons, start: Amplitudes, max_iter: int, expired: Expired
) -> tuple[Neurons, Vector, Vector]:
    """L-BFGS on ``L + price/2 sum_j (|u_j|^2 + |a_j|^2)`` over all input and output weights, balanced at the start.

    The objective is not convex and has kinks: this is a source of neurons, nothing rests on it. With separate outputs
    a neuron keeps the output it feeds. Returns neurons (with the gates they had), amplitudes and intercept.
    """
    architecture, Xl, Y, s = problem.architecture, problem.lifted, problem.Y, problem.weights
    p, m, c = Xl.shape[1], len(neurons), problem.n_outputs
    root = np.sqrt(start.t)
    U, A = neurons.inputs * root, neurons.outputs * root
    allowed = A != 0 if architecture.outputs == "separate" else np.ones_like(A, dtype=bool)
    norm_rows = slice(None, -1) if architecture.bias == "free" else slice(None)

    def split(z: Vector) -> tuple[Matrix, Matrix, Vector]:
        return z[: p * m].reshape(p, m), z[p * m : (p + c) * m].reshape(c, m), z[(p + c) * m :]

    def objective(z: Vector) -> tuple[float, Vector]:
        U, A, b = split(z)
        Z = Xl @ U
        slopes = architecture.slopes(Xl, Neurons(U, A, neurons.gates), Z)
        H = slopes * Z
        F = H @ A.T + b
        R = problem.loss.gradient(F, Y, s)
        gU = Xl.T @ (slopes * (R @ A))
        gU[norm_rows] += start.price * U[norm_rows]
        gA = (R.T @ H + start.price * A) * allowed
        gb = R.sum(axis=0) if problem.intercept else np.zeros(c)
        decay = 0.5 * start.price * (np.sum(U[norm_rows] ** 2) + np.sum(A**2))
        return problem.loss.value(F, Y, s) + float(decay), np.concatenate([gU.ravel(), gA.ravel(), gb])

    def watch(z: Vector) -> None:
        if expired():
            raise StopIteration

    z = np.concatenate([U.ravel(), A.ravel(), start.b])
    options = {"maxiter": max_iter, "maxfun": 2 * max_iter, "maxcor": 10, "gtol": 1e-10, "ftol": 1e-8}
    found = minimize(objective, z, jac=True, method="L-BFGS-B", callback=watch, options=options)
    U, A, b = split(found.x)
    u, a = architecture.input_norm(U), architecture.output_norm(A)
    keep = u * a > 1e-9 * max(float((u * a).max(initial=0.0)), 1e-300)
    gates = None if neurons.gates is None else neurons.gates[:, keep]
    return Neurons(U[:, keep] / u[keep], A[:, keep] / a[keep], gates), (u * a)[keep], b

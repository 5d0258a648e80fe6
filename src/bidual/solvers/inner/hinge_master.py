"""The master problem of the hinge loss: a linear program, whose multipliers are the dual vector."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack, vstack

from bidual.architectures import Neurons
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers.inner.master import Amplitudes


def solve_hinge_master(problem: Problem, neurons: Neurons) -> Amplitudes:
    """``min over t >= 0, b and xi >= 0 of  s'xi + beta sum t  s.t.  Y (sum_j t_j activation_j a_j' + 1 b') >= 1 - xi``,
    or with ``sum t <= radius`` in place of the price, by HiGHS.

    The multipliers a in [0, s] of the rows give the dual vector ``Y a``, which no subgradient would (Bengio et al.
    2006).
    """
    n, c, m = *problem.Y.shape, len(neurons)
    H = problem.architecture.activations(problem.lifted, neurons)
    columns = np.einsum("nm,cm->ncm", H, neurons.outputs).reshape(n * c, m)
    free = np.tile(np.eye(c), (n, 1)) if problem.intercept else np.zeros((n * c, 0))
    rows = problem.Y.reshape(-1, 1) * np.hstack([columns, free])
    A = hstack([csr_array(-rows), -eye_array(n * c)])
    limits = -np.ones(n * c)
    ball = isinstance(problem.penalty, Ball)
    if isinstance(problem.penalty, Ball):
        A = vstack([A, csr_array(np.concatenate([np.ones(m), np.zeros(free.shape[1] + n * c)])[None])])
        limits = np.append(limits, problem.penalty.radius)
    price = problem.penalty.beta if isinstance(problem.penalty, Strength) else 0.0
    cost = np.concatenate([np.full(m, price), np.zeros(free.shape[1]), np.repeat(problem.weights, c)])
    bounds = [(0, None)] * m + [(None, None)] * free.shape[1] + [(0, None)] * (n * c)
    found = linprog(cost, A_ub=A.tocsr(), b_ub=limits, bounds=bounds, method="highs-ds")
    if found.status != 0:
        raise ArithmeticError(f"HiGHS did not solve the linear program of {m} neurons: {found.message}")
    a = np.clip(-found.ineqlin.marginals[: n * c].reshape(n, c), 0.0, problem.weights[:, None])
    b = found.x[m : m + c] if problem.intercept else np.zeros(c)
    if ball:
        price = max(-float(found.ineqlin.marginals[-1]), 0.0)
    return Amplitudes(np.maximum(found.x[:m], 0.0), b, problem.feasible(problem.Y * a), price)

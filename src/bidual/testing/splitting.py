"""A second opinion on finite programs without cones: operator splitting, which shares no step with Newton's method."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from bidual.errors import RefusedError
from bidual.penalties import Strength
from bidual.program import Program
from bidual.solvers.inner.proximal_gradient import shrink
from bidual.typing import Matrix, Outputs, Vector

MOST_ROWS = 3000


def graph_splitting(program: Program) -> Iterator[tuple[Matrix, Vector, Outputs]]:
    """Steps (U, b, V) of ADMM in graph form (Parikh & Boyd 2014) for ``min L(F) + beta sum of norms`` over the graph
    ``F = sum_j D_j X U_j + 1 b'``: in turn the proximal points of L and of the norms, and the nearest point of the
    graph.

    The latter needs ``sum_j D_j X X'D_j = (X X') o (D D')``, a Hadamard product of n x n matrices, factored once.
    V is a subgradient of -L, so a dual vector. For any loss, separate or shared outputs, and at most 3000 rows. Some
    hundred steps to a relative gap of 1e-6.

    Raises RefusedError for programs with cones, balls, and more rows.
    """
    problem, data = program.problem, program.data
    n, p = problem.lifted.shape
    if program.coned or not isinstance(problem.penalty, Strength) or n > MOST_ROWS:
        raise RefusedError(f"graph_splitting is for a Strength, blocks without cones and at most {MOST_ROWS} rows")
    beta, lengths = problem.penalty.beta, data.energy
    tau = 10.0 / float(np.mean(problem.weights))
    sigma = 0.3 * float(np.linalg.norm(problem.Y)) * p**0.5 / (beta * max(lengths, 1e-300) ** 0.5)
    w = sigma * lengths / n if problem.intercept else 0.0
    kernel = (problem.lifted @ problem.lifted.T) * (program.slopes @ program.slopes.T)
    factor = cho_factor(tau * np.eye(n) + sigma * kernel + w)
    U, b, F = np.zeros(program.shape), np.zeros(problem.n_outputs), np.zeros_like(problem.Y)
    while True:
        short = shrink(U, sigma * beta, program.shared)
        near = problem.loss.proximal(F, problem.Y, problem.weights, tau)
        V = (near - F) / tau
        beyond, F_beyond = 2.0 * short - U, 2.0 * near - F
        theta = cho_solve(factor, F_beyond - program.forward(beyond, b))
        U = short + sigma * data.adjoint(theta)
        F = near - tau * theta
        b = b + w * theta.sum(axis=0)
        yield short, b, V

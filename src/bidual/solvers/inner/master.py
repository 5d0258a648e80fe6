"""The master problem: the best amplitudes and intercept of given neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import brentq, nnls

from bidual.architectures import Neurons, no_neurons
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.typing import Matrix, Outputs, Vector


@dataclass(frozen=True)
class Amplitudes:
    """t (m,) >= 0, the intercept b (c,), the dual vector V (n, c), and the price of one unit of size."""

    t: Vector
    b: Vector
    V: Outputs
    price: float


def solve_master(problem: Problem, neurons: Neurons, t: Vector, b: Vector, tol: float = 1e-10) -> Amplitudes:
    """``min over t >= 0 and b of L(sum_j t_j activation_j a_j' + 1 b') + r(sum t)``, started from t (m,) and b (c,).

    The loss must be smooth. A strength: Newton's method with nonnegative least squares. A ball: the strength at which
    the size equals the radius, by Brent's method.
    """
    columns = _Columns(problem, problem.architecture.activations(problem.lifted, neurons), neurons.outputs)
    if isinstance(problem.penalty, Strength):
        beta = problem.penalty.beta
        t, b, F = _newton(columns, beta, t, b, tol)
        return Amplitudes(t, b, problem.dual_vector(F), beta)
    assert isinstance(problem.penalty, Ball)
    return _on_ball(problem, columns, problem.penalty.radius, t, b, tol)


def intercept_only(problem: Problem) -> tuple[Vector, Outputs]:
    """(b, F): the best constant predictions of a smooth loss, 0 without an intercept."""
    empty = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    b = np.zeros(problem.n_outputs)
    if problem.intercept:
        b = solve_master(problem, empty, np.zeros(0), b).b
    return b, np.tile(b, (problem.X.shape[0], 1))


class _Columns:
    """The linear map from (t, b) to predictions: column j is ``H_j a_j'``, then one constant for each output."""

    def __init__(self, problem: Problem, H: Matrix, A: Matrix):
        self.problem, self.m, self.c = problem, A.shape[1], A.shape[0]
        if problem.intercept:
            H, A = np.column_stack([H, np.ones((H.shape[0], self.c))]), np.hstack([A, np.eye(self.c)])
        self.H, self.A = H, A

    def pack(self, t: Vector, b: Vector) -> Vector:
        return np.append(t, b) if self.problem.intercept else t.copy()

    def unpack(self, z: Vector) -> tuple[Vector, Vector]:
        return z[: self.m], z[self.m :] if self.problem.intercept else np.zeros(self.c)

    def predict(self, z: Vector) -> Outputs:
        return (self.H * z) @ self.A.T

    def adjoint(self, R: Outputs) -> Vector:
        return np.einsum("nm,nm->m", self.H, R @ self.A)

    def gram(self, F: Outputs) -> Matrix:
        """The Hessian of the loss in all variables."""
        h, q = self.problem.loss.hessian(F, self.problem.Y, self.problem.weights)
        G = np.zeros((self.A.shape[1], self.A.shape[1]))
        for k in range(self.c):
            feeds = np.flatnonzero(self.A[k])
            part = self.H[:, feeds] * (np.sqrt(h[:, k])[:, None] * self.A[k, feeds])
            G[np.ix_(feeds, feeds)] += part.T @ part
        if q is not None:
            coupled = self.H * (q @ self.A)
            G -= coupled.T @ coupled
        return G


def _newton(
    columns: _Columns, beta: float, t: Vector, b: Vector, tol: float, max_iter: int = 100
) -> tuple[Vector, Vector, Outputs]:
    """Newton's method for ``L + beta sum t`` over t >= 0, b free; each quadratic model is solved exactly, by
    nonnegative least squares, so that zeros are exact and nearly parallel columns do no harm."""
    problem, m = columns.problem, columns.m
    z = columns.pack(t, b)
    cost = np.where(np.arange(z.size) < m, beta, 0.0)

    def value(z: Vector) -> tuple[float, Outputs]:
        F = columns.predict(z)
        return problem.loss_value(F) + float(cost @ z), F

    f, F = value(z)
    for _ in range(max_iter):
        g = columns.adjoint(problem.loss.gradient(F, problem.Y, problem.weights)) + cost
        violation = np.where((cost > 0) & (z <= 0), np.maximum(-g, 0.0), np.abs(g))
        if violation.max(initial=0.0) <= tol * beta:
            break
        direction = _quadratic(columns.gram(F), g, z, m) - z
        step, (f_new, F_new) = 1.0, value(z + direction)
        while not f_new <= f + 1e-4 * step * float(g @ direction) and step > 1e-9:
            step *= 0.5
            f_new, F_new = value(z + step * direction)
        if not f_new < f:
            break
        z, f, F = z + step * direction, f_new, F_new
    t, b = columns.unpack(z)
    return t, b, F


def _quadratic(G: Matrix, g: Vector, z: Vector, m: int) -> Vector:
    """argmin over x with x[:m] >= 0 of ``(x - z)'G(x - z)/2 + g'x``; the free part is eliminated by Schur."""
    G = G + np.diag(np.full(z.size, 1e-14 * max(np.trace(G) / max(z.size, 1), 1e-300)))
    linear = g - G @ z
    free = (_root(G[m:, m:]), False) if z.size > m else None
    reduced, rhs = G[:m, :m], -linear[:m]
    if free is not None:
        coupling = cho_solve(free, G[m:, :m])
        reduced, rhs = reduced - G[:m, m:] @ coupling, rhs + coupling.T @ linear[m:]
    x = np.zeros_like(z)
    if m:
        R = _root(reduced)
        x[:m] = nnls(R, solve_triangular(R, rhs, trans="T"), maxiter=30 * m)[0]
    if free is not None:
        x[m:] = cho_solve(free, -linear[m:] - G[m:, :m] @ x[:m])
    return x


def _root(G: Matrix) -> Matrix:
    """Upper triangular R with ``R'R = G``, G positive semidefinite up to rounding."""
    jitter = 1e-15 * max(float(np.trace(G)) / G.shape[0], 1e-300)
    while True:
        try:
            return cholesky(G + jitter * np.eye(G.shape[0]))
        except np.linalg.LinAlgError:
            jitter *= 10.0


def _on_ball(problem: Problem, columns: _Columns, radius: float, t: Vector, b: Vector, tol: float) -> Amplitudes:
    """Raise the price from nearly nothing until the size is the radius."""
    F = columns.predict(columns.pack(np.zeros_like(t), b))
    highest = float(columns.adjoint(problem.dual_vector(F))[: columns.m].max(initial=0.0))
    solution = (t, b, F)

    def excess(log_price: float) -> float:
        nonlocal solution
        solution = _newton(columns, float(np.exp(log_price)), solution[0], solution[1], tol)
        return float(solution[0].sum()) - radius

    price = 0.0
    if radius == 0.0 or highest <= 0.0:
        t, b, F = _newton(columns, 2.0 * max(highest, 1.0), np.zeros_like(t), b, tol)
        price = highest
    else:
        low, high = np.log(highest) - 25.0, np.log(highest) + 2.0
        if excess(low) > 0:
            price = float(np.exp(brentq(excess, low, high, xtol=1e-13, rtol=1e-14)))
        else:
            price = float(np.exp(low))
        t, b, F = solution
        size = float(t.sum())
        if size > radius:
            t = t * (radius / size)
            F = columns.predict(columns.pack(t, b))
    return Amplitudes(t, b, problem.dual_vector(F), price)

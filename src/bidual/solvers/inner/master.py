"""The master problem: the best amplitudes and intercept of given neurons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import brentq, nnls

from bidual.architectures import Neurons, no_neurons
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.typing import Matrix, Outputs, Vector

ROUNDING = 4e-16
"""Relative rounding error of the objective."""


@dataclass(frozen=True)
class Amplitudes:
    """t (m,) >= 0, the intercept b (c,), the dual vector V (n, c), and the price of one unit of size."""

    t: Vector
    b: Vector
    V: Outputs
    price: float


def solve_master(
    problem: Problem, neurons: Neurons, t: Vector, b: Vector, price: float = 0.0, tol: float = 1e-10
) -> Amplitudes:
    """``min over t >= 0 and b of L(sum_j t_j activation_j a_j' + 1 b') + r(sum t)``, started from t (m,), b (c,)
    and, for a ball, a guess of the price.

    The loss must be smooth.
    """
    columns = _Columns(problem, problem.architecture.activations(problem.lifted, neurons), neurons.outputs)
    penalty = problem.penalty
    if isinstance(penalty, Ball) and t.sum() > penalty.radius:
        t = t * (penalty.radius / float(t.sum()))
    t, b, F, price = _newton(columns, t, b, price, tol)
    return Amplitudes(t, b, problem.dual_vector(F), price)


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

    def energy(self) -> Vector:
        """The Hessian's diagonal if the loss had curvature 1 everywhere."""
        return (self.problem.weights @ self.H**2) * np.sum(self.A**2, axis=0)

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
    columns: _Columns, t: Vector, b: Vector, price: float, tol: float, max_iter: int = 100
) -> tuple[Vector, Vector, Outputs, float]:
    """Newton's method for ``L + price sum t`` (strength) or L over ``sum t <= radius`` (ball), t >= 0 and b free.

    Each quadratic model is solved exactly, by nonnegative least squares, so that zeros are exact and nearly parallel
    columns do no harm. Steps that do not decrease the objective are damped (Levenberg & Marquardt).
    """
    problem, m = columns.problem, columns.m
    ball = problem.penalty.radius if isinstance(problem.penalty, Ball) else None
    fixed = problem.penalty.beta if isinstance(problem.penalty, Strength) else 0.0
    z, bounded = columns.pack(t, b), np.arange(columns.A.shape[1]) < m

    def value(z: Vector) -> tuple[float, Outputs]:
        F = columns.predict(z)
        return problem.loss_value(F) + fixed * float(z[:m].sum()), F

    def gradient(F: Outputs) -> Vector:
        return columns.adjoint(problem.loss.gradient(F, problem.Y, problem.weights))

    def violation(z: Vector, g: Vector, price: float) -> float:
        slope = g + price * bounded
        worst = float(np.where(bounded & (z <= 0), np.maximum(-slope, 0.0), np.abs(slope)).max(initial=0.0))
        # A positive price is right only where the budget is spent.
        return max(worst, price * (1.0 - float(z[:m].sum()) / ball)) if ball else worst

    energy = columns.energy()
    f, F = value(z)
    damping = 0.0
    for _ in range(max_iter):
        g = gradient(F)
        G = columns.gram(F)
        if np.trace(G) <= 1e-10 * energy.sum():
            damping = max(damping, 1e-6)
        for _ in range(30):
            trial, price = _model_minimum(G + np.diag(damping * energy), g, z, m, fixed, ball, price)
            f_new, F_new = value(trial)
            if f_new <= f + 1e-4 * float((g + fixed * bounded) @ (trial - z)) + ROUNDING * abs(f):
                break
            damping = max(10.0 * damping, 1e-8)
        left = violation(z, g, price)
        if left <= tol * max(price, tol):
            break
        if not f_new < f and not violation(trial, gradient(F_new), price) < 0.5 * left:
            break  # otherwise rounding hides the decrease, as where the loss is steep
        z, f, F, damping = trial, f_new, F_new, 0.1 * damping if damping > 1e-12 else 0.0
    t, b = columns.unpack(z)
    return t, b, F, price


def _model_minimum(
    G: Matrix, g: Vector, z: Vector, m: int, price: float, radius: float | None, guess: float
) -> tuple[Vector, float]:
    """argmin over x with x[:m] >= 0 of ``(x - z)'G(x - z)/2 + g'(x - z) + price sum x[:m]``, and the price; with a
    radius, the price is the multiplier of ``sum x[:m] <= radius``.

    The unbounded part is eliminated by its Schur complement. The size falls continuously with the price, so Brent's
    method finds the multiplier.
    """
    G = G + np.diag(np.full(z.size, 1e-14 * max(np.trace(G) / max(z.size, 1), 1e-300)))
    linear = g - G @ z
    free = (_root(G[m:, m:]), False) if z.size > m else None
    reduced, rhs = G[:m, :m], -linear[:m]
    if free is not None:
        coupling = cho_solve(free, G[m:, :m])
        reduced, rhs = reduced - G[:m, m:] @ coupling, rhs + coupling.T @ linear[m:]
    R = _root(reduced) if m else reduced

    def bounded_part(price: float) -> Vector:
        if m == 0 or price >= rhs.max():
            return np.zeros(m)
        return nnls(R, solve_triangular(R, rhs - price, trans="T"), maxiter=30 * m)[0]

    if radius is not None:
        price = _multiplier(lambda p: float(bounded_part(p).sum()), radius, float(rhs.max(initial=0.0)), guess)
    x = np.zeros_like(z)
    x[:m] = bounded_part(price) if radius is None else _fill(bounded_part, price, radius)
    if radius is not None and x[:m].sum() > radius:
        x[:m] *= radius / float(x[:m].sum())
    if free is not None:
        x[m:] = cho_solve(free, -linear[m:] - G[m:, :m] @ x[:m])
    return x, price


def _multiplier(size: Callable[[float], float], radius: float, highest: float, guess: float) -> float:
    """The price in [0, highest] at which the size is the radius; 0 if it never is larger."""
    if highest <= 0.0 or radius == 0.0:
        return max(highest, 0.0)
    if size(0.0) <= radius:
        return 0.0
    low, high = 0.0, highest
    if 0.0 < guess < highest:
        low, high = (guess, highest) if size(guess) > radius else (0.0, guess)
    return float(brentq(lambda p: size(p) - radius, low, high, xtol=1e-15 * highest, rtol=1e-14))


def _fill(bounded_part: Callable[[float], Vector], price: float, radius: float) -> Vector:
    """The bounded part of size ``radius`` at the price. Columns without curvature make the size jump there: then it is
    the mixture of the parts on both sides of the jump, which are both optimal up to rounding."""
    x, step = bounded_part(price), 1e-15 * price
    while x.sum() < radius * (1.0 - 1e-12) and step < price:
        below = bounded_part(price - step)
        if below.sum() >= radius:
            return x + (radius - x.sum()) / (below.sum() - x.sum()) * (below - x)
        step *= 4.0
    return x


def _root(G: Matrix) -> Matrix:
    """Upper triangular R with ``R'R = G``, G positive semidefinite up to rounding."""
    jitter = 1e-15 * max(float(np.trace(G)) / G.shape[0], 1e-300)
    while True:
        try:
            return cholesky(G + jitter * np.eye(G.shape[0]))
        except np.linalg.LinAlgError:
            jitter *= 10.0

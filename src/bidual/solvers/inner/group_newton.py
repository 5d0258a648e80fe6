"""Semismooth Newton on the dual, inside a proximal-point method: the finite programs without cones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from bidual.penalties import Strength
from bidual.program import Program
from bidual.solvers.inner.preconditioner import MeanField
from bidual.typing import Matrix, Outputs, Vector

GROWTH, SETTLED, ACCURACY = 2.5, 0.1, 0.05
"""Growth of the proximal steps, decrease of the gradient that ends an inner minimisation, accuracy of a direction."""

FIRST = 300.0
"""The first proximal step of the predictions, times the mean weight."""

SINGLE = 1e-4
"""Down to this relative gap all products are in single precision; those of the directions always."""

INNER, IDLE = 30, 3
"""Newton steps of one inner minimisation; proximal-point steps without a smaller gap after which the method ends."""


@final
@dataclass(frozen=True, eq=False)
class Step:
    """Blocks U (P, p, c), intercept b (c,), a dual vector V (n, c) of the problem, and their relative gap."""

    U: Matrix
    b: Vector
    V: Outputs
    gap: float


def group_newton(program: Program, U: Matrix, b: Vector, expired: Callable[[], bool] = lambda: False) -> Iterator[Step]:
    """Proximal-point steps towards the optimum of ``L(F) + beta sum of column norms``, ``F = sum_j D_j X U_j + b``.

    With centre (F, U, b) and steps tau, sigma and w, a step minimises over theta (n, c)

        ``psi = max over G of (-L(G) - <theta, G> - ||G - F||^2 / (2 tau))``
        ``      + sum_jk (||W_jk|| - sigma beta)_+^2 / (2 sigma) + w/2 sum_k (b_k/w + sum_i theta_ik)^2``,
        ``W_j = U_j + sigma X'D_j theta``.

    The new centre is ``G = prox_{tau L}(F - tau theta)``, ``U_jk = (1 - sigma beta / ||W_jk||)_+ W_jk`` and ``b + w sum
    theta``; the gradient is its error, predictions minus G. By Newton's method: the matrix has the curvature
    ``tau (I + tau L''(G))^-1`` and one term for each active block, and directions come from preconditioned conjugate
    gradients. ``X'D_j theta`` is carried along, and ``V = -grad L(G)`` is a dual vector, so one product certifies a
    step. A loss that couples the outputs (multinomial) ignores a constant added to a row of predictions: theta and G
    then keep to rows that sum to 0.

    Stops early when ``expired``, and ends where it makes no more headway, at a gap of 1e-9 or so. The loss must be
    smooth, the penalty a Strength, the outputs separate. Source: the augmented Lagrangian method of Li, Sun & Toh
    2018, for blocks, and with a proximal term for the predictions too.
    """
    state = _Dual(program, U, b)
    best, idle = np.inf, 0
    while idle < IDLE and not expired():
        settled = state.minimise(expired)
        step = state.step()
        yield step
        idle = 0 if step.gap < best else idle + 1
        best = min(best, step.gap)
        if state.kind == np.float32 and (step.gap < SINGLE or idle or not settled):
            state.use_double()
            settled, idle = True, 0
        state.recentre(GROWTH if settled else 1.0)


class _Dual:
    """theta with what is known at it."""

    def __init__(self, program: Program, U: Matrix, b: Vector):
        problem = program.problem
        assert isinstance(problem.penalty, Strength)
        self.problem, self.data, self.beta = problem, program.data, problem.penalty.beta
        self.loss, self.Y, self.s = problem.loss, problem.Y, problem.weights
        self.kind: type[np.floating[Any]] = np.float32
        F = program.forward(U, b)
        self.coupled = self.loss.hessian(F, self.Y, self.s)[1] is not None
        self.F, self.U, self.b = self._centred(F), U, b
        theta = problem.dual_vector(F)
        C = self.data.adjoint(theta)
        limit = problem.penalty.limit(_longest(C))
        t = self.loss.best_scaling(theta, self.Y, self.s, limit, 0.0)
        self.theta, self.C = t * theta, t * C
        energy, p = float(self.data.squared_lengths().sum()), self.data.shape[1]
        self.scale = float(np.linalg.norm(self.Y)) or 1.0
        self.tau = FIRST / float(np.mean(self.s))
        self.sigma = self.scale * p**0.5 / (self.beta * max(energy, 1e-300) ** 0.5)
        self.constant = energy / self.Y.shape[0] if problem.intercept else 0.0
        self.G = self._proximal(self.theta)

    def minimise(self, expired: Callable[[], bool]) -> bool:
        """Newton steps until the gradient has fallen enough; False if it does not."""
        g = self._gradient()
        goal = max(SETTLED * float(np.linalg.norm(g)), 1e-14 * self.scale)
        for _ in range(INNER):
            if np.linalg.norm(g) <= goal:
                return True
            if expired() or not self._move(g):
                return False
            g = self._gradient()
        return False

    def step(self) -> Step:
        """The new centre, certified."""
        V = self.problem.feasible(-self.loss.gradient(self.G, self.Y, self.s))
        dual = self.problem.dual(V, _longest(self.data.adjoint(V.astype(self.kind))))
        primal = self.problem.loss_value(self.predicted) + self.beta * float(np.linalg.norm(self.new_U, axis=1).sum())
        return Step(self.new_U, self.new_b, V, (primal - dual) / max(abs(primal), 1e-300))

    def use_double(self) -> None:
        """All further products but those of the directions are in double precision."""
        self.kind, self.C = np.float64, self.data.adjoint(self.theta)

    def recentre(self, growth: float) -> None:
        """The proximal-point step."""
        self.F, self.U, self.b = self.G, self.new_U, self.new_b
        self.sigma, self.tau = growth * self.sigma, growth * self.tau
        self.G = self._proximal(self.theta)

    def _centred(self, F: Outputs) -> Outputs:
        return F - F.mean(axis=1, keepdims=True) if self.coupled else F

    def _proximal(self, theta: Outputs) -> Outputs:
        return self.loss.proximal(self.F - self.tau * theta, self.Y, self.s, self.tau)

    def _gradient(self) -> Outputs:
        """(n, c); sets the blocks that theta proposes and their predictions."""
        W = self.U + self.sigma * self.C
        length = np.linalg.norm(W, axis=1)
        active = length > self.sigma * self.beta
        self.which = np.flatnonzero(active.any(axis=1))
        self.share = np.where(active, 1.0 - self.sigma * self.beta / np.where(active, length, 1.0), 0.0)
        self.new_U = W * self.share[:, None, :]
        self.new_b = self.b + self.sigma * self.constant * self.theta.sum(axis=0)
        F = self.data.forward(self.new_U[self.which].astype(self.kind), self.which).astype(float)
        self.predicted = F + self.new_b
        return self._centred(self.predicted - self.G)

    def _move(self, g: Outputs) -> bool:
        """A Newton step with line search; False if it leads nowhere."""
        direction = self._direction(g)
        slope = float(np.sum(g * direction))
        if not slope < 0.0:
            return False
        change = self.data.adjoint(direction.astype(self.kind)).astype(float)
        step, value = 1.0, self._psi(self.theta, self.C, self.G)
        while True:
            theta, C = self.theta + step * direction, self.C + step * change
            G = self._proximal(theta)
            if self._psi(theta, C, G) <= value + 1e-4 * step * slope + 1e-15 * abs(value):
                break
            step *= 0.5
            if step < 1e-8:
                return False
        self.theta, self.C, self.G = theta, C, G
        return True

    def _psi(self, theta: Outputs, C: Matrix, G: Outputs) -> float:
        excess = np.linalg.norm(self.U + self.sigma * C, axis=1) - self.sigma * self.beta
        value = float(np.sum(np.maximum(excess, 0.0) ** 2)) / (2.0 * self.sigma)
        value -= self.loss.value(G, self.Y, self.s) + float(np.sum(theta * G))
        value -= float(np.sum((G - self.F) ** 2)) / (2.0 * self.tau)
        if self.constant:
            w = self.sigma * self.constant
            value += float(np.sum((self.b + w * theta.sum(axis=0)) ** 2)) / (2.0 * w)
        return value

    def _direction(self, g: Outputs) -> Outputs:
        """Conjugate gradients for ``H d = -g``."""
        which = self.which
        a = self.sigma * self.share[which]
        r = np.where(a > 0.0, self.sigma - a, 0.0)
        W = self.new_U[which]
        length = np.linalg.norm(W, axis=1)
        U = W / np.where(length > 0.0, length, 1.0)[:, None, :]
        h, q = self._curvature()
        constant = np.float32(self.sigma * self.constant)
        inverse = MeanField(self.data, which, h, a, r, U, float(constant), self.coupled)
        a, r, U, h, q = (single(v) for v in (a, r, U, h, q))

        def newton_matrix(x: Matrix) -> Matrix:
            C = self.data.adjoint(x, which)
            C = a[:, None, :] * C + U * (r * np.sum(U * C, axis=1))[:, None, :]
            image = h * x + self.data.forward(C, which) + constant * x.sum(axis=0)
            return self._centred(image + q * np.sum(q * x, axis=1, keepdims=True)) if self.coupled else image

        x, residual = np.zeros_like(h), -single(g)
        z = inverse(residual)
        search, product, goal = z, float(np.sum(residual * z)), ACCURACY * float(np.linalg.norm(residual))
        for _ in range(60):
            image = newton_matrix(search)
            curvature = float(np.sum(search * image))
            if not curvature > 0.0:
                break
            step = product / curvature
            x, residual = x + np.float32(step) * search, residual - np.float32(step) * image
            if np.linalg.norm(residual) <= goal:
                break
            z = inverse(residual)
            before, product = product, float(np.sum(residual * z))
            search = z + np.float32(product / before) * search
        return self._centred(x.astype(float))

    def _curvature(self) -> tuple[Outputs, Outputs]:
        """(h, q): row i of ``tau (I + tau L''(G))^-1`` is ``diag(h_i) + q_i q_i'``, by Sherman & Morrison."""
        curvature, q = self.loss.hessian(self.G, self.Y, self.s)
        h = 1.0 / (1.0 / self.tau + curvature)
        if q is None:
            return h, np.zeros_like(h)
        return h, h * q / np.sqrt(1.0 - np.sum(h * q * q, axis=1, keepdims=True))


def _longest(C: Matrix) -> float:
    """The largest 2-norm of a column of C (P, p, c)."""
    return float(np.linalg.norm(C, axis=1).max(initial=0.0))


def single(values: Matrix) -> Matrix:
    """In single precision; typed as any other array."""
    return np.asarray(values, dtype=np.float32)

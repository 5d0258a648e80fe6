"""Semismooth Newton on the dual, inside a proximal-point method: the finite programs without cones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from bidual.losses import SmoothConjugate
from bidual.penalties import Strength
from bidual.program import Program
from bidual.solvers.inner.preconditioner import MeanField
from bidual.typing import Matrix, Outputs, Vector

GROWTH, SETTLED, ACCURACY = 3.0, 0.1, 0.05
"""Growth of the proximal step, decrease of the gradient that ends an inner minimisation, accuracy of a direction."""

SINGLE = 1e-2
"""Down to this relative gap all products are in single precision; those of the directions always."""

IDLE = 12
"""Steps without a gap a third smaller after which the method is at its end."""


@final
@dataclass(frozen=True, eq=False)
class Step:
    """Blocks U (P, p, c), intercept b (c,), dual vector V (n, c), and an estimate of their relative gap."""

    U: Matrix
    b: Vector
    V: Outputs
    gap: float


def group_newton(program: Program, U: Matrix, b: Vector) -> Iterator[Step]:
    """Steps towards the optimum of ``loss + beta sum of column norms``, a few products with the masked data each.

    With centre (U, b) and step sigma, the proximal-point method minimises over theta (n, c)

        ``psi = L*(-theta) + sum_jk (||W_jk|| - sigma beta)_+^2 / (2 sigma) + w/2 sum_k (b_k/w + sum_i theta_ik)^2``,
        ``W_j = U_j + sigma X'D_j theta``,   ``grad psi = F(theta) - grad L*(-theta)``,

    where F is the prediction of the new centre, ``U_jk = (1 - sigma beta / ||W_jk||)_+ W_jk`` and ``b + w sum theta``;
    w is sigma times the mean of ||x_i||^2. The Newton matrix has one term for each active block; directions come from
    preconditioned conjugate gradients. theta is a dual vector and ``X'D_j theta`` is carried along, so the gap costs
    nothing. Ends where single precision has no better direction, at a gap of 1e-7 or so.

    The loss must be a SmoothConjugate, the penalty a Strength, the outputs separate. Source: the augmented Lagrangian
    method of Li, Sun & Toh 2018, for blocks.
    """
    state = _Dual(program, U, b)
    first = None
    while state.idle < IDLE or state.kind == np.float32:
        g = state.gradient()
        yield Step(state.new_U, state.new_b, state.theta, state.gap)
        size = float(np.linalg.norm(g))
        first = size if first is None else first
        if size <= max(SETTLED * first, 1e-14 * state.scale):
            state.recentre()
            first = None
        elif not state.move(g):
            return


class _Dual:
    """theta with what is known at it."""

    def __init__(self, program: Program, U: Matrix, b: Vector):
        problem = program.problem
        assert isinstance(problem.penalty, Strength) and isinstance(problem.loss, SmoothConjugate)
        self.problem, self.data, self.beta = problem, program.data, problem.penalty.beta
        self.loss: SmoothConjugate = problem.loss
        self.Y, self.s = problem.Y, problem.weights
        lowest, highest = self.loss.conjugate_domain(self.Y, self.s)
        self.low, self.high = -highest, -lowest
        self.U, self.b = U, b
        self.kind: type[np.floating[Any]] = np.float32
        F = program.forward(U, b)
        theta = problem.feasible(-self.loss.gradient(F, self.Y, self.s))
        C = self.data.adjoint(theta)
        kappa = float(np.linalg.norm(C, axis=1).max(initial=0.0))
        t = self.loss.best_scaling(theta, self.Y, self.s, problem.penalty.limit(kappa), 0.0)
        t = min(t, 0.999) if self.loss.barrier else t
        self.theta, self.C = t * theta, t * C
        energy = float(self.data.squared_lengths().sum())
        p = self.data.shape[1]
        self.scale = float(np.linalg.norm(self.Y)) or 1.0
        self.sigma = self.scale * p**0.5 / (self.beta * max(energy, 1e-300) ** 0.5)
        self.constant = energy / self.Y.shape[0] if problem.intercept else 0.0
        self.gap, self.idle, self.best = np.inf, 0, np.inf

    def gradient(self) -> Outputs:
        """(n, c); sets the blocks that theta proposes, their predictions and the gap."""
        W = self.U + self.sigma * self.C
        self.length = np.linalg.norm(W, axis=1)
        active = self.length > self.sigma * self.beta
        self.which = np.flatnonzero(active.any(axis=1))
        share = np.where(active, 1.0 - self.sigma * self.beta / np.where(active, self.length, 1.0), 0.0)
        self.new_U, self.share = W * share[:, None, :], share
        self.new_b = self.b + self.sigma * self.constant * self.theta.sum(axis=0)
        F = self.data.forward(self.new_U[self.which].astype(self.kind), self.which).astype(float) + self.new_b
        primal = self.loss.value(F, self.Y, self.s) + self.beta * float(np.linalg.norm(self.new_U, axis=1).sum())
        kappa = float(np.linalg.norm(self.C, axis=1).max(initial=0.0))
        t = self.loss.best_scaling(self.theta, self.Y, self.s, self.problem.penalty.limit(kappa), 0.0)
        dual = -self.loss.conjugate(-t * self.theta, self.Y, self.s)
        unbalanced = float(np.abs(self.new_b * self.theta.sum(axis=0)).sum()) if self.constant else 0.0
        self.gap = (primal - dual + unbalanced) / max(abs(primal), 1e-300)
        self.idle = 0 if abs(self.gap) < 0.7 * self.best else self.idle + 1
        self.best = min(self.best, abs(self.gap))
        if self.kind == np.float32 and (self.gap < SINGLE or self.idle >= IDLE):
            self.kind, self.idle = np.float64, 0
        return F - self.loss.conjugate_slope(-self.theta, self.Y, self.s)

    def recentre(self) -> None:
        """The proximal-point step."""
        self.U, self.b = self.new_U, self.new_b
        self.sigma *= GROWTH

    def move(self, g: Outputs) -> bool:
        """A Newton step with line search; False if it leads nowhere."""
        direction = self._direction(g)
        slope = float(np.sum(g * direction))
        if not slope < 0.0:
            return False
        change = self.data.adjoint(direction.astype(self.kind)).astype(float)
        step = min(1.0, 0.95 * self._room(direction)) if self.loss.barrier else 1.0
        value = self._psi(0.0, direction, change)
        while self._psi(step, direction, change) > value + 1e-4 * step * slope + 1e-15 * abs(value):
            step *= 0.5
            if step < 1e-8:
                return False
        self.theta, self.C = self.theta + step * direction, self.C + step * change
        return True

    def _psi(self, step: float, direction: Outputs, change: Matrix) -> float:
        theta = self.theta + step * direction
        excess = np.linalg.norm(self.U + self.sigma * (self.C + step * change), axis=1) - self.sigma * self.beta
        value = self.loss.conjugate(-theta, self.Y, self.s)
        value += float(np.sum(np.maximum(excess, 0.0) ** 2)) / (2.0 * self.sigma)
        if self.constant:
            w = self.sigma * self.constant
            value += float(np.sum((self.b + w * theta.sum(axis=0)) ** 2)) / (2.0 * w)
        return value

    def _room(self, direction: Outputs) -> float:
        """The longest step inside the domain."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ahead = np.where(direction > 0.0, self.high - self.theta, self.low - self.theta) / direction
        return float(np.min(np.where(direction != 0.0, ahead, np.inf), initial=np.inf))

    def _direction(self, g: Outputs) -> Outputs:
        """Conjugate gradients for ``H d = -g``."""
        which = self.which
        active = self.share[which] > 0.0
        a = self.sigma * self.share[which]
        r = np.where(active, self.sigma - a, 0.0)
        W = self.new_U[which]
        length = np.linalg.norm(W, axis=1)
        U = W / np.where(length > 0.0, length, 1.0)[:, None, :]
        h = self.loss.conjugate_curvature(-self.theta, self.Y, self.s)
        constant = self.sigma * self.constant
        inverse = MeanField(self.data, which, h, a, r, U, constant)
        a, r, U, h = (single(v) for v in (a, r, U, np.minimum(h, 1e30)))

        def newton_matrix(x: Matrix) -> Matrix:
            C = self.data.adjoint(x, which)
            C = a[:, None, :] * C + U * (r * np.sum(U * C, axis=1))[:, None, :]
            return h * x + self.data.forward(C, which) + np.float32(constant) * x.sum(axis=0)

        x, residual = np.zeros_like(single(g)), -single(g)
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
        return x.astype(float)


def single(values: Matrix) -> Matrix:
    """In single precision; typed as any other array."""
    return np.asarray(values, dtype=np.float32)

"""Semismooth Newton on the dual, inside a proximal-point method: the finite programs without cones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from bidual.penalties import Strength
from bidual.program import Program
from bidual.solvers.inner.envelope import Envelope
from bidual.solvers.inner.preconditioner import MeanField
from bidual.solvers.inner.proximal_point import DualFunction, line_search, proximal_point
from bidual.typing import Expired, Matrix, Outputs, Vector, never

ACCURACY = 0.1
"""Of a direction."""

SINGLE = 1e-4
"""Down to this relative gap all products are in single precision; those of the directions always."""


@final
@dataclass(frozen=True, eq=False)
class Step:
    """Blocks U (P, p, c), intercept b (c,), a dual vector V (n, c) of the problem, and their relative gap."""

    U: Matrix
    b: Vector
    V: Outputs
    gap: float


def group_newton(program: Program, U: Matrix, b: Vector, expired: Expired = never) -> Iterator[Step]:
    """Proximal-point steps towards the optimum of ``L(F) + beta sum of column norms``, ``F = sum_j D_j X U_j + b``.

    With centre (F, U, b) and steps tau, sigma and w, a step minimises over theta (n, c)

        ``psi = envelope(theta) + sum_jk (||W_jk|| - sigma beta)_+^2 / (2 sigma)``,   ``W_j = U_j + sigma X'D_j theta``,

    with the :class:`~bidual.solvers.inner.envelope.Envelope` of F, b, tau and w. The new centre is ``G``, ``U_jk = (1 -
    sigma beta / ||W_jk||)_+ W_jk`` and ``b + w sum theta``; the gradient is its error, predictions minus G. By Newton's
    method: the matrix has the curvature of the envelope and one term for each active block, and directions come from
    preconditioned conjugate gradients. ``X'D_j theta`` is carried along, and ``V = -grad L(G)`` is a dual vector, so
    one product certifies a step.

    Stops early when ``expired``, and ends where it makes no more headway, at a gap of 1e-9 or so. The loss must be
    smooth, the penalty a Strength, the outputs separate. Source: the augmented Lagrangian method of Li, Sun & Toh
    2018, for blocks, and with a proximal term for the predictions too.
    """
    rounding = 1e-14 * (float(np.linalg.norm(program.problem.Y)) or 1.0)
    yield from proximal_point(_Blocks(program, U, b), rounding, expired)


@final
class _Blocks(DualFunction[Step]):
    """theta with what is known at it: the scores' gradients C, and the predictions G."""

    def __init__(self, program: Program, U: Matrix, b: Vector):
        problem = program.problem
        assert isinstance(problem.penalty, Strength)
        self.problem, self.data, self.beta = problem, program.data, problem.penalty.beta
        self.kind: type[np.floating[Any]] = np.float32
        self.sigma, w = first_steps(program)
        F = program.forward(U, b)
        self.U, self.envelope = U, Envelope.around(problem, F, b, w)
        theta = problem.dual_vector(F)
        C = self.data.adjoint(theta)
        limit = problem.penalty.limit(_longest(C))
        t = problem.loss.best_scaling(theta, problem.Y, problem.weights, limit, 0.0)
        self.theta, self.C = t * theta, t * C
        self.G = self.envelope.point(self.theta)

    def gradient(self) -> Outputs:
        W = self.U + self.sigma * self.C
        length = np.linalg.norm(W, axis=1)
        active = length > self.sigma * self.beta
        self.which = np.flatnonzero(active.any(axis=1))
        self.share = np.where(active, 1.0 - self.sigma * self.beta / np.where(active, length, 1.0), 0.0)
        self.new_U = W * self.share[:, None, :]
        F = self.data.forward(self.new_U[self.which].astype(self.kind), self.which).astype(float)
        self.predicted = F + self.envelope.intercept(self.theta)
        return self.envelope.centred(self.predicted - self.G)

    def move(self, g: Outputs) -> bool:
        direction = self._direction(g)
        change = self.data.adjoint(direction.astype(self.kind)).astype(float)

        def at(step: float) -> tuple[float, tuple[Outputs, Matrix, Outputs]]:
            theta, C = self.theta + step * direction, self.C + step * change
            G = self.envelope.point(theta)
            return self._psi(theta, C, G), (theta, C, G)

        found = line_search(at, self._psi(self.theta, self.C, self.G), float(np.sum(g * direction)))
        if found is not None:
            self.theta, self.C, self.G = found
        return found is not None

    def centre(self) -> Step:
        V = self.problem.dual_vector(self.G)
        dual = self.problem.dual(V, _longest(self.data.adjoint(V.astype(self.kind))))
        primal = self.problem.loss_value(self.predicted) + self.beta * float(np.linalg.norm(self.new_U, axis=1).sum())
        return Step(self.new_U, self.envelope.intercept(self.theta), V, (primal - dual) / max(abs(primal), 1e-300))

    def recentre(self, growth: float) -> None:
        self.envelope = self.envelope.recentred(self.theta, self.G, growth)
        self.U, self.sigma = self.new_U, growth * self.sigma
        self.G = self.envelope.point(self.theta)

    def sharpen(self, gap: float, settled: bool) -> bool:
        """From single to double precision."""
        if self.kind == np.float64 or (gap >= SINGLE and settled):
            return False
        self.kind, self.C = np.float64, self.data.adjoint(self.theta)
        return True

    def _psi(self, theta: Outputs, C: Matrix, G: Outputs) -> float:
        excess = np.linalg.norm(self.U + self.sigma * C, axis=1) - self.sigma * self.beta
        return self.envelope.value(theta, G) + float(np.sum(np.maximum(excess, 0.0) ** 2)) / (2.0 * self.sigma)

    def _direction(self, g: Outputs) -> Outputs:
        """Conjugate gradients for ``H d = -g``."""
        which = self.which
        a = self.sigma * self.share[which]
        r = np.where(a > 0.0, self.sigma - a, 0.0)
        W = self.new_U[which]
        length = np.linalg.norm(W, axis=1)
        U = W / np.where(length > 0.0, length, 1.0)[:, None, :]
        h, q = self.envelope.curvature(self.G)
        inverse = MeanField(self.data, which, h, a, r, U, self.envelope.w, q is not None)
        a, r, U, h = (single(v) for v in (a, r, U, h))
        q, w = None if q is None else single(q), np.float32(self.envelope.w)

        def newton_matrix(x: Matrix) -> Matrix:
            C = self.data.adjoint(x, which)
            C = a[:, None, :] * C + U * (r * np.sum(U * C, axis=1))[:, None, :]
            image = h * x + self.data.forward(C, which) + w * x.sum(axis=0)
            return image if q is None else self.envelope.centred(image + q * np.sum(q * x, axis=1, keepdims=True))

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
        return self.envelope.centred(x.astype(float))


def first_steps(program: Program) -> tuple[float, float]:
    """(sigma, w): the first proximal steps of the blocks and of the intercept (0 if there is none), in the units of a
    block and an intercept that fit the targets."""
    problem, p = program.problem, program.data.shape[1]
    assert isinstance(problem.penalty, Strength)
    energy, scale = float(program.data.squared_lengths().sum()), float(np.linalg.norm(problem.Y)) or 1.0
    sigma = scale * p**0.5 / (problem.penalty.beta * max(energy, 1e-300) ** 0.5)
    return sigma, sigma * energy / problem.Y.shape[0] if problem.intercept else 0.0


def _longest(C: Matrix) -> float:
    """The largest 2-norm of a column of C (P, p, c)."""
    return float(np.linalg.norm(C, axis=1).max(initial=0.0))


def single(values: Matrix) -> Matrix:
    """In single precision; typed as any other array."""
    return np.asarray(values, dtype=np.float32)

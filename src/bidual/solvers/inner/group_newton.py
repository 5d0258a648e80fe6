"""Semismooth Newton on the dual, inside a proximal-point method: the finite programs without cones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from bidual.penalties import Strength
from bidual.program import Blocks, Program
from bidual.solvers.inner.active_blocks import ActiveBlocks
from bidual.solvers.inner.conjugate_gradients import conjugate_gradients
from bidual.solvers.inner.envelope import Envelope
from bidual.solvers.inner.preconditioner import MeanField, Moments, moments
from bidual.solvers.inner.proximal_point import DualFunction, Step, line_search, proximal_point
from bidual.typing import Expired, Matrix, Outputs, Vector, never

RATIO = 1.2
"""Of the multiples of a dual vector among which the first theta is the best; they cost no product."""

WEAK = 1 / 30
"""Below this strength, relative to the targets' gradient on data of equal columns, the first step is shorter."""

SINGLE = 1e-4
"""Down to this relative gap all products are in single precision; those of the directions always."""


def group_newton(
    program: Program,
    blocks: Blocks,
    b: Vector,
    expired: Expired = never,
    about: Moments | None = None,
    reach: float = np.inf,
) -> Iterator[Step[Blocks]]:
    """Proximal-point steps towards the optimum of ``L(F) + beta sum ||u_i||`` over the listed blocks, all others 0:
    ``F_k = sum D_i X u_i + b_k`` over the blocks of output k, D_i being of their patterns.

    With centre (F, u, b) and steps tau, sigma and w, a step minimises over theta (n, c)

        ``psi = envelope(theta) + sum_i (||w_i|| - sigma beta)_+^2 / (2 sigma)``,   ``w_i = u_i + sigma X'D_i theta_k``,

    with the :class:`~bidual.solvers.inner.envelope.Envelope` of F, b, tau and w. The new centre is ``G``, ``u_i = (1 -
    sigma beta / ||w_i||)_+ w_i`` and ``b + w sum theta``; the gradient is its error, predictions minus G. By Newton's
    method: the matrix has the curvature of the envelope and one term for each active block, and directions come from
    preconditioned conjugate gradients. ``X'D_i theta`` is carried along, and ``V = -grad L(G)`` is a dual vector, so
    one product certifies a step, over the listed blocks. The first theta is a multiple of the dual vector at (u, b).

    Stops early when ``expired``, and ends where it makes no more headway, at a gap of 1e-9 or so. ``about``: what the
    preconditioner needs to know of the data, where it is known. ``reach``: sigma begins no longer than moves, by the
    proximal gradient of the blocks, the predictions along theta by so many times the length of the targets, nor such
    that it shortens blocks by more than so many times their mean norm: from a start worth keeping, longer steps let go
    of it first. The loss must be smooth, the penalty a Strength, the outputs separate. Source: the augmented Lagrangian
    method of Li, Sun & Toh 2018, for blocks, and with a proximal term for the predictions too.
    """
    rounding = 1e-14 * (float(np.linalg.norm(program.problem.Y)) or 1.0)
    newton = _Newton(program, blocks, b, about or moments(program.data), reach)
    yield from proximal_point(newton, rounding, expired)


@final
@dataclass(frozen=True, eq=False)
class _Point:
    """theta (n, c) with what is known at it: the scores' gradients C, W = U + sigma C and its lengths, the predictions
    G, and the value psi."""

    theta: Outputs
    C: Matrix
    W: Matrix
    length: Vector
    G: Outputs
    value: float


@final
class _Newton(DualFunction[Blocks]):
    """The blocks and the envelope around the centre, and the point in hand."""

    def __init__(self, program: Program, start: Blocks, b: Vector, about: Moments, reach: float):
        problem = program.problem
        assert isinstance(problem.penalty, Strength)
        self.problem, self.beta, self.start = problem, problem.penalty.beta, start
        self.kind: type[np.floating[Any]] = np.float32
        self.blocks = ActiveBlocks(program.data, start.pattern, start.output, problem.n_outputs)
        which = np.flatnonzero(start.weight.any(axis=1))
        F = self.blocks.take(which).forward(start.weight[which]) + b
        theta = problem.dual_vector(F)
        C = self.blocks.adjoint(theta)
        self.sigma, w = self._first_steps(program, theta, C, reach)
        self.U, self.envelope = start.weight, Envelope.around(problem, F, b, w)
        self.moments = about
        limit = problem.penalty.limit(_longest(C))
        t = problem.loss.best_scaling(theta, problem.Y, problem.weights, limit, 0.0)
        self.point = self._best_multiple(theta, C, t)

    def gradient(self) -> Outputs:
        point, amount = self.point, self.sigma * self.beta
        share = np.maximum(1.0 - amount / np.maximum(point.length, amount), 0.0)
        self.which = np.flatnonzero(share)
        self.share, self.active = share[self.which], self.blocks.take(self.which)
        self.new_U = point.W[self.which] * self.share[:, None]
        F = self.active.forward(self.new_U.astype(self.kind)).astype(float)
        self.predicted = F + self.envelope.intercept(point.theta)
        return self.envelope.centred(self.predicted - point.G)

    def move(self, g: Outputs) -> bool:
        point, direction = self.point, self._direction(g)
        change = self._adjoint(direction)

        def at(step: float) -> tuple[float, _Point]:
            there = self._at(point.theta + step * direction, point.C + step * change)
            return there.value, there

        found = line_search(at, point.value, float(np.vdot(g, direction)))
        self.point = found or point
        return found is not None

    def centre(self) -> Step[Blocks]:
        V, active = self.problem.dual_vector(self.point.G), self.start.take(self.which)
        dual = self.problem.dual(V, _longest(self._adjoint(V)))
        primal = self.problem.loss_value(self.predicted) + self.beta * float(_lengths(self.new_U).sum())
        u = replace(active, weight=self.new_U)
        return Step(u, self.envelope.intercept(self.point.theta), V, (primal - dual) / max(abs(primal), 1e-300))

    def recentre(self, growth: float) -> None:
        self.envelope = self.envelope.recentred(self.point.theta, self.point.G, growth)
        self.U, self.sigma = np.zeros_like(self.U), growth * self.sigma
        self.U[self.which] = self.new_U
        self.point = self._at(self.point.theta, self.point.C)

    def sharpen(self, gap: float, settled: bool) -> bool:
        """From single to double precision."""
        if self.kind == np.float64 or (gap >= SINGLE and settled):
            return False
        self.kind = np.float64
        self.point = replace(self.point, C=self._adjoint(self.point.theta))
        return True

    def _first_steps(self, program: Program, theta: Outputs, C: Matrix, reach: float) -> tuple[float, float]:
        """(sigma, w), with ``sigma sum_i ||C_i|| (||C_i|| - beta)_+ <= reach ||Y|| ||theta||``, whose left side is what
        the proximal gradient of the blocks, of gradients C, moves the predictions by, times theta, and ``sigma beta``
        at most ``reach`` times the mean norm of the blocks that are not 0."""
        sigma, w = first_steps(program)
        length, norms = _lengths(C), _lengths(self.start.weight)
        along = sigma * float(np.vdot(length, np.maximum(length - self.beta, 0.0)))
        most = reach * float(np.linalg.norm(self.problem.Y)) * float(np.linalg.norm(theta))
        share = most / along if along > most else 1.0
        if norms.any():
            share = min(share, reach * float(norms[norms > 0.0].mean()) / (sigma * self.beta))
        return share * sigma, share * w

    def _adjoint(self, theta: Outputs) -> Matrix:
        """(B, p): ``X'D_i theta``, in the precision of now."""
        return self.blocks.adjoint(theta.astype(self.kind)).astype(float)

    def _at(self, theta: Outputs, C: Matrix) -> _Point:
        W, G = self.U + self.sigma * C, self.envelope.point(theta)
        length = _lengths(W)
        excess = np.maximum(length - self.sigma * self.beta, 0.0)
        value = self.envelope.value(theta, G) + float(np.vdot(excess, excess)) / (2.0 * self.sigma)
        return _Point(theta, C, W, length, G, value)

    def _best_multiple(self, theta: Outputs, C: Matrix, feasible: float) -> _Point:
        """Of psi, which is convex: from the feasible multiple upwards, or from theta itself downwards."""

        def at(scale: float) -> _Point:
            return self._at(scale * theta, scale * C)

        starts = (at(feasible), feasible, RATIO), (at(1.0), 1.0, 1.0 / RATIO)
        point, scale, ratio = min(starts, key=lambda start: start[0].value)
        while (further := at(ratio * scale)).value < point.value:
            point, scale = further, ratio * scale
        return point

    def _direction(self, g: Outputs) -> Outputs:
        """Conjugate gradients for ``H d = -g``."""
        a = self.sigma * self.share
        U = self.new_U / np.maximum(_lengths(self.new_U), 1e-300)[:, None]
        h, q = self.envelope.curvature(self.point.G)
        a, r, U, h = (single(v) for v in (a, self.sigma - a, U, h))
        q, w = None if q is None else single(q), np.float32(self.envelope.w)
        inverse = MeanField(self.moments, self.active, h, a, r, U, self.envelope.w, q is not None)

        def newton_matrix(x: Matrix) -> Matrix:
            C = self.active.adjoint(x)
            C = a[:, None] * C + U * (r * np.vecdot(U, C))[:, None]
            image = h * x + self.active.forward(C) + w * x.sum(axis=0)
            return image if q is None else self.envelope.centred(image + q * np.sum(q * x, axis=1, keepdims=True))

        return self.envelope.centred(conjugate_gradients(newton_matrix, inverse, -single(g)).astype(float))


def first_steps(program: Program) -> tuple[float, float]:
    """(sigma, w): the first proximal steps of the blocks and of the intercept (0 if there is none), in the units of a
    block and an intercept that fit the targets.

    ``sigma beta`` is the length of such a block, times the cube root of ``beta / weak`` where this is below 1, weak
    being :data:`WEAK` of the length of the targets' gradient: for weak penalties longer steps first let in many more
    blocks than stay.
    """
    problem, p = program.problem, program.data.shape[1]
    assert isinstance(problem.penalty, Strength)
    beta, unit = problem.penalty.beta, (max(program.data.energy, 1e-300) / p) ** 0.5
    scale = float(np.linalg.norm(problem.Y)) or 1.0
    sigma = scale / (beta * unit) * min(1.0, beta / scale / unit / WEAK) ** (1 / 3)
    return sigma, sigma * p * unit**2 / problem.Y.shape[0] if problem.intercept else 0.0


def _lengths(W: Matrix) -> Vector:
    """(B,): the 2-norms of the rows of W (B, p)."""
    return np.sqrt(np.vecdot(W, W))


def _longest(C: Matrix) -> float:
    """The largest 2-norm of a row of C (B, p)."""
    return float(_lengths(C).max(initial=0.0))


def single(values: Matrix) -> Matrix:
    """In single precision; typed as any other array."""
    return np.asarray(values, dtype=np.float32)

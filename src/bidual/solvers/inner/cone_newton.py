"""Semismooth Newton on the dual, inside a proximal-point method: the finite programs with cones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.base import Witness
from bidual.operators.cone import STEPS, Cones, Projections
from bidual.penalties import Strength
from bidual.program import Program
from bidual.solvers.inner.envelope import Envelope
from bidual.solvers.inner.group_newton import first_steps
from bidual.solvers.inner.proximal_point import DualFunction, Step, line_search, proximal_point
from bidual.solvers.inner.woodbury import solve_diagonal_plus
from bidual.typing import Expired, Matrix, Outputs, Vector, never

SHORTER = 0.1
"""The first proximal step of the blocks, as a share of that without cones, which shorten them."""

ROUGH = 0.02
"""The relative gap down to which projections are cut short."""


def cone_newton(program: Program, U: Matrix, b: Vector, expired: Expired = never) -> Iterator[Step[Matrix]]:
    """Proximal-point steps towards the optimum of ``L(F) + beta sum of norms`` over pairs of blocks in cones, each with
    multipliers of the cones' rows as its witness.

    As :func:`~bidual.solvers.inner.group_newton.group_newton`, with blocks ``g = (j, s, k)`` of pattern j, sign s and
    output k, and the projection Pi_j on ``{u : S_j X u >= 0}`` in the proximal map:

        ``psi = envelope(theta) + sum_g (||Pi_j W_g|| - sigma beta)_+^2 / (2 sigma)``,
        ``W_g = U_g + s sigma X'D_j theta_k``,   ``U_g = (1 - sigma beta / ||Pi_j W_g||)_+ Pi_j W_g``.

    A block whose multipliers already prove ``||Pi_j W_g|| <= sigma beta`` is 0 and needs no projection: only the few
    blocks that are not 0 are projected to the end. Far from the optimum, where nearly all rows at the walls change from
    one theta to the next, not even these: with any multipliers mu >= 0, ``||W_g + (S_j X)'mu||`` in place of
    ``||Pi_j W_g||`` makes a convex function of theta and mu that is psi at its least over mu, and both are improved in
    turn. The multipliers, divided by sigma, bound the scores of V as well.

    With N_g a basis of the null space of the active rows, u_g the direction of U_g and ``a = sigma - sigma^2 beta /
    ||Pi_j W_g||``, block g has the term ``D_j X (a N_g N_g' + (sigma - a) u_g u_g') X'D_j`` in the Newton matrix: few
    columns, since in most dimensions a row is active. One Cholesky factorisation, of as many columns or rows as there
    are fewer, solves the Newton system.

    U (P, 2, p, c) inside the cones. The loss must be smooth and not couple the outputs, the penalty a Strength, the
    bias not free.
    """
    rounding = 1e-14 * (float(np.linalg.norm(program.problem.Y)) or 1.0)
    yield from proximal_point(_Cones(program, U, b), rounding, expired)


@final
class _Cones(DualFunction[Matrix]):
    """theta with what is known at it. Blocks are the rows of matrices (2 P c, p), in the order (pattern, sign, output).

    C : the scores' gradients ``s X'D_j theta_k``. near : the projections of ``W = U + sigma C``. G : as above.
    """

    def __init__(self, program: Program, U: Matrix, b: Vector):
        problem, (P, _, p, c) = program.problem, program.shape
        assert isinstance(problem.penalty, Strength)
        self.problem, self.data, self.beta = problem, program.data, problem.penalty.beta
        self.cones = Cones(problem.lifted, program.patterns.masks)
        self.pattern, self.output = np.repeat(np.arange(P), 2 * c), np.tile(np.arange(c), 2 * P)
        self.sign = np.tile(np.repeat([1.0, -1.0], c), P)
        sigma, w = first_steps(program)
        self.sigma, F = SHORTER * sigma, program.forward(U, b)
        self.steps = 1
        self.U, self.envelope = U.transpose(0, 1, 3, 2).reshape(-1, p), Envelope.around(problem, F, b, SHORTER * w)
        theta = problem.dual_vector(F)
        C = self._adjoint(theta)
        near = self.cones.project(self.pattern, C, self.beta)
        limit = problem.penalty.limit(float(near.bounds.max(initial=0.0)))
        t = problem.loss.best_scaling(theta, problem.Y, problem.weights, limit, 0.0)
        self.theta, self.C = t * theta, t * C
        self.near, self.G = self._projected(self.C, near, self.steps), self.envelope.point(self.theta)

    def centre(self) -> Step[Matrix]:
        if self.steps < STEPS:  # the blocks have to lie in their cones
            self.near = self._projected(self.C, self.near, STEPS)
            self.gradient()
        V = self.problem.dual_vector(self.G)
        scores = self._adjoint(V) + self.near.shifts / self.sigma
        dual = self.problem.dual(V, float(np.linalg.norm(scores, axis=1).max(initial=0.0)))
        primal = self.problem.loss_value(self.predicted) + self.beta * float(np.linalg.norm(self.new_U, axis=1).sum())
        (P, c), p = (self.data.shape[2], V.shape[1]), self.U.shape[1]
        U = self.new_U.reshape(P, 2, c, p).transpose(0, 1, 3, 2)
        witness = Witness.of(self.pattern, self.output, self.sign, self.near, 1.0 / self.sigma)
        return Step(U, self.envelope.intercept(self.theta), V, (primal - dual) / max(abs(primal), 1e-300), witness)

    def recentre(self, growth: float) -> None:
        self.envelope = self.envelope.recentred(self.theta, self.G, growth)
        self.U, self.sigma = self.new_U, growth * self.sigma
        self.near, self.G = self._projected(self.C, self.near, self.steps), self.envelope.point(self.theta)

    def sharpen(self, gap: float, settled: bool) -> bool:
        """From projections that are cut short to exact ones."""
        if self.steps == STEPS or (gap >= ROUGH and settled):
            return False
        self.steps = STEPS
        return True

    def _projected(self, C: Matrix, near: Projections, steps: int) -> Projections:
        return self.cones.project(self.pattern, self.U + self.sigma * C, self.sigma * self.beta, near, steps)

    def _adjoint(self, R: Outputs) -> Matrix:
        C = self.data.adjoint(R).transpose(0, 2, 1)
        return np.stack([C, -C], axis=1).reshape(-1, C.shape[2])

    def _forward(self, U: Matrix) -> Outputs:
        (P, c), p = (self.data.shape[2], self.problem.n_outputs), U.shape[1]
        pairs = U.reshape(P, 2, c, p)
        which = np.unique(self.pattern[self.active])
        some = self.data.diagonals.take(which)
        return self.data.forward((pairs[which, 0] - pairs[which, 1]).transpose(0, 2, 1), some)

    def gradient(self) -> Outputs:
        amount = self.sigma * self.beta
        self.active = np.flatnonzero(self.near.bounds > amount)
        self.share = 1.0 - amount / self.near.bounds[self.active]
        self.new_U = np.zeros_like(self.U)
        self.new_U[self.active] = self.near.points[self.active] * self.share[:, None]
        self.predicted = self._forward(self.new_U) + self.envelope.intercept(self.theta)
        return self.predicted - self.G

    def move(self, g: Outputs) -> bool:
        direction = self._direction(g)
        change = self._adjoint(direction)
        near = self.near

        def at(step: float) -> tuple[float, tuple[Outputs, Matrix, Projections, Outputs]]:
            nonlocal near
            theta, C = self.theta + step * direction, self.C + step * change
            near, G = self._projected(C, near, self.steps), self.envelope.point(theta)
            return self._psi(theta, near, G), (theta, C, near, G)

        found = line_search(at, self._psi(self.theta, self.near, self.G), float(np.sum(g * direction)), dear=True)
        if found is not None:
            self.theta, self.C, self.near, self.G = found
        return found is not None

    def _psi(self, theta: Outputs, near: Projections, G: Outputs) -> float:
        excess = np.maximum(near.bounds - self.sigma * self.beta, 0.0)
        return self.envelope.value(theta, G) + float(np.sum(excess**2)) / (2.0 * self.sigma)

    def _direction(self, g: Outputs) -> Outputs:
        """The solution of ``H d = -g``, output by output."""
        h = self.envelope.curvature(self.G)[0]
        factors, owner = self._factors()
        direction = np.empty_like(g)
        for k in range(g.shape[1]):
            own = self.output[owner] == k
            blocks = self.data.columns(factors[own], self.data.diagonals.take(self.pattern[owner[own]]))
            columns = np.concatenate([self.data.device.get(block) for _, block in blocks], axis=1).T
            if self.envelope.w:
                columns = np.column_stack([columns, np.full(g.shape[0], self.envelope.w**0.5)])
            direction[:, k] = -solve_diagonal_plus(h[:, k], columns, g[:, k])
        return direction

    def _factors(self) -> tuple[Matrix, NDArray[np.intp]]:
        """(V (q, p), owner (q,)): ``a N N' + (sigma - a) u u'`` of block g is the sum of ``v v'`` over its rows v of V.

        An orthogonal basis that begins with u and the active rows ends with the rest of N, as u is in N.
        """
        u = self.near.points[self.active] / self.near.bounds[self.active, None]
        rows = self.near.rows[self.active]
        order = np.argsort(rows < 0, axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, axis=1)[:, :-1]  # a block that is not 0 has p - 1 active rows at most
        used = rows >= 0
        basis = np.concatenate([u[:, None], self.problem.lifted[rows] * used[:, :, None]], axis=1)
        Q = np.linalg.qr(basis.transpose(0, 2, 1))[0].transpose(0, 2, 1)
        Q = Q * np.sqrt(self.sigma * self.share)[:, None, None]
        Q[:, 0] = u * self.sigma**0.5
        mine = np.concatenate([np.ones((u.shape[0], 1), dtype=bool), ~used], axis=1)
        return Q[mine], np.repeat(self.active, mine.sum(axis=1))

"""Semismooth Newton on the dual, inside a proximal-point method: the finite programs with cones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.base import Witness
from bidual.operators.cone import Cones, Projections
from bidual.penalties import Strength
from bidual.program import Program
from bidual.solvers.inner.group_newton import FIRST, GROWTH, IDLE, INNER, SETTLED
from bidual.solvers.inner.woodbury import solve_diagonal_plus
from bidual.typing import Matrix, Outputs, Vector

SHORTER = 0.1
"""The first proximal step of the blocks, as a share of that without cones, which shorten them."""


@final
@dataclass(frozen=True, eq=False)
class ConeStep:
    """Blocks U (P, 2, p, c), intercept b (c,), a dual vector V (n, c) of the problem, their relative gap, and
    multipliers of the cones' rows that prove a bound of V's scores."""

    U: Matrix
    b: Vector
    V: Outputs
    gap: float
    witness: Witness


def cone_newton(
    program: Program, U: Matrix, b: Vector, expired: Callable[[], bool] = lambda: False
) -> Iterator[ConeStep]:
    """Proximal-point steps towards the optimum of ``L(F) + beta sum of norms`` over pairs of blocks in cones.

    As :func:`~bidual.solvers.inner.group_newton.group_newton`, with blocks ``g = (j, s, k)`` of pattern j, sign s and
    output k, and the projection Pi_j on ``{u : S_j X u >= 0}`` in the proximal map:

        ``psi = max over G of (-L(G) - <theta, G> - ||G - F||^2 / (2 tau))``
        ``      + sum_g (||Pi_j W_g|| - sigma beta)_+^2 / (2 sigma) + w/2 sum_k (b_k/w + sum_i theta_ik)^2``,
        ``W_g = U_g + s sigma X'D_j theta_k``,   ``U_g = (1 - sigma beta / ||Pi_j W_g||)_+ Pi_j W_g``.

    A block whose multipliers already prove ``||Pi_j W_g|| <= sigma beta`` is 0 and needs no projection: only the few
    blocks that are not 0 are projected to the end. The multipliers, divided by sigma, bound the scores of V as well.

    With N_g a basis of the null space of the active rows, u_g the direction of U_g and ``a = sigma - sigma^2 beta /
    ||Pi_j W_g||``, block g has the term ``D_j X (a N_g N_g' + (sigma - a) u_g u_g') X'D_j`` in the Newton matrix: few
    columns, since in most dimensions a row is active. One Cholesky factorisation, of as many columns or rows as there
    are fewer, solves the Newton system.

    U (P, 2, p, c) inside the cones. The loss must be smooth and not couple the outputs, the penalty a Strength, the
    bias not free.
    """
    state = _Dual(program, U, b)
    best, idle = np.inf, 0
    while idle < IDLE and not expired():
        settled = state.minimise(expired)
        step = state.step()
        yield step
        idle = 0 if step.gap < best else idle + 1
        best = min(best, step.gap)
        state.recentre(GROWTH if settled else 1.0)


class _Dual:
    """theta with what is known at it. Blocks are the rows of matrices (2 P c, p), in the order (pattern, sign, output).

    C : the scores' gradients ``s X'D_j theta_k``. near : the projections of ``W = U + sigma C``. G : as above.
    """

    def __init__(self, program: Program, U: Matrix, b: Vector):
        problem, (P, _, p, c) = program.problem, program.shape
        assert isinstance(problem.penalty, Strength)
        self.problem, self.data, self.beta = problem, program.data, problem.penalty.beta
        self.loss, self.Y, self.s = problem.loss, problem.Y, problem.weights
        self.cones = Cones(problem.lifted, program.patterns.masks)
        self.pattern, self.output = np.repeat(np.arange(P), 2 * c), np.tile(np.arange(c), 2 * P)
        self.sign = np.tile(np.repeat([1.0, -1.0], c), P)
        self.F, self.U, self.b = program.forward(U, b), U.transpose(0, 1, 3, 2).reshape(-1, p), b
        energy = float(self.data.squared_lengths().sum())
        self.scale = float(np.linalg.norm(self.Y)) or 1.0
        self.tau = FIRST / float(np.mean(self.s))
        self.sigma = SHORTER * self.scale * p**0.5 / (self.beta * max(energy, 1e-300) ** 0.5)
        self.constant = energy / self.Y.shape[0] if problem.intercept else 0.0
        theta = problem.dual_vector(self.F)
        C = self._adjoint(theta)
        near = self.cones.project(self.pattern, C, self.beta)
        limit = problem.penalty.limit(float(near.bounds.max(initial=0.0)))
        t = self.loss.best_scaling(theta, self.Y, self.s, limit, 0.0)
        self.theta, self.C = t * theta, t * C
        self.near, self.G = self._projected(self.C, near), self._proximal(self.theta)

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

    def step(self) -> ConeStep:
        """The new centre, certified."""
        V = self.problem.dual_vector(self.G)
        scores = self._adjoint(V) + self.near.shifts / self.sigma
        dual = self.problem.dual(V, float(np.linalg.norm(scores, axis=1).max(initial=0.0)))
        primal = self.problem.loss_value(self.predicted) + self.beta * float(np.linalg.norm(self.new_U, axis=1).sum())
        (P, c), p = (self.data.shape[2], self.Y.shape[1]), self.U.shape[1]
        U = self.new_U.reshape(P, 2, c, p).transpose(0, 1, 3, 2)
        witness = Witness.of(self.pattern, self.output, self.sign, self.near, 1.0 / self.sigma)
        return ConeStep(U, self.new_b, V, (primal - dual) / max(abs(primal), 1e-300), witness)

    def recentre(self, growth: float) -> None:
        """The proximal-point step."""
        self.F, self.U, self.b = self.G, self.new_U, self.new_b
        self.sigma, self.tau = growth * self.sigma, growth * self.tau
        self.near, self.G = self._projected(self.C, self.near), self._proximal(self.theta)

    def _projected(self, C: Matrix, near: Projections) -> Projections:
        return self.cones.project(self.pattern, self.U + self.sigma * C, self.sigma * self.beta, near)

    def _proximal(self, theta: Outputs) -> Outputs:
        return self.loss.proximal(self.F - self.tau * theta, self.Y, self.s, self.tau)

    def _adjoint(self, R: Outputs) -> Matrix:
        C = self.data.adjoint(R).transpose(0, 2, 1)
        return np.stack([C, -C], axis=1).reshape(-1, C.shape[2])

    def _forward(self, U: Matrix) -> Outputs:
        (P, c), p = (self.data.shape[2], self.Y.shape[1]), U.shape[1]
        pairs = U.reshape(P, 2, c, p)
        which = np.unique(self.pattern[self.active])
        return self.data.forward((pairs[which, 0] - pairs[which, 1]).transpose(0, 2, 1), which)

    def _gradient(self) -> Outputs:
        """(n, c); sets the blocks that theta proposes and their predictions."""
        amount = self.sigma * self.beta
        self.active = np.flatnonzero(self.near.bounds > amount)
        self.share = 1.0 - amount / self.near.bounds[self.active]
        self.new_U = np.zeros_like(self.U)
        self.new_U[self.active] = self.near.points[self.active] * self.share[:, None]
        self.new_b = self.b + self.sigma * self.constant * self.theta.sum(axis=0)
        self.predicted = self._forward(self.new_U) + self.new_b
        return self.predicted - self.G

    def _move(self, g: Outputs) -> bool:
        """A Newton step with line search; False if it leads nowhere."""
        direction = self._direction(g)
        slope = float(np.sum(g * direction))
        if not slope < 0.0:
            return False
        change = self._adjoint(direction)
        step, near, value = 1.0, self.near, self._psi(self.theta, self.near, self.G)
        while True:
            theta, C = self.theta + step * direction, self.C + step * change
            near, G = self._projected(C, near), self._proximal(theta)
            if self._psi(theta, near, G) <= value + 1e-4 * step * slope + 1e-15 * abs(value):
                break
            step *= 0.5
            if step < 1e-8:
                return False
        self.theta, self.C, self.near, self.G = theta, C, near, G
        return True

    def _psi(self, theta: Outputs, near: Projections, G: Outputs) -> float:
        value = float(np.sum(np.maximum(near.bounds - self.sigma * self.beta, 0.0) ** 2)) / (2.0 * self.sigma)
        value -= self.loss.value(G, self.Y, self.s) + float(np.sum(theta * G))
        value -= float(np.sum((G - self.F) ** 2)) / (2.0 * self.tau)
        if self.constant:
            w = self.sigma * self.constant
            value += float(np.sum((self.b + w * theta.sum(axis=0)) ** 2)) / (2.0 * w)
        return value

    def _direction(self, g: Outputs) -> Outputs:
        """The solution of ``H d = -g``, output by output."""
        h = 1.0 / (1.0 / self.tau + self.loss.hessian(self.G, self.Y, self.s)[0])
        factors, owner = self._factors()
        direction = np.empty_like(g)
        for k in range(g.shape[1]):
            own = self.output[owner] == k
            blocks = self.data.columns(factors[own], self.pattern[owner[own]])
            columns = np.concatenate([self.data.device.get(block) for _, block in blocks])
            if self.constant:
                columns = np.column_stack([columns, np.full(g.shape[0], (self.sigma * self.constant) ** 0.5)])
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

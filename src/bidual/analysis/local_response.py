"""How the optimal neurons respond when a row leaves: one inverse for all rows."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.analysis.kinks import Kinks
from bidual.architectures.pieces import linear_pieces
from bidual.network import Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.curvature import LocalModel, free_space, rows_on_kinks
from bidual.typing import Matrix, Vector

FLAT = 1e-11
"""Directions of less curvature than this, relative to the most, do not matter for the loss."""

SLIGHT = 1e-4
"""The curvature of such directions, relative to the usual, where a neuron that vanishes makes others follow."""

LEFT = 1e-9
"""The share of its curvature that a row leaves behind, so that what it alone determined can be told to vanish."""

FULL = 1e-6
"""A network is as large as it may be if it may not grow by this share."""

ROUNDS = 12
"""How often neurons and kinks are looked through at most for one row."""


@final
class LocalResponse:
    """One Newton step of the problem without a row, from a network that is taken to be optimal with it.

    Rows on a neuron's hyperplane are held there, as the objective has a kink, until it falls on one side of it; those
    of the row that leaves are released at once if that is better. A neuron whose vector would turn around vanishes
    instead. (The implicit function theorem on the active neurons; Koh & Liang 2017 for smooth networks.)

    The coordinates are those of a :class:`~bidual.solvers.inner.curvature.LocalModel`. For each neuron the first span
    the directions that hold all its kinks; then comes one for each kink, along which this one is released and the
    others are held. P is the inverse of the Hessian in the first.
    """

    def __init__(self, problem: Problem, network: Network):
        architecture, X = linear_pieces(problem.architecture), problem.lifted
        self.units, t = architecture.from_network(network)
        self.W, self.b = self.units.inputs * t, network.layers[-1].bias
        on = rows_on_kinks(problem, self.units)
        slopes = np.where(on, 0.0, architecture.slopes(X, self.units))
        bases, released = [], []
        for column, support in zip(on.T, problem.architecture.support(self.W).T, strict=True):
            held, (free, rows) = free_space(X[column], support), _releases(X * support, np.flatnonzero(column))
            bases.append(np.hstack([held, free]))
            released += [np.full(held.shape[1], -1), rows]
        price = _price(problem, network)
        self.model = LocalModel(problem, slopes, self.W, self.units.outputs, self.b, price, bases)
        constants = np.full(self.model.size - self.model.owner.size, -1)
        released_rows = np.concatenate([*released, constants]).astype(np.intp)
        h, q = problem.loss.hessian(self.model.F, problem.Y, problem.weights)
        self.curvature = h[:, :, None] * np.eye(problem.n_outputs)  # (n, c, c): of the loss of each row
        if q is not None:
            self.curvature = self.curvature - q[:, :, None] * q[:, None, :]
        self.kinks = Kinks.of(self.model, released_rows, architecture.slope or 0.0, self.curvature)
        self.held = np.flatnonzero(released_rows < 0)
        self.hessian, self.length = self.model.hessian, self.model.length
        self.gradient = np.where(released_rows < 0, 0.0, self.model.gradient)  # the network is taken to be optimal
        self.mover = np.append(self.model.owner, np.full(constants.size, len(self.units)))  # the neuron, or none
        self.away = np.concatenate([np.zeros(0), *(B.T @ w for B, w in zip(bases, self.W.T, strict=True))])
        self._invert(not isinstance(problem.penalty, Strength) and price > 0.0)

    def _invert(self, sized: bool) -> None:
        """P, and the directions without curvature; if ``sized``, only steps that keep the size are allowed."""
        values, vectors = np.linalg.eigh(self.hessian[np.ix_(self.held, self.held)])
        keep = values > FLAT * values.max(initial=0.0)
        self.P = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T
        self.flat = vectors[:, ~keep] / np.sqrt(SLIGHT * np.median(values) if keep.any() else 1.0)
        if sized:
            length = self.length[self.held]
            along = self.P @ length
            self.P -= np.outer(along, along) / (length @ along)

    def without(self, row: int, share: float, gone: float) -> tuple[Matrix, Vector]:
        """(p, m) and (c,): the neurons and the intercept without a share of the row's weight; ``gone`` is the share of
        the price of size that goes with it."""
        own = (self.kinks.rows == row) & (share == 1.0)
        held = self._step(row, share, gone, own & False)
        if not own.any():
            return held
        freed = self._step(row, share, gone, own)
        return min(held, freed, key=lambda moved: self._objective(moved[0], moved[1], row, gone))

    def _step(self, row: int, share: float, gone: float, own: NDArray[np.bool_]) -> tuple[Matrix, Vector]:
        """As :meth:`without`, with the row's ``own`` kinks released, by the active-set method: neurons that turn around
        vanish, kinks are released where the objective falls, and held again where they would move to the other side."""
        kinks, model = self.kinks, self.model
        J, M = model.row_jacobian(row), share * self.curvature[row]
        pull = -self.gradient + share * (model.rates[row] @ J) + gone * model.price * self.length
        side, settled = np.zeros(own.size), kinks.rows == row
        dead = np.zeros(len(self.units), dtype=bool)
        rounding = 1e-9 * float(np.abs(model.rates).max())
        for _ in range(ROUNDS):
            z = self._solve(J, M, pull, side, own, dead)
            move, shift = model.move(z)
            W = self.W + move
            turned = ~dead & (self._overlap(W) <= 0.0)
            dead |= turned
            others = (self.hessian[kinks.at] @ z) - J[:, kinks.at].T @ (M @ (J @ z)) - pull[kinks.at]
            mine = kinks.pull(model.rates, z, side)
            wrong = side * z[kinks.at] < 0.0
            settled |= wrong
            stay = (side == 0.0) & ~settled & ~dead[model.owner[kinks.at]]
            up, down = stay & (others + mine < -rounding), stay & (others + kinks.low * mine > rounding)
            if not (turned.any() or wrong.any() or up.any() or down.any()):
                break
            side = np.where(wrong, 0.0, side + up - (down & ~up))
        W[:, dead] = 0.0
        return W, self.b + shift

    def _solve(
        self, J: Matrix, M: Matrix, pull: Vector, side: Vector, own: NDArray[np.bool_], dead: NDArray[np.bool_]
    ) -> Vector:
        """(N,): the step under a pull, without the curvature M (c, c) of a row of Jacobian J (c, N), kinks released to
        their side, ``dead`` neurons put to zero."""
        free = np.flatnonzero((side != 0.0) | own)
        at, h, c = self.kinks.at[free], len(self.P), len(M)
        q = self.kinks.slopes(side)[free, None] * self.kinks.reach[free]
        coupled, among = self.kinks.coupling(free, q)
        T = self.hessian[np.ix_(self.held, at)] + coupled[self.held]
        schur = self.hessian[np.ix_(at, at)] + among - T.T @ self.P @ T
        L = np.vstack([-self.P @ T, np.eye(at.size)])
        C = np.linalg.pinv(schur, hermitian=True)
        moving = np.concatenate([self.held, at])
        J, g = J[:, moving], pull[moving]
        g[h:] -= np.einsum("kc,kc->k", q, self.model.rates[self.kinks.rows[free]])
        A = L @ (C @ (L.T @ J.T))
        A[:h] += self.P @ J[:, :h].T
        downdate = M @ np.linalg.inv((1.0 + LEFT) * np.eye(c) - J @ A @ M)
        step = L @ (C @ (L.T @ g)) + A @ (downdate @ (A.T @ g))
        step[:h] += self.P @ g[:h]
        if dead.any():
            fixed = np.flatnonzero(np.append(dead, False)[self.mover[moving]])
            columns = L @ (C @ L[fixed].T) + A @ (downdate @ A[fixed].T)
            columns[:h, fixed < h] += self.P[:, fixed[fixed < h]]
            columns[:h, fixed < h] += self.flat @ self.flat[fixed[fixed < h]].T
            square = columns[fixed] + FLAT * np.abs(columns[fixed]).max() * np.eye(fixed.size)
            step -= columns @ np.linalg.solve(square, self.away[moving[fixed]] + step[fixed])
        z = np.zeros(len(pull))
        z[moving] = step
        return z

    def _objective(self, W: Matrix, b: Vector, row: int, gone: float) -> float:
        """That of the problem without the row."""
        problem = self.model.problem
        architecture = linear_pieces(problem.architecture)
        Z = problem.lifted @ W
        F = (architecture.slopes(problem.lifted, self.units, Z) * Z) @ self.units.outputs.T + b
        kept = np.arange(len(F)) != row
        loss = problem.loss.value(F[kept], problem.Y[kept], problem.weights[kept])
        return loss + (1.0 - gone) * self.model.price * float(architecture.input_norm(W).sum())

    def _overlap(self, W: Matrix) -> Vector:
        priced = slice(None, -1) if self.model.problem.architecture.bias == "free" else slice(None)
        return np.einsum("pm,pm->m", W[priced], self.W[priced])


def _releases(X: Matrix, rows: NDArray[np.intp]) -> tuple[Matrix, NDArray[np.intp]]:
    """(p, k) unit directions, (k,) rows: along each, one of the rows leaves the hyperplane and all others stay on it.

    A row that depends on the others has none.
    """
    dual = np.linalg.pinv(X[rows])
    alone = np.isclose(np.einsum("kp,pk->k", X[rows], dual), 1.0, rtol=0.0, atol=1e-8)
    return dual[:, alone] / np.linalg.norm(dual[:, alone], axis=0), rows[alone]


def _price(problem: Problem, network: Network) -> float:
    """What a unit of size costs; for a ball that is full, what the loss gains from one along the network itself."""
    if isinstance(problem.penalty, Strength):
        return problem.penalty.beta
    F, size = network(problem.X), problem.architecture.size(network)
    if problem.penalty.value((1.0 + FULL) * size) == 0.0:
        return 0.0
    return max(float(np.sum(problem.dual_vector(F) * (F - network.layers[-1].bias))) / size, 0.0)

"""How the optimal neurons respond when a row leaves: one inverse for all rows."""

from __future__ import annotations

from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.pieces import linear_pieces
from bidual.network import Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.curvature import LocalModel, null_space, rows_on_kinks
from bidual.typing import Matrix, Vector

FLAT = 1e-11
"""Directions of less curvature than this, relative to the most, do not matter for the loss."""

SLIGHT = 1e-4
"""The curvature of such directions, relative to the usual, where a neuron that vanishes makes others follow."""

LEFT = 1e-9
"""The share of its curvature that a row leaves behind, so that what it alone determined can be told to vanish."""


FULL = 1e-6
"""A network is as large as it may be if it may not grow by this share."""


@final
class LocalResponse:
    """One Newton step of the problem without a row, from a network that is taken to be optimal with it.

    Rows on a neuron's hyperplane are held there: the objective has a kink. Those of the row that leaves are released if
    the objective is lower for it. A neuron whose vector would turn around vanishes instead. (The implicit function
    theorem on the active neurons, as Koh & Liang 2017 for smooth networks.)

    The coordinates are those of a :class:`~bidual.solvers.inner.curvature.LocalModel`. For each neuron the first span
    the directions that hold all its kinks; then comes one for each kink, along which this one is released and the
    others are held. P (N, N) is the inverse of the Hessian in the first, zero in the others.
    """

    def __init__(self, problem: Problem, network: Network):
        architecture, X = linear_pieces(problem.architecture), problem.lifted
        self.units, t = architecture.from_network(network)
        self.W, self.b = self.units.inputs * t, network.layers[-1].bias
        on = rows_on_kinks(problem, self.units)
        slopes = np.where(on, 0.0, architecture.slopes(X, self.units))
        bases, released = [], []
        for column in on.T:
            held, (free, rows) = null_space(X[column], X.shape[1]), _releases(X, np.flatnonzero(column))
            bases.append(np.hstack([held, free]))
            released += [np.full(held.shape[1], -1), rows]
        price = _price(problem, network)
        self.model = LocalModel(problem, slopes, self.W, self.units.outputs, self.b, price, bases)
        constants = np.full(self.model.size - self.model.owner.size, -1)
        self.released = np.concatenate([*released, constants]).astype(np.intp)
        self.hessian, self.length = self.model.hessian, self.model.length
        self.gradient = np.where(self.released < 0, 0.0, self.model.gradient)  # the network is taken to be optimal
        self.P = self._inverse(not isinstance(problem.penalty, Strength) and price > 0.0)

    def _inverse(self, sized: bool) -> Matrix:
        """P; if ``sized``, only steps that keep the size of the network are allowed."""
        held = np.flatnonzero(self.released < 0)
        self.flat = np.zeros((len(self.hessian), 0))
        if held.size == 0:
            return np.zeros_like(self.hessian)
        values, vectors = np.linalg.eigh(self.hessian[np.ix_(held, held)])
        keep = values > FLAT * values.max()
        self.flat = np.zeros((len(self.hessian), np.count_nonzero(~keep)))
        self.flat[held] = vectors[:, ~keep] / np.sqrt(SLIGHT * np.median(values))
        P = np.zeros_like(self.hessian)
        P[np.ix_(held, held)] = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T
        if sized:
            along = P @ self.length
            P -= np.outer(along, along) / (self.length @ along)
        return P

    @cached_property
    def _away(self) -> Vector:
        """The coordinates of the neurons: the steps that put them to zero, with the sign changed."""
        return np.concatenate([np.zeros(0), *(B.T @ w for B, w in zip(self.model.bases, self.W.T, strict=True))])

    @cached_property
    def _row_hessians(self) -> Matrix:
        """(n, c, c): the Hessian of each row's loss in its predictions."""
        problem = self.model.problem
        h, q = problem.loss.hessian(self.model.F, problem.Y, problem.weights)
        M = h[:, :, None] * np.eye(problem.n_outputs)
        return M if q is None else M - q[:, :, None] * q[:, None, :]

    def without(self, row: int, share: float, gone: float) -> tuple[Matrix, Vector]:
        """(p, m) and (c,): the neurons and the intercept without a share of the row's weight; ``gone`` is the share of
        the price of size that goes with it."""
        kinks = np.flatnonzero(self.released == row)
        held = self._step(row, share, gone, kinks[:0])
        if share < 1.0 or kinks.size == 0:
            return held
        freed = self._step(row, share, gone, kinks)
        return min(held, freed, key=lambda moved: self._objective(moved[0], moved[1], row, gone))

    def _step(self, row: int, share: float, gone: float, free: NDArray[np.intp]) -> tuple[Matrix, Vector]:
        """As :meth:`without`, with these kinks released."""
        J, M = self.model.row_jacobian(row), share * self._row_hessians[row]
        pull = -self.gradient + share * (self.model.rates[row] @ J) + gone * self.model.price * self.length
        L, C = self._release(free)
        moving = self.released < 0
        moving[free] = True
        A = self.P @ J.T + L @ (C @ (L.T @ J.T))
        c = len(M)
        downdate = M @ np.linalg.inv((1.0 + LEFT) * np.eye(c) - J @ A @ M)
        L = np.hstack([L, A])
        C = np.block([[C, np.zeros((len(C), c))], [np.zeros((c, len(C))), downdate]])
        return self._alive(self.P @ pull + L @ (C @ (L.T @ pull)), L, C, moving)

    def _release(self, free: NDArray[np.intp]) -> tuple[Matrix, Matrix]:
        """(L, C): ``P + L C L'`` is the inverse with these kinks released."""
        L = -self.P @ self.hessian[:, free]
        schur = self.hessian[np.ix_(free, free)] + self.hessian[free] @ L
        L[free, np.arange(free.size)] += 1.0
        return L, np.asarray(np.linalg.pinv(schur, hermitian=True), dtype=float)

    def _alive(self, z: Vector, L: Matrix, C: Matrix, moving: NDArray[np.bool_]) -> tuple[Matrix, Vector]:
        """The neurons and the intercept after the step z, the neurons that it turns around put to zero, until none is.

        ``P + L C L'`` is the inverse in the coordinates that are ``moving``.
        """
        dead = np.zeros(len(self.units), dtype=bool)
        step = z
        while True:
            move, shift = self.model.move(step)
            W = self.W + move
            turned = ~dead & (self._overlap(W) <= 0.0)
            if not turned.any():
                W[:, dead] = 0.0
                return W, self.b + shift
            dead |= turned
            fixed = np.flatnonzero(dead[self.model.owner] & moving[: self.model.owner.size])
            columns = self.P[:, fixed] + L @ (C @ L[fixed].T) + self.flat @ self.flat[fixed].T
            square = columns[fixed] + FLAT * np.abs(columns[fixed]).max() * np.eye(fixed.size)
            step = z - columns @ np.linalg.solve(square, self._away[fixed] + z[fixed])

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

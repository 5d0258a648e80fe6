"""The wide convex program of parallel three-layer networks on some of its cells, by an interior-point method."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array

from bidual.architectures import Neurons, no_neurons
from bidual.architectures.parallel_relu3 import sub_network
from bidual.operators.rectifier_ball import RectifierBall
from bidual.penalties import Ball
from bidual.problem import Problem
from bidual.solvers.inner.conic_losses import clipped, expression
from bidual.solvers.inner.interior_point import load_cvxpy, solve_conic
from bidual.solvers.refuting import least_score
from bidual.typing import Masks, Matrix, Outputs, Vector

logger = logging.getLogger("bidual")

DROP = 1e-9
"""Sub-networks of at most this share of the largest one's size are left out."""

CLOSE = 1e-8
"""A first-layer unit whose score is larger than the price by no more than this, relatively, would change nothing."""


@dataclass(frozen=True)
class WideSolution:
    """Sub-networks with their amplitudes t, the intercept b, the dual vector V, and the price of one unit of size."""

    neurons: Neurons
    t: Vector
    b: Vector
    V: Outputs
    price: float


@dataclass
class WideMaster:
    """``min L(sum over cells of o D_l z + 1 b') + r(sum |u|)``, ``z = sum_s s sum_p D_p X u_sp`` for each cell.

    A cell is a second-layer mask l, an output and a sign o; its units u_sp have a sign s = +-1 and lie in the cone of
    a first-layer mask p, ``S_p X u >= 0``, and ``S_l z >= 0`` couples them. Cells are taken in by :meth:`add`; their
    units when the dual vector and the multipliers of ``S_l z >= 0`` ask for them.

    cells : (mask, output, sign) of each, and the units (2, P) it may have, 0 or 1 for the sign s by first-layer mask;
    units (M, 3): cell, sign and first-layer mask.
    """

    problem: Problem
    ball: RectifierBall
    tol: float
    cells: list[tuple[Masks, int, int]] = field(default_factory=list)
    allowed: list[Masks] = field(default_factory=list)
    units: NDArray[np.intp] = field(default_factory=lambda: np.zeros((0, 3), dtype=np.intp))

    def add(self, masks: Masks, output: NDArray[np.intp], sign: NDArray[np.int64], allowed: NDArray[np.bool_]) -> bool:
        """Take in the cells of masks (n, m), outputs (m,), signs (m,) and units (m, 2, P); True if one is new."""
        named = zip(self.cells, self.allowed, strict=True)
        known, before = {_name(*cell, units) for cell, units in named}, len(self.cells)
        for mask, k, o, units in zip(masks.T, output.tolist(), sign.tolist(), allowed, strict=True):
            if mask.any() and _name(mask, k, o, units) not in known:
                known.add(_name(mask, k, o, units))
                self.cells.append((mask, k, o))
                self.allowed.append(units)
        return len(self.cells) > before

    def solve(self, V: Outputs, price: float) -> WideSolution | None:
        """The program on the cells, started from the units that score more than ``price`` against V; None if there are
        none, or if it fails."""
        mu, solution = np.zeros((len(self.cells), V.shape[0])), None
        while self._enter(V, mu, price):
            solved = self._interior_point()
            if solved is None:
                break
            solution, mu = solved
            V, price = solution.V, solution.price
        return solution

    def _enter(self, V: Outputs, mu: Matrix, price: float) -> bool:
        """Take in the units of signs s and masks p with ``max over u in the cone of s (o D_l v + S_l mu)'D_p X u``
        above the price; True if one is new."""
        if not self.cells:
            return False
        W = np.array([np.where(mask, o * V[:, k] + m, -m) for (mask, k, o), m in zip(self.cells, mu, strict=True)])
        worth = max(price * (1.0 + CLOSE), least_score(self.problem, V))
        wanted = np.argwhere((self.ball.prices(W, price) > worth) & np.array(self.allowed))
        known = set(map(tuple, self.units.tolist()))
        new = [unit for unit in wanted.tolist() if tuple(unit) not in known]
        self.units = np.concatenate([self.units, np.array(new, dtype=np.intp).reshape(-1, 3)])
        return bool(new)

    def _interior_point(self) -> tuple[WideSolution, Matrix] | None:
        """The solution on the units, and the multipliers of ``S_l z >= 0`` (cells, n)."""
        cp, problem = load_cvxpy(), self.problem
        (n, c), penalty = problem.Y.shape, problem.penalty
        U, F, b = cp.Variable((len(self.units), self.ball.X.shape[1])), cp.Variable((n, c)), cp.Variable((1, c))
        flat, size, Z = cp.vec(U, order="C"), cp.sum(cp.norm(U, 2, axis=1)), self._sums()
        predictions = cp.reshape(self._reads() @ Z @ flat, (n, c), order="F")
        link = F == (predictions + np.ones((n, 1)) @ b if problem.intercept else predictions)
        coupled = self._sides() @ Z @ flat >= 0
        loss, constraints = expression(cp, problem, F), [link, coupled, self._cones() @ flat >= 0]
        if isinstance(penalty, Ball):
            limit = size <= penalty.radius
            task = cp.Problem(cp.Minimize(loss), [*constraints, limit])
        else:
            task = cp.Problem(cp.Minimize(loss + penalty.value(1.0) * size), constraints)
        solve_conic(task, self.tol)
        if link.dual_value is None or U.value is None:
            logger.warning("Clarabel ended without a solution: %s", task.status)
            return None
        price = float(limit.dual_value) if isinstance(penalty, Ball) else penalty.value(1.0)
        V = clipped(problem, np.asarray(link.dual_value).reshape(n, c))
        neurons, t = self._sub_networks(U.value)
        if isinstance(penalty, Ball):
            t = t * min(1.0, penalty.radius / max(float(t.sum()), 1e-300))
        intercept = b.value[0] if problem.intercept else np.zeros(c)
        mu = np.maximum(np.asarray(coupled.dual_value).reshape(-1, n), 0.0)
        return WideSolution(neurons, t, intercept, V, price), mu

    def _sub_networks(self, U: Matrix) -> tuple[Neurons, Vector]:
        """One sub-network for each cell that is not negligible; its units are those of U (M, p)."""
        problem, U = self.problem, self.ball.nearest(self.units[:, 2], U)
        sizes = np.linalg.norm(U, axis=1)
        totals = np.zeros(len(self.cells))
        np.add.at(totals, self.units[:, 0], sizes)
        neurons, kept = no_neurons(U.shape[1], problem.n_outputs), []
        for j in np.flatnonzero(totals > DROP * totals.max(initial=0.0)):
            units, own = np.zeros(self.ball.shape), self.units[:, 0] == j
            units[self.units[own, 1], self.units[own, 2]] = U[own]
            _, k, o = self.cells[j]
            neuron = sub_network(units, o * np.eye(problem.n_outputs)[k])
            if neuron is not None:
                neurons = neurons.join(neuron)
                kept.append(j)
        return neurons, totals[kept]

    def _sums(self) -> csr_array:
        """(K n, M p): the z of each cell, one after the other."""
        cell, s, mask = self.units.T
        (n, p), M = self.ball.X.shape, len(cell)
        entries = (1.0 - 2.0 * s)[:, None, None] * self.ball.first[:, mask].T[:, :, None] * self.ball.X
        rows = np.broadcast_to((cell[:, None] * n + np.arange(n))[:, :, None], entries.shape)
        columns = np.broadcast_to(np.arange(M * p).reshape(M, 1, p), entries.shape)
        return _sparse(entries, rows, columns, (len(self.cells) * n, M * p))

    def _cones(self) -> csr_array:
        """(rows, M p): the rows of every ``S_p X``, of length 1; those of zeros constrain nothing."""
        kept, mask = np.flatnonzero(self.ball.reach), self.units[:, 2]
        unit = self.ball.X[kept] / self.ball.reach[kept, None]
        entries = np.where(self.ball.first[kept][:, mask].T[:, :, None], unit, -unit)
        M, h, p = entries.shape
        rows = np.broadcast_to(np.arange(M * h).reshape(M, h, 1), entries.shape)
        columns = np.broadcast_to(np.arange(M * p).reshape(M, 1, p), entries.shape)
        return _sparse(entries, rows, columns, (M * h, M * p))

    def _sides(self) -> csr_array:
        """(K n, K n): the diagonal of every S_l."""
        return diags_array(np.concatenate([np.where(mask, 1.0, -1.0) for mask, _, _ in self.cells]), format="csr")

    def _reads(self) -> csr_array:
        """(c n, K n): the sum over the cells of each output of ``o D_l z``."""
        n, c = self.problem.Y.shape
        masks = np.array([mask for mask, _, _ in self.cells])
        k, o = np.array([k for _, k, _ in self.cells]), np.array([float(o) for _, _, o in self.cells])
        columns = np.arange(masks.size).reshape(masks.shape)
        rows = k[:, None] * n + np.arange(n)
        return _sparse(np.where(masks, o[:, None], 0.0), rows, columns, (c * n, masks.size))


def _name(mask: Masks, output: int, sign: int, units: Masks) -> tuple[bytes, int, int, bytes]:
    return mask.tobytes(), output, sign, units.tobytes()


def _sparse(entries: Matrix, rows: NDArray[Any], columns: NDArray[Any], shape: tuple[int, int]) -> csr_array:
    return csr_array(coo_array((entries.ravel(), (rows.ravel(), columns.ravel())), shape=shape))

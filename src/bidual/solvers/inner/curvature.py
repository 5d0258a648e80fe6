"""The training objective to second order, where every neuron stays inside its cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures import Neurons
from bidual.architectures.pieces import linear_pieces
from bidual.problem import Problem
from bidual.typing import Masks, Matrix, Outputs, Vector

KINK = 1e-9
"""A row is on a neuron's hyperplane when its normalised distance is at most this."""


@final
class LocalModel:
    """``Phi = L(F) + price sum_j |w_j|`` in coordinates z: neuron j moves to ``w_j + bases[j] z_j``, and the intercept,
    if there is one, by the last c of them. Output weights stay as they are.

    On its cell each neuron is linear on the data with the slopes (n, m), and ``|w_j|`` is smooth; so Phi is, and its
    Hessian is ``J' L'' J + price (I - u u') / |w_j|`` with J the Jacobian of the predictions and ``u = w_j / |w_j|``.

    W : (p, m) the vectors w_j, A : (c, m) output weights, b : (c,), bases : m matrices (p, r_j).
    """

    def __init__(
        self, problem: Problem, slopes: Matrix, W: Matrix, A: Matrix, b: Vector, price: float, bases: Sequence[Matrix]
    ):
        self.problem, self.W, self.A, self.price, self.bases = problem, W, A, price, bases
        self.start = np.concatenate([[0], np.cumsum([B.shape[1] for B in bases], dtype=np.intp)])
        self.owner = np.repeat(np.arange(len(bases)), np.diff(self.start))
        self.F: Outputs = (slopes * (problem.lifted @ W)) @ A.T + b
        self.rates: Outputs = problem.loss.gradient(self.F, problem.Y, problem.weights)
        pieces = [(slopes[:, j : j + 1] * problem.lifted) @ B for j, B in enumerate(bases)]
        self._columns = np.hstack([np.zeros((slopes.shape[0], 0)), *pieces])

    @property
    def size(self) -> int:
        """How many coordinates there are."""
        return self.owner.size + (self.problem.n_outputs if self.problem.intercept else 0)

    def move(self, z: Vector) -> tuple[Matrix, Vector]:
        """(p, m) and (c,): by how much the coordinates z move the neurons and the intercept."""
        parts = [B @ z[i:j] for B, i, j in zip(self.bases, self.start[:-1], self.start[1:], strict=True)]
        by = np.column_stack([np.zeros((self.W.shape[0], 0)), *parts])
        return by, z[self.owner.size :] if self.problem.intercept else np.zeros(self.A.shape[0])

    def jacobian(self, k: int) -> tuple[NDArray[np.intp], Matrix]:
        """(the coordinates that output k depends on, its derivatives in them (n, their number))."""
        mine = np.flatnonzero(self.A[k, self.owner] != 0)
        part = self._columns[:, mine] * self.A[k, self.owner[mine]]
        if self.problem.intercept:
            mine, part = np.append(mine, self.owner.size + k), np.column_stack([part, np.ones(part.shape[0])])
        return mine, part

    def row_jacobian(self, i: int) -> Matrix:
        """(c, size): the derivatives of the predictions of row i."""
        constants = np.eye(self.A.shape[0], self.size - self.owner.size)
        return np.hstack([self._columns[i] * self.A[:, self.owner], constants])

    @property
    def length(self) -> Vector:
        """(size,): the gradient of ``sum_j |w_j|``."""
        slope = np.zeros(self.size)
        for block, inside, unit, _ in self._norms():
            slope[block] = inside.T @ unit
        return slope

    @property
    def gradient(self) -> Vector:
        """(size,): that of Phi."""
        g = np.zeros(self.size)
        for k in range(self.problem.n_outputs):
            mine, part = self.jacobian(k)
            g[mine] += part.T @ self.rates[:, k]
        return g + self.price * self.length

    @property
    def hessian(self) -> Matrix:
        """(size, size): that of Phi."""
        h, q = self.problem.loss.hessian(self.F, self.problem.Y, self.problem.weights)
        G = np.zeros((self.size, self.size))
        coupled = None if q is None else np.zeros((h.shape[0], self.size))
        for k in range(self.problem.n_outputs):
            mine, part = self.jacobian(k)
            G[np.ix_(mine, mine)] += part.T @ (h[:, k : k + 1] * part)
            if coupled is not None and q is not None:
                coupled[:, mine] += q[:, k : k + 1] * part
        if coupled is not None:
            G -= coupled.T @ coupled
        for block, inside, unit, norm in self._norms():
            slope = inside.T @ unit
            G[block, block] += self.price / norm * (inside.T @ inside - np.outer(slope, slope))
        return G

    def _norms(self) -> Iterator[tuple[slice, Matrix, Vector, float]]:
        """For each neuron: its coordinates, and of its basis and its vector what the norm sees, the vector as a unit
        vector and a norm."""
        seen = slice(None, -1) if self.problem.architecture.bias == "free" else slice(None)
        norms = linear_pieces(self.problem.architecture).input_norm(self.W)
        for j, B in enumerate(self.bases):
            yield slice(self.start[j], self.start[j + 1]), B[seen], self.W[seen, j] / norms[j], float(norms[j])


def gates_itself(problem: Problem, neurons: Neurons) -> bool:
    """True if the slopes depend on the input weights, so that neurons have kinks."""
    architecture, X = linear_pieces(problem.architecture), problem.lifted
    turned = Neurons(-neurons.inputs, neurons.outputs, neurons.gates)
    return not np.array_equal(architecture.slopes(X, neurons), architecture.slopes(X, turned))


def rows_on_kinks(problem: Problem, neurons: Neurons) -> Masks:
    """(n, m): which rows lie on which neuron's hyperplane; none if the units do not gate themselves."""
    X = problem.lifted
    if not gates_itself(problem, neurons):
        return np.zeros((X.shape[0], len(neurons)), dtype=bool)
    scale = np.linalg.norm(X, axis=1)[:, None] * np.linalg.norm(neurons.inputs, axis=0)
    on: Masks = np.abs(X @ neurons.inputs) <= KINK * scale
    return on


def free_space(rows: Matrix, support: NDArray[np.bool_]) -> Matrix:
    """(p, r): an orthonormal basis of the vectors on the support (p,) that are orthogonal to all rows."""
    inside = null_space(rows[:, support], int(support.sum()))
    return inside if support.all() else np.eye(support.size)[:, support] @ inside


def null_space(rows: Matrix, p: int) -> Matrix:
    """(p, r): an orthonormal basis of the vectors orthogonal to all rows."""
    if rows.shape[0] == 0:
        return np.eye(p)
    _, s, Vt = np.linalg.svd(rows, full_matrices=True)
    rank = int((s > KINK * max(s[0], 1e-300)).sum())
    return Vt[rank:].T

"""The training objective of a network with rounded kinks, and its gradient in all weights."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures import Neurons
from bidual.architectures.pieces import linear_pieces
from bidual.problem import Problem
from bidual.typing import Matrix, Vector

BLOCK = 1 << 17
"""Rows times neurons of one block: its activations and slopes stay in the second-level cache."""

Single = NDArray[np.float32]


@final
class RoundedObjective:
    """``L(F) + price/2 sum_j (|u_j|^2 + |a_j|^2)`` with ``F = sum_j phi_w(Xl u_j) a_j' + b``.

    phi_w is the activation of slope s with its kink replaced by the parabola between -w and w: smooth, and at most
    ``w/4 (1 - s)`` above it. Units without a kink (gated, linear) are left as they are. With patches, the activations
    of the patches of a row are pooled. Products run in single precision and block by block of rows, so that the hidden
    layer is never stored.
    """

    def __init__(self, problem: Problem, price: float):
        self.problem, self.price = problem, price
        self.X: Single = problem.lifted.astype(np.float32)
        self.count = self.X.shape[0] // problem.X.shape[0]
        self.decays = slice(None, -1) if problem.architecture.bias == "free" else slice(None)

    def __call__(
        self, U: Matrix, A: Matrix, b: Vector, gates: Matrix | None, width: float
    ) -> tuple[float, Matrix, Matrix, Vector]:
        """The value and its gradients in U (p, m), A (c, m) and b (c,)."""
        problem, price, decays, patches = self.problem, self.price, self.decays, self.problem.architecture.patches
        u, a = U.astype(np.float32), A.astype(np.float32)
        gU, gA, gb, value = price * U, price * A, np.zeros_like(b), 0.0
        if problem.architecture.bias == "free":
            gU[-1] = 0.0
        for rows in self._blocks(U.shape[1]):
            lifted = slice(self.count * rows.start, self.count * rows.stop)
            H, slopes = self._activate(lifted, u, gates, width)
            H = H if patches is None else patches.pool(H)
            F, Y, s = (H @ a.T).astype(float) + b, problem.Y[rows], problem.weights[rows]
            value += problem.loss.value(F, Y, s)
            R = problem.loss.gradient(F, Y, s)
            gb += R.sum(axis=0)
            r = R.astype(np.float32)
            gA += r.T @ H
            slopes *= r @ a if patches is None else patches.spread(r @ a)
            gU += self.X[lifted].T @ slopes
        value += 0.5 * price * float(np.sum(U[decays] ** 2) + np.sum(A**2))
        return value, gU, gA, gb if problem.intercept else np.zeros_like(b)

    def typical_input(self, U: Matrix) -> float:
        """The root mean square of ``Xl u_j``, neuron j counted ``|u_j|^2`` times; 1 if all are 0."""
        u, total = U.astype(np.float32), 0.0
        weights = np.sum(U[self.decays] ** 2, axis=0)
        for rows in self._blocks(U.shape[1]):
            lifted = slice(self.count * rows.start, self.count * rows.stop)
            total += float(np.sum((self.X[lifted] @ u) ** 2, axis=0) @ weights)
        return (total / max(self.X.shape[0] * float(weights.sum()), 1e-300)) ** 0.5 or 1.0

    def _blocks(self, m: int) -> list[slice]:
        step = max(1, max(16, BLOCK // max(m, 1)) // self.count)
        return [slice(k, k + step) for k in range(0, self.problem.X.shape[0], step)]

    def _activate(self, rows: slice, u: Single, gates: Matrix | None, width: float) -> tuple[Single, Single]:
        """The hidden units (rows, m) and their slopes."""
        architecture, Z = self.problem.architecture, self.X[rows] @ u
        if architecture.slope is None:
            neurons = Neurons(u.astype(float), np.zeros((0, u.shape[1])), gates)
            slopes = linear_pieces(architecture).slopes(self.problem.lifted[rows], neurons).astype(np.float32)
            return slopes * Z, slopes
        w, s = np.float32(width), np.float32(architecture.slope)
        slopes = np.clip((Z + w) * np.float32(0.5 / width), 0.0, 1.0)
        H = slopes * (Z + w * (1 - slopes))
        return (H, slopes) if s == 0 else (s * Z + (1 - s) * H, s + (1 - s) * slopes)

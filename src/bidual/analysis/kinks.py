"""Rows on the hyperplanes of neurons, where the training objective has kinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.solvers.inner.curvature import LocalModel
from bidual.typing import Matrix, Outputs, Vector


@final
@dataclass(frozen=True, eq=False)
class Kinks:
    """K kinks: row ``rows[a]`` lies on the hyperplane of the neuron that coordinate ``at[a]`` of a model moves, and
    this coordinate alone moves it off, upwards where it is positive.

    reach : (K, c) how its predictions then change, for each unit of slope; low : the slope below the hyperplane, 1 is
    that above; jacobian : (K, c, N) of the rows' predictions in all coordinates, as if they stayed; curvature :
    (K, c, c) the Hessians of their losses.
    """

    at: NDArray[np.intp]
    rows: NDArray[np.intp]
    reach: Matrix
    low: float
    jacobian: Matrix
    curvature: Matrix

    @classmethod
    def of(cls, model: LocalModel, released: NDArray[np.intp], low: float, curvature: Matrix) -> Kinks:
        """released : (N,) the row that each coordinate moves off, -1 if none."""
        at = np.flatnonzero(released >= 0)
        rows = released[at]
        D = np.column_stack([np.zeros((model.W.shape[0], 0)), *model.bases])[:, at]
        steep = np.einsum("kp,pk->k", model.problem.lifted[rows], D)
        reach = steep[:, None] * model.A[:, model.owner[at]].T
        jacobian = np.array([model.row_jacobian(i) for i in rows]).reshape(at.size, reach.shape[1], model.size)
        return cls(at, rows, reach, low, jacobian, curvature[rows])

    def slopes(self, side: Vector) -> Vector:
        """(K,): those of kinks that are released to a side, 1 or -1; 0 where it is 0."""
        return np.where(side > 0, 1.0, np.where(side < 0, self.low, 0.0))

    def coupling(self, which: NDArray[np.intp], q: Matrix) -> tuple[Matrix, Matrix]:
        """(N, k), (k, k): what the second derivatives of the loss gain once these k kinks are seen to move predictions
        at the rates q (k, c): with all coordinates, and among themselves."""
        M, rows = self.curvature[which], self.rows[which]
        with_all = np.einsum("kcn,kcd,kd->nk", self.jacobian[which], M, q)
        own = np.einsum("ac,acd,bd->ab", q, M, q) * (rows[:, None] == rows)
        mixed = with_all[self.at[which]]
        return with_all, mixed + mixed.T + own

    def pull(self, rates: Outputs, z: Vector, side: Vector) -> Vector:
        """(K,): the derivative of the loss of each row as it moves off with slope 1, after the step z; rates (n, c) are
        the losses' before."""
        moved = self.jacobian @ z
        own = self.slopes(side)[:, None] * self.reach * z[self.at][:, None]
        same = (self.rows[:, None] == self.rows).astype(float)
        after = rates[self.rows] + np.einsum("kcd,kd->kc", self.curvature, moved + same @ own)
        return np.einsum("kc,kc->k", self.reach, after)

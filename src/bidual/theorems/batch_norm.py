"""Batch normalisation of a first layer, as a change of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.typing import Matrix, Rows, Vector


@final
@dataclass(frozen=True, eq=False)
class BatchNorm:
    """Normalised pre-activations are the vectors ``[U, 1/sqrt(n)] (gamma u, alpha)``, ``||u|| = 1``, where U spans the
    centred columns of X (Ergen et al. 2021): a first layer on that design, whose weights are gamma and alpha.

    design : (n, r + 1), with orthonormal columns; r is the numerical rank of the centred X, as
    :func:`numpy.linalg.matrix_rank` has it. mean : (d,), basis : (d, r), ``V S^-1``, so that U is ``(X - mean) basis``.
    """

    design: Rows
    mean: Vector
    basis: Matrix

    @classmethod
    def of(cls, X: Rows) -> BatchNorm:
        """From the training rows X (n, d)."""
        mean = X.mean(axis=0)
        U, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
        # Rounding of the mean leaves columns that are not quite constant; their size is that of X, not of X - mean.
        least = max(X.shape) * np.finfo(float).eps * max(float(s[0]), float(np.abs(X).max()))
        r = min(int(np.sum(s > least)), X.shape[0] - 1)
        U = U[:, :r] - U[:, :r].mean(axis=0)
        return cls(np.column_stack([U, np.full(X.shape[0], X.shape[0] ** -0.5)]), mean, Vt[:r].T / s[:r])

    def fold(self, weight: Matrix) -> tuple[Matrix, Vector]:
        """The affine first layer, weight (d, m) and bias (m,) on X, of weights (r + 1, m) on the design."""
        W = self.basis @ weight[:-1]
        return W, weight[-1] * self.design.shape[0] ** -0.5 - self.mean @ W

"""Deep ReLU networks on whitened data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.network import Network
from bidual.theorems.base import Theorem, least, shrink, singular_values, uneven
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem
from bidual.theorems.whitened_linear import WHITE
from bidual.typing import Matrix

ORTHOGONAL = 1e-10
"""Relative size of the inner products of orthogonal targets, and of entries of the wrong sign."""


@final
@dataclass(frozen=True)
class WhitenedReLU(Theorem):
    """``XX' = c^2 I``, and orthogonal targets each of one sign (one-hot ones are), or one target of any sign.

    Target k, of norm sigma_k, has a path of its own along ``X'y_k``, of product ``prox_L(sigma_k / c; beta / c^2)``
    (Ergen & Pilanci 2020, Theorem 4, which has the soft threshold for every L: right for two layers only). One target
    of both signs counts as two, its positive and its negative part. Batch normalisation makes it hold for all data
    whose centred rows are linearly independent but for their sum.

    Scope: for two layers, and with the L-th power, all networks. With weight decay and more layers, those of parallel
    branches with one neuron in the last hidden layer each, as in the paper: a chain that shares its hidden layers can
    be better.
    """

    name = "whitened ReLU"
    about = "ReLU networks"

    def covers(self, problem: DeepProblem) -> bool:
        return problem.activation == "relu"

    def violation(self, problem: DeepProblem) -> str | None:
        n, p = problem.design.shape
        remedy = _instead(problem)
        if p < n:
            what = "the rank of the centred X must be n - 1" if problem.batch_norm else "n <= d"
            return f"it needs whitened rows, so {what}, but the data have {n} rows and {p} dimensions; {remedy}"
        if (off := uneven(problem.svd[1])) > WHITE:
            return f"it needs XX' = c^2 I, but the singular values of X spread by {off:.2e} of the largest; {remedy}"
        if problem.n_outputs == 1:
            return None
        Y = problem.Y
        mixed = float(np.minimum(Y.max(axis=0), -Y.min(axis=0)).max()) / float(np.abs(Y).max() or 1.0)
        if mixed > ORTHOGONAL:
            return f"it needs targets of one sign, but a column of Y has both, by {mixed:.2e} of the largest; {remedy}"
        norms = np.linalg.norm(Y, axis=0)
        Gram = np.abs(Y.T @ Y) / (np.outer(norms, norms) + (np.outer(norms, norms) == 0))
        if (most := float((Gram - np.diag(np.diag(Gram))).max())) > ORTHOGONAL:
            return f"it needs orthogonal targets, but two columns of Y have a cosine of {most:.2e}; {remedy}"
        return None

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        parts, outputs = _one_signed(problem.Y)
        sigma = np.linalg.norm(parts, axis=0)
        s, tie = shrink(problem, sigma, problem.norm)
        inputs = problem.design.T @ parts
        return Paths(inputs / (np.linalg.norm(inputs, axis=0) + (sigma == 0)), s, outputs), tie

    def bound(self, problem: DeepProblem, network: Network) -> float:
        """A branch adds ``h a'`` with ``h >= 0`` and ``||h|| ||a|| <= ||X|| prod ||W_l||``. The 2/L-th powers of the
        singular values of a sum are no more than those of its terms, so the price is at least that of the outputs; for
        one target, positive and negative branches must pay for its parts each."""
        parts = _one_signed(problem.Y)[0] if problem.n_outputs == 1 else problem.Y
        return least(problem, singular_values(parts), problem.norm)

    def outside(self, problem: DeepProblem, network: Network) -> str | None:
        width = network.layers[-1].weight.shape[-2]
        if problem.order == 2 or width <= 1:
            return None
        return (
            f"the bound is about branches with one neuron in the last hidden layer, this network has {width} there: "
            "such a chain can be better"
        )


def _one_signed(Y: Matrix) -> tuple[Matrix, Matrix]:
    """Nonnegative orthogonal parts (n, k) of the targets, and the outputs (k, c) that make up Y."""
    if Y.shape[1] == 1:
        return np.hstack([np.maximum(Y, 0.0), np.maximum(-Y, 0.0)]), np.array([[1.0], [-1.0]])
    signs = np.where(Y.max(axis=0) >= -Y.min(axis=0), 1.0, -1.0)
    return Y * signs, np.diag(signs)


def _instead(problem: DeepProblem) -> str:
    """What to do where the data are not as they must be."""
    if problem.n_layers == 2:
        return "two layers are solved for any data by a solver of bidual.solvers on problem.two_layer()"
    return "whiten X to n <= d rows, set batch_norm=True, or take two layers (bidual.MLPRegressor)"

"""The certificate of a deep linear regression, to be proven again from raw data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from bidual.errors import InvalidDataError
from bidual.estimators.targets import numbers
from bidual.network import Network
from bidual.theorems import DeepProblem, TheoremCertificate
from bidual.theorems.problem import Regularizer
from bidual.typing import Outputs, Rows, Vector, Weights


@final
@dataclass(frozen=True, eq=False)
class LinearFormulation:
    """How data become a :class:`~bidual.theorems.DeepProblem` with the estimator's objective.

    An output intercept is free, and best at the weighted means, so that centering X and y takes its place; weights that
    add up to 1 scale the rows by their square roots.
    """

    n_layers: int
    alpha: float
    regularizer: Regularizer
    fit_intercept: bool

    def means(self, X: Rows, Y: Outputs, weights: Weights) -> tuple[Vector, Vector]:
        """Of the columns of X and Y; zero without an intercept."""
        if not self.fit_intercept:
            return np.zeros(X.shape[1]), np.zeros(Y.shape[1])
        return weights @ X, weights @ Y

    def problem(self, X: Rows, Y: Outputs, weights: Weights) -> DeepProblem:
        """X (n, d), Y (n, c), weights (n,) that add up to 1."""
        x, y = self.means(X, Y, weights)
        root, kept = np.sqrt(weights)[:, None], weights > 0
        scaled = ((root * (X - x))[kept], (root * (Y - y))[kept])
        return DeepProblem(*scaled, self.n_layers, beta=self.alpha, regularizer=self.regularizer)


@final
@dataclass(frozen=True, eq=False)
class LinearCertificate:
    """``dual <= training objective of every deep linear network <= primal``, of a fitted DeepLinearRegressor.

    core : the numbers and the theorem that proves them. network : the one they are about, on centered data.
    """

    core: TheoremCertificate
    network: Network
    formulation: LinearFormulation

    @property
    def primal(self) -> float:
        """The training objective of the network."""
        return self.core.primal

    @property
    def dual(self) -> float:
        """The proven lower bound."""
        return self.core.dual

    @property
    def gap(self) -> float:
        """``primal - dual``."""
        return self.core.gap

    @property
    def relative_gap(self) -> float:
        """``gap / |primal|`` (0 when both vanish)."""
        return self.core.relative_gap

    @property
    def scope(self) -> Literal["global"]:
        """``"global"``: every linear network of that many layers, of any width."""
        return self.core.scope

    @property
    def method(self) -> str:
        """The theorem that proved ``dual``."""
        return self.core.method

    def verify(self, X: Any, y: Any, sample_weight: Any = None) -> None:
        """Prove both numbers again from the raw data of ``fit``.

        Raises
        ------
        CertificateError
            A number does not follow, or these are not the data of ``fit``.
        InvalidDataError
            The data have another shape than those of ``fit``, or entries that are not finite.
        """
        X, Y = numbers("X", X), numbers("y", y)
        Y = Y[:, None] if Y.ndim == 1 else Y
        weights = np.ones(len(X)) if sample_weight is None else numbers("sample_weight", sample_weight)
        if X.ndim != 2 or not X.shape[0] == Y.shape[0] == weights.size:
            raise InvalidDataError(
                f"X, y and sample_weight must have as many rows, got {len(X)}, {len(Y)}, {len(weights)}"
            )
        problem = self.formulation.problem(X, Y, weights / weights.sum())
        self.core.verify(problem, self.network)

    def __str__(self) -> str:
        return str(self.core)

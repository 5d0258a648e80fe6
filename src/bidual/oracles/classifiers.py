"""Weighted linear classifiers as oracles: what Bengio et al. (2006) train hidden units with."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from bidual.architectures import Bounded, Neurons
from bidual.errors import InvalidParameterError, RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.line_search import searched
from bidual.oracles.swept import priced
from bidual.problem import Problem
from bidual.typing import Expired, Outputs, Rows, Vector, never


@final
@dataclass(frozen=True)
class Classifiers(Oracle):
    """One unit for each output, the linear classifier of the labels ``sign(v)`` with the weights ``|v|``, which
    scikit-learn trains: ``kind="logistic"`` regression, a linear ``"svm"`` (squared hinge), or a ``"perceptron"``.

    These losses are not the number of errors, and the units score much less than the best ones (the residuals of a good
    network are nearly balanced); ``n_steps`` exact line searches of sign units from there make up for most of it. The
    search proves nothing. ``C`` is the inverse strength of the classifier's penalty, for weights of mean 1.
    """

    kind: Literal["logistic", "svm", "perceptron"] = "logistic"
    C: float = 1.0
    n_steps: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("logistic", "svm", "perceptron"):
            raise InvalidParameterError(f"kind must be 'logistic', 'svm' or 'perceptron', got {self.kind!r}")
        if not self.C > 0:
            raise InvalidParameterError(f"C must be positive, got {self.C!r}")
        if self.n_steps < 0:
            raise InvalidParameterError(f"n_steps must be at least 0, got {self.n_steps!r}")

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        architecture, Xl = problem.architecture, problem.lifted
        if not isinstance(architecture, Bounded):
            name = type(architecture).__name__
            raise RefusedError(f"Classifiers find sign and tanh units, not {name} units; use LocalSearch")
        seed = int(rng.integers(2**31))
        U = np.column_stack([self._fitted(Xl, v, seed) for v in V.T])
        if self.n_steps:
            U = np.hstack([U, searched(Xl, V, U, self.n_steps, rng, expired)])
        return priced(architecture, problem, U, V, keep=1 + (self.n_steps > 0))

    def _fitted(self, X: Rows, v: Vector, seed: int) -> Vector:
        """(p,): the classifier's weights; without two classes to tell apart, the unit nearest to constant."""
        used = np.flatnonzero(v)
        labels, weights = np.sign(v[used]), np.abs(v[used])
        if used.size == 0 or np.all(labels == labels[0]):
            return np.asarray(np.linalg.lstsq(X, np.ones(X.shape[0]), rcond=None)[0], dtype=float)
        from sklearn.linear_model import LogisticRegression, Perceptron
        from sklearn.svm import LinearSVC

        model = {
            "logistic": lambda: LogisticRegression(C=self.C, fit_intercept=False, max_iter=200),
            "svm": lambda: LinearSVC(C=self.C, fit_intercept=False, random_state=seed),
            "perceptron": lambda: Perceptron(fit_intercept=False, random_state=seed),
        }[self.kind]()
        with warnings.catch_warnings():  # a classifier that has not converged is one all the same
            warnings.simplefilter("ignore")
            model.fit(X[used], labels, sample_weight=weights / weights.mean())
        coef = np.asarray(model.coef_[0], dtype=float)
        return coef if coef.any() else np.eye(X.shape[1])[-1]

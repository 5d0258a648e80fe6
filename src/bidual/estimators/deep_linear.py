"""Linear regression by deep networks: what depth and weight decay do to a linear model."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any, Literal, Self, final

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from bidual.errors import InvalidParameterError
from bidual.estimators.base import refusing
from bidual.estimators.linear_certificate import LinearCertificate, LinearFormulation
from bidual.estimators.targets import numbers
from bidual.network import Network
from bidual.theorems import solve
from bidual.theorems.problem import Regularizer
from bidual.typing import Outputs, Vector


@final
class DeepLinearRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Deep linear network for regression, at its certified global optimum.

    With weights ``s`` that add up to 1, minimises over networks of L layers, of any width,

        ``sum_i s_i ||f(x_i) - y_i||^2 / 2  +  alpha / 2 sum_l ||W_l||^2``,    ``f(x) = x'W_1 ... W_L + intercept``

    A deep linear network is a linear model; depth changes the price of its coefficients. For one target that is
    ``alpha (L / 2) ||w||^(2 / L)``, for several the same of every singular value: two layers give the nuclear norm, a
    convex problem, and more of them a stronger preference for low rank. ``regularizer="lth_power"`` pays ``alpha / L
    sum_l ||W_l||^L``, which is the nuclear norm at every depth (Ergen & Pilanci 2020).

    Parameters
    ----------
    n_layers : int, default=2
        L. From three layers on, several targets with weight decay have no closed form unless X is whitened.
    alpha : float, default=0.01
        Strength of the penalty, in units of the mean loss, as in Lasso. 0 is the network of least norm that fits.
    regularizer : {"weight_decay", "lth_power"}, default="weight_decay"
    fallback : {"local"}, default=None
        Where no closed form is known: "local" finds a local minimum, and ``certificate_`` how far it can be from the
        optimum; None refuses.
    fit_intercept : bool, default=True
        Whether the output has an unpenalised intercept.

    Attributes
    ----------
    coef_ : (n_features,) or (n_outputs, n_features)
        The product of all layers.
    intercept_ : float or (n_outputs,)
    network_ : Network
        The layers, balanced; the last one has the intercept.
    certificate_ : LinearCertificate
        ``primal``, ``dual``, ``gap``, ``relative_gap``, ``scope``, ``method``, and ``verify(X, y,
        sample_weight=None)``, which proves them again from the data.
    theorem_ : str
        The theorem that gave the network, see :mod:`bidual.theorems`.
    tie_ : bool
        Whether a network with other singular values is exactly as good.
    n_features_in_ : int
    feature_names_in_ : (n_features_in_,) array of str
        Column names, if X has names that are all strings.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from bidual import DeepLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DeepLinearRegressor(n_layers=3, alpha=1.0).fit(X, y)
    >>> model.theorem_, model.certificate_.relative_gap < 1e-9
    ('deep linear, one output', True)
    >>> model.certificate_.verify(X, y)
    """

    def __init__(
        self,
        n_layers: int = 2,
        alpha: float = 0.01,
        *,
        regularizer: Regularizer = "weight_decay",
        fallback: Literal["local"] | None = None,
        fit_intercept: bool = True,
    ) -> None:
        self.n_layers = n_layers
        self.alpha = alpha
        self.regularizer = regularizer
        self.fallback = fallback
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find the optimum.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : DeepLinearRegressor

        Raises
        ------
        RefusedError
            Three layers or more with weight decay, several targets, and X not whitened: no closed form is known.
        InfeasibleError
            ``alpha=0``, and no linear model fits.
        """
        if not isinstance(self.fit_intercept, bool | np.bool_):
            raise InvalidParameterError(f"fit_intercept must be True or False, got {self.fit_intercept!r}")
        alpha: Any = self.alpha
        if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0 <= float(alpha) < np.inf:
            raise InvalidParameterError(f"alpha must be a finite number, not negative, got {alpha!r}")
        with refusing():
            X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        X, Y = np.asarray(X), numbers("y", y)
        flat, Y = Y.ndim == 1, Y.reshape(len(Y), -1)
        weights = weights / weights.sum()
        parameters = self.n_layers, float(alpha), self.regularizer, bool(self.fit_intercept)
        formulation = LinearFormulation(*parameters)
        found = solve(formulation.problem(X, Y, weights), self.fallback)
        coef = _product(found.network)
        x, mean = formulation.means(X, Y, weights)
        intercept = mean - x @ coef
        self.certificate_ = LinearCertificate(found.certificate, found.network, formulation)
        self.network_ = _with_intercept(found.network, intercept)
        self.theorem_, self.tie_ = found.theorem, found.tie
        self.coef_: Any = coef[:, 0] if flat else coef.T
        self.intercept_: Any = float(intercept[0]) if flat else intercept
        return self

    def predict(self, X: Any) -> Outputs:
        """The outputs of the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs), as in ``fit``
        """
        check_is_fitted(self)
        with refusing():
            X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(X) @ self.coef_.T + self.intercept_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _product(network: Network) -> Outputs:
    """(d, c): the product of the layers, summed over branches."""
    W = network.layers[0].weight
    for layer in network.layers[1:]:
        W = W @ layer.weight
    return W if W.ndim == 2 else W.sum(axis=0)


def _with_intercept(network: Network, intercept: Vector) -> Network:
    """The network with an output intercept, in its first branch if it has branches."""
    last = network.layers[-1]
    bias = intercept if last.bias.ndim == 1 else np.eye(len(last.bias))[:, :1] * intercept
    return Network((*network.layers[:-1], replace(last, bias=bias)))

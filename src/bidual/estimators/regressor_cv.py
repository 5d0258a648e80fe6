"""Regression that chooses its own strength."""

from __future__ import annotations

from typing import Any, final

from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from bidual.estimators.path_cv import PathCV
from bidual.estimators.regressor import MLPRegressor
from bidual.typing import Outputs


@final
class MLPRegressorCV(RegressorMixin, PathCV):  # type: ignore[misc]
    """Neural network for regression that chooses ``alpha`` itself.

    Computes the path of the estimator (:func:`bidual.estimators.path`): a few fits, which certify every alpha of a
    range. Compares 100 alphas on it by the score of rows that were held out, and fits with the best.

    Parameters
    ----------
    estimator : MLPRegressor, default=None
        All parameters but ``alpha``; ``time_limit`` is that of each path, and of the last fit.
    alphas : sequence of float, default=None
        The alphas to compare. None: 100 of the path, from where no neuron pays down to ``ratio`` times that.
    ratio : float, default=0.01
    eps : float, default=0.05
        The relative gap that no alpha of the range shall exceed. The last fit goes to ``tol`` of the estimator.
    cv : int, splitter or iterable, default=None
        None: leave-one-out, by one Newton step for each row and fit of the path, nothing is fitted again; equal rows
        leave together. Else folds as scikit-learn's ``check_cv`` makes them, with a path for each.
    scoring : str or callable, default=None
        A scorer of scikit-learn, larger is better. None: "neg_mean_squared_error".

    Attributes
    ----------
    alpha_ : float
        The best alpha.
    best_score_ : float
        Its score.
    alphas_ : (n_alphas,) array
        The alphas that were compared, falling.
    scores_ : (n_alphas,) array
        Their scores: of all rows, each left out; or the means over the folds.
    score_path_ : (n_alphas, n_folds) array
        The scores on each fold; one column for leave-one-out.
    path_ : FittedPath
        The path on all rows; ``path_.at(alpha)`` is the model for any alpha of it.
    best_estimator_ : MLPRegressor
        Fitted with ``alpha_``. All its fitted attributes, ``certificate_`` among them, are also here; intervals,
        influence and the rest of its methods are there.

    Examples
    --------
    >>> import numpy as np
    >>> from bidual import MLPRegressorCV
    >>> X = np.linspace(-1, 1, 30).reshape(-1, 1)
    >>> y = np.abs(X[:, 0]) + 0.1 * np.cos(9 * X[:, 0])
    >>> model = MLPRegressorCV().fit(X, y)
    >>> model.path_.complete, model.status_
    (True, 'optimal')
    """

    _kind = MLPRegressor

    def predict(self, X: Any) -> Outputs:
        """The outputs of the network with ``alpha_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs), as in ``fit``
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    def _default_scoring(self, estimator: Any) -> str:
        return "neg_mean_squared_error"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

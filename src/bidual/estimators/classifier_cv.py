"""Classification that chooses its own strength."""

from __future__ import annotations

from typing import Any, final

from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from bidual.estimators.classifier import MLPClassifier
from bidual.estimators.path_cv import PathCV
from bidual.estimators.targets import Labels
from bidual.typing import Outputs


def _has_probabilities(model: PathCV) -> bool:
    estimator = model.estimator
    if estimator is not None and estimator.loss != "log_loss":
        raise AttributeError(f"loss={estimator.loss!r} gives no probabilities; set loss='log_loss'")
    return True


@final
class MLPClassifierCV(ClassifierMixin, PathCV):  # type: ignore[misc]
    """Neural network for classification that chooses ``alpha`` itself, as :class:`MLPRegressorCV`.

    Parameters
    ----------
    estimator : MLPClassifier, default=None
    alphas, ratio, eps, cv : as in :class:`MLPRegressorCV`
    scoring : str or callable, default=None
        A scorer of scikit-learn, larger is better. None: "neg_log_loss" with ``loss="log_loss"``, else "accuracy".

    Attributes
    ----------
    alpha_, best_score_, alphas_, scores_, score_path_, path_ : as in :class:`MLPRegressorCV`
    best_estimator_ : MLPClassifier
        Fitted with ``alpha_``. All its fitted attributes, ``certificate_`` among them, are also here.
    """

    _kind = MLPClassifier

    def predict(self, X: Any) -> Labels:
        """The most likely class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,)
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    def decision_function(self, X: Any) -> Outputs:
        """The outputs of the network, as :meth:`MLPClassifier.decision_function`."""
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Outputs:
        """The probability of each class; needs ``loss="log_loss"``."""
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Outputs:
        """The logarithm of :meth:`predict_proba`."""
        check_is_fitted(self)
        return self.best_estimator_.predict_log_proba(X)

    def _default_scoring(self, estimator: Any) -> str:
        return "neg_log_loss" if estimator.loss == "log_loss" else "accuracy"

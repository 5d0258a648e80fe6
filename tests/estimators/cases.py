"""Small data, fits of every kind, and the numbers that every fit has to satisfy."""

from __future__ import annotations

from typing import Any

import numpy as np

from bidual import MLPClassifier, MLPRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 2))
Y = X[:, 0] - np.maximum(X[:, 1], 0)
TWO = (Y > np.median(Y)).astype(int)
THREE = np.digitize(Y, np.quantile(Y, [1 / 3, 2 / 3]))
BOTH = np.column_stack([Y, X[:, 0] * X[:, 1]])
NEW = 2 * rng.normal(size=(7, 2))

Estimator = MLPRegressor | MLPClassifier


def regressor(**params: Any) -> MLPRegressor:
    return MLPRegressor(**{"alpha": 0.05, "random_state": 0} | params)


def classifier(**params: Any) -> MLPClassifier:
    return MLPClassifier(**{"alpha": 0.02, "random_state": 0} | params)


def check_fitted(model: Estimator, X: np.ndarray, y: Any, sample_weight: Any = None) -> None:
    """Finite predictions, two ordered numbers, and a proof of both."""
    predicted = model.predict(X)
    assert predicted.dtype.kind not in "fc" or np.isfinite(predicted).all()
    if isinstance(model, MLPClassifier):
        assert np.isfinite(model.decision_function(X)).all() and np.isin(predicted, model.classes_).all()
    certificate = model.certificate_
    assert -np.inf < certificate.global_dual <= certificate.dual * (1 + 1e-9)
    assert certificate.dual <= certificate.primal * (1 + 1e-9)
    assert certificate.primal == model.loss_ and np.isfinite(model.loss_)
    certificate.verify(X, y, sample_weight)

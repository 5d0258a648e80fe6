"""Estimators that choose alpha on a certified path, by rows that were held out."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold

import bidual
from bidual import MLPClassifier, MLPClassifierCV, MLPRegressor, MLPRegressorCV
from bidual.errors import InvalidParameterError, RefusedError

from .cases import check_fitted

N = 24
RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, size=(N, 1))
Y = np.abs(X[:, 0]) + 0.3 * RNG.normal(size=N)
LABELS = np.where(Y > 1, "far", "near")
FOLDS = KFold(3, shuffle=True, random_state=0)
MODEL, CLASSIFIER = MLPRegressor(random_state=0), MLPClassifier(random_state=0)


@cache
def fitted(kind: str, cv: Any = None) -> Any:
    if kind == "regressor":
        return MLPRegressorCV(MODEL, cv=cv).fit(X, Y)
    return MLPClassifierCV(CLASSIFIER, alphas=np.geomspace(0.01, 0.2, 10), cv=cv).fit(X, LABELS)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_the_best_alpha_of_a_certified_path(kind: str, cv: Any) -> None:
    model, y = fitted(kind, cv), Y if kind == "regressor" else LABELS
    path = model.path_
    assert path.complete and model.alphas_.shape == model.scores_.shape == (100 if kind == "regressor" else 10,)
    assert model.score_path_.shape == (len(model.alphas_), 1 if cv is None else 3)
    assert path.alpha_min <= model.alpha_ <= path.alpha_max
    assert model.best_score_ == model.scores_.max() == model.scores_[list(model.alphas_).index(model.alpha_)]
    assert model.scores_[0] < model.best_score_  # a network is better than a constant
    best = model.best_estimator_
    check_fitted(best, X, y)
    assert best.alpha == model.alpha_ and best.status_ == model.status_ == "optimal"
    assert best.tol == 1e-3 and not best.warm_start
    assert model.certificate_ is best.certificate_ and model.n_features_in_ == 1
    np.testing.assert_array_equal(model.predict(X), best.predict(X))


def test_leave_one_out_scores_are_those_of_refits_without_the_row() -> None:
    model = fitted("regressor")
    place = int(np.argmax(model.scores_))
    errors = []
    for i in range(N):
        kept = np.arange(N) != i
        refit = MLPRegressor(alpha=model.alphas_[place], random_state=0).fit(X[kept], Y[kept])
        errors.append((refit.predict(X[i : i + 1])[0] - Y[i]) ** 2)
    assert -model.scores_[place] == pytest.approx(np.mean(errors), rel=0.05)


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_fold_scores_are_those_of_fits_on_the_other_folds(kind: str) -> None:
    regression = kind == "regressor"
    estimator, y = (MODEL, Y) if regression else (CLASSIFIER, LABELS)
    kind_of_model = MLPRegressorCV if regression else MLPClassifierCV
    model = kind_of_model(estimator, alphas=[0.1, 0.07, 0.09], eps=1e-3, cv=FOLDS).fit(X, y)
    np.testing.assert_array_equal(model.alphas_, [0.1, 0.09, 0.07])
    scoring = "neg_mean_squared_error" if regression else "neg_log_loss"
    search = GridSearchCV(estimator, {"alpha": model.alphas_}, cv=FOLDS, scoring=scoring).fit(X, y)
    np.testing.assert_allclose(model.scores_, search.cv_results_["mean_test_score"], rtol=0.01)
    assert model.alpha_ == search.best_params_["alpha"]


def test_weights_are_repetitions() -> None:
    weights = RNG.integers(0, 3, size=N)
    repeated = np.repeat(np.arange(N), weights)
    one = MLPRegressorCV(MODEL, alphas=[0.3, 0.2, 0.1]).fit(X, Y, weights)
    other = MLPRegressorCV(MODEL, alphas=[0.3, 0.2, 0.1]).fit(X[repeated], Y[repeated])
    assert one.alpha_ == other.alpha_
    np.testing.assert_allclose(one.scores_, other.scores_)


def test_scoring_and_probabilities() -> None:
    model = fitted("classifier")
    left = np.array([F[:, 0] for F in model.path_.left_out(model.alphas_)])
    signs = np.where(LABELS == "near", 1.0, -1.0)
    np.testing.assert_allclose(model.scores_, -np.logaddexp(0.0, -signs * left).mean(axis=1))
    assert log_loss(LABELS, model.predict_proba(X)) < -model.best_score_
    assert (model.decision_function(X) > 0).tolist() == (model.predict(X) == "near").tolist()
    accurate = MLPClassifierCV(CLASSIFIER, alphas=[0.1, 0.05], scoring="accuracy").fit(X, LABELS)
    assert 0.5 < accurate.best_score_ <= 1.0
    hinge = MLPClassifierCV(MLPClassifier(loss="squared_hinge"), alphas=[0.1])
    assert not hasattr(hinge, "predict_proba") and 0.5 < hinge.fit(X, LABELS).best_score_ <= 1.0


def test_files_hold_the_best_estimator(tmp_path: Path) -> None:
    model = fitted("regressor")
    model.save(tmp_path / "model.npz")
    loaded = bidual.load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert mean_squared_error(Y, loaded.predict(X)) < -model.best_score_


def test_what_is_not_reached_is_told() -> None:
    with pytest.warns(ConvergenceWarning) as told:
        model = MLPRegressorCV(MLPRegressor(time_limit=1e-9, random_state=0)).fit(X, Y)
    assert any("MLPRegressorCV: the path is certified from" in str(warning.message) for warning in told)
    assert not model.path_.complete and model.alpha_ == model.path_.alpha_max


def test_refusals() -> None:
    with pytest.raises(InvalidParameterError, match="must be a MLPRegressor or None, got MLPClassifier"):
        MLPRegressorCV(CLASSIFIER).fit(X, Y)
    with pytest.raises(RefusedError, match="'hinge' has kinks"):
        MLPClassifierCV(MLPClassifier(loss="hinge", tol=0.1), alphas=[0.1]).fit(X, LABELS)

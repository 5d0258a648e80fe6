"""Sign and tanh units, Frank-Wolfe, and oracles by name, through the estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_moons
from sklearn.exceptions import ConvergenceWarning

from bidual import MLPClassifier, MLPRegressor, load_model

X, y = make_moons(60, noise=0.15, random_state=0)


@pytest.mark.parametrize(
    "params",
    [
        {"activation": "sign", "loss": "hinge"},
        {"activation": "sign", "loss": "log_loss"},
        {"activation": "tanh", "loss": "squared_hinge"},
        {"activation": "sign", "loss": "squared_error", "fit_intercept": False},
    ],
)
def test_bounded_units_are_proven_for_every_width(params: dict[str, Any], tmp_path: Path) -> None:
    model = MLPClassifier(alpha=0.02, tol=1e-6, random_state=0, **params).fit(X, y)
    certificate = model.certificate_
    assert (model.status_, certificate.scope, certificate.method) == ("optimal", "global", "sweep")
    assert model.score(X, y) > 0.9 and model.n_neurons_ <= len(X)
    model.save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    loaded.certificate_.verify(X, y)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_tanh_networks_have_the_infimum_of_sign_networks() -> None:
    sign, tanh = (MLPClassifier(0.02, activation=word, tol=1e-6).fit(X, y).certificate_ for word in ("sign", "tanh"))
    assert tanh.primal == pytest.approx(sign.primal, rel=2e-6) and tanh.dual <= sign.primal


@pytest.mark.parametrize("oracle", ["logistic", "svm", "perceptron", "line_search"])
def test_approximate_oracles_prove_less_and_never_do_better(oracle: str) -> None:
    exact = MLPClassifier(0.02, activation="sign", oracle="swept").fit(X, y).certificate_
    found = MLPClassifier(0.02, activation="sign", oracle=oracle, random_state=0).fit(X, y).certificate_
    assert found.primal >= exact.dual * (1 - 1e-9)
    assert found.global_dual <= exact.primal * (1 + 1e-9)


def test_several_classes_and_regression() -> None:
    rows, labels = load_iris(return_X_y=True)
    data = rows[::5], labels[::5]
    model = MLPClassifier(0.02, activation="sign", loss="hinge", random_state=0, oracle="line_search").fit(*data)
    assert model.score(*data) > 0.9 and model.coefs_[0].shape[0] == 4
    target = np.abs(X[:, 0]) + X[:, 1]
    regressor = MLPRegressor(0.02, activation="tanh", random_state=0).fit(X, target)
    assert regressor.status_ == "optimal" and regressor.score(X, target) > 0.8


def test_frank_wolfe_meets_the_working_set_on_a_ball() -> None:
    X = np.linspace(-1, 1, 20)[:, None]
    target = np.abs(X[:, 0] - 0.2)
    ball: dict[str, Any] = {"radius": 1.0, "tol": 1e-3, "random_state": 0}
    one, other = (MLPRegressor(solver=word, **ball).fit(X, target) for word in ("frank_wolfe", "working_set"))
    assert one.loss_ == pytest.approx(other.loss_, rel=2e-3)
    assert one.status_ in ("optimal", "optimal_on_patterns")
    with pytest.warns(ConvergenceWarning):
        sampled = MLPRegressor(solver="stochastic_frank_wolfe", fit_intercept=False, max_iter=6, **ball).fit(X, target)
    sampled.certificate_.verify(X, target)

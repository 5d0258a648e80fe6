"""Deep linear regression."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.utils.estimator_checks import check_estimator

from bidual import DeepLinearRegressor
from bidual.errors import BidualError, CertificateError, InfeasibleError, RefusedError

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 3)) + 5
Y = X[:, 0] - 2 * X[:, 1] + 0.1 * rng.normal(size=12) + 7
BOTH = np.column_stack([Y, X[:, 2]])

CHECKED = [
    DeepLinearRegressor(),
    DeepLinearRegressor(3, fallback="local"),
    DeepLinearRegressor(3, regularizer="lth_power", fit_intercept=False),
]


@pytest.mark.parametrize("model", CHECKED, ids=str)
def test_every_check_of_scikit_learn(model: DeepLinearRegressor) -> None:
    results = check_estimator(model, on_skip=None, on_fail=None)
    counts = Counter(result["status"] for result in results)
    not_passed = {result["check_name"]: result["exception"] for result in results if result["status"] != "passed"}
    assert not_passed.keys() <= {"check_array_api_input"}, not_passed
    assert counts["xfail"] == counts["failed"] == 0 and counts["passed"] >= 59


ARRAY_API = """
from sklearn.utils.estimator_checks import estimator_checks_generator
from bidual import DeepLinearRegressor
for model, check in estimator_checks_generator(DeepLinearRegressor()):
    if check.func.__name__ == "check_array_api_input":
        check(model)
        print("passed")
"""


def test_the_check_that_needs_a_setting() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ARRAY_API],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.split() == ["passed"], ran.stderr


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_layers", [2, 3, 4])
def test_one_target(n_layers: int, fit_intercept: bool) -> None:
    """No coefficients near the fitted ones are better, and the intercept is the best one."""
    model = DeepLinearRegressor(n_layers, alpha=0.1, fit_intercept=fit_intercept).fit(X, Y)

    def objective(w: np.ndarray, b: float) -> float:
        return 0.5 * np.mean((X @ w + b - Y) ** 2) + 0.05 * n_layers * np.linalg.norm(w) ** (2 / n_layers)

    best = objective(model.coef_, model.intercept_)
    assert best == pytest.approx(model.certificate_.primal, rel=1e-12)
    for step in rng.normal(size=(50, 4)) * 1e-3:
        assert objective(model.coef_ + step[:3], model.intercept_ + step[3] * fit_intercept) > best
    assert fit_intercept or model.intercept_ == 0
    assert model.certificate_.relative_gap < 1e-9 and model.certificate_.scope == "global"
    np.testing.assert_allclose(model.network_(X)[:, 0], model.predict(X), rtol=1e-12)
    assert len(model.network_.layers) == n_layers and model.predict(X).shape == (12,)
    model.certificate_.verify(X, Y)


@pytest.mark.parametrize("model", [DeepLinearRegressor(), DeepLinearRegressor(4, regularizer="lth_power")], ids=str)
def test_several_targets(model: DeepLinearRegressor) -> None:
    """The nuclear norm at every depth, and ranks that fall with alpha."""
    model.fit(X, BOTH)
    assert model.coef_.shape == (2, 3) and model.intercept_.shape == (2,)
    residual = 0.5 * np.mean(np.sum((model.predict(X) - BOTH) ** 2, axis=1))
    price = 0.01 * np.linalg.norm(model.coef_, "nuc")
    assert residual + price == pytest.approx(model.certificate_.primal, rel=1e-9)
    np.testing.assert_allclose(model.network_(X), model.predict(X), rtol=1e-12)
    ranks = [np.linalg.matrix_rank(clone(model).set_params(alpha=a).fit(X, BOTH).coef_) for a in (1e-3, 0.7, 100)]
    assert ranks == [2, 1, 0]
    model.certificate_.verify(X, BOTH)


def test_weights_count_rows() -> None:
    weights = rng.integers(0, 3, size=12)
    weighted = DeepLinearRegressor(3, alpha=0.1).fit(X, Y, weights)
    repeated = DeepLinearRegressor(3, alpha=0.1).fit(np.repeat(X, weights, axis=0), np.repeat(Y, weights))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-9)
    assert weighted.certificate_.primal == pytest.approx(repeated.certificate_.primal, rel=1e-12)
    weighted.certificate_.verify(X, Y, weights)
    with pytest.raises(CertificateError, match="primal"):
        weighted.certificate_.verify(X, Y)


def test_a_strong_penalty_leaves_the_mean() -> None:
    model = DeepLinearRegressor(3, alpha=1e6).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), Y.mean())
    assert model.network_(X)[0, 0] == pytest.approx(Y.mean()) and not model.tie_


def test_the_least_norm_that_fits() -> None:
    model = DeepLinearRegressor(3, alpha=0.0).fit(X[:3], Y[:3])
    np.testing.assert_allclose(model.predict(X[:3]), Y[:3], rtol=1e-9)
    assert model.theorem_ == "linear interpolation"
    with pytest.raises(InfeasibleError, match="no linear network fits"):
        DeepLinearRegressor(alpha=0.0).fit(X, Y)


def test_what_it_is_and_pickles() -> None:
    model = DeepLinearRegressor(3).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    again.certificate_.verify(X, Y)
    assert is_regressor(model) and str(again.certificate_) == str(model.certificate_)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"alpha": -1.0}, "alpha must be a finite number, not negative, got -1.0"),
        ({"alpha": "x"}, "alpha must be"),
        ({"n_layers": 1}, "n_layers must be"),
        ({"regularizer": "l1"}, "regularizer must be one of"),
        ({"fallback": "lth"}, "fallback must be 'local' or None"),
        ({"fit_intercept": 1}, "fit_intercept must be True or False"),
    ],
)
def test_bad_parameters(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BidualError, match=sentence):
        DeepLinearRegressor(**params).fit(X, Y)


def test_bad_data() -> None:
    with pytest.raises(RefusedError, match="fallback='local'"):
        DeepLinearRegressor(3).fit(X, BOTH)
    for bad, sentence in ((X * np.nan, "impute"), (X[:5], "as many rows")):
        with pytest.raises(BidualError, match=sentence):
            DeepLinearRegressor().fit(bad, Y)
    model = DeepLinearRegressor().fit(X, Y)
    with pytest.raises(BidualError, match="as many rows"):
        model.certificate_.verify(X[:5], Y)

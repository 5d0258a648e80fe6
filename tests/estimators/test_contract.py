"""scikit-learn's own checks, and the tools that estimators are used with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from bidual import MLPClassifier, MLPClassifierCV, MLPRegressor, MLPRegressorCV
from bidual.estimators.callbacks import CallbackSupportMixin

from .cases import BOTH, NEW, THREE, TWO, Estimator, X, Y, check_fitted, classifier, regressor

# Coarse, so that all checks take seconds.
CHECKED = [
    MLPRegressor(alpha=0.5, tol=0.2),
    MLPClassifier(alpha=0.2, tol=0.1),
    MLPRegressor(activation="linear"),
    MLPClassifier(activation="linear", loss="squared_error", outputs="shared", bias="none"),
    MLPRegressor(activation="gated_relu", n_layers=3, n_patterns=20, alpha=0.5, tol=0.1),
    MLPRegressorCV(MLPRegressor(activation="linear"), alphas=[0.1]),
    MLPClassifierCV(MLPClassifier(activation="linear", loss="squared_error"), alphas=[0.02]),
]
NEEDS_SETTING = {"check_array_api_input"}
"""Skipped unless SCIPY_ARRAY_API was set before SciPy was imported; has a test of its own."""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", CHECKED, ids=str)
def test_every_check_of_scikit_learn(model: Estimator) -> None:
    results = check_estimator(model, on_skip=None, on_fail=None)
    counts = Counter(result["status"] for result in results)
    print(f"{model}: {counts['passed']}/{len(results)}, skipped {counts['skipped']}")
    not_passed = {result["check_name"]: result["exception"] for result in results if result["status"] != "passed"}
    assert not_passed.keys() <= NEEDS_SETTING, not_passed
    assert len(results) >= 60 and counts["xfail"] == counts["failed"] == 0
    assert counts["passed"] == len(results) - counts["skipped"] >= 59


ARRAY_API = """
from sklearn.utils.estimator_checks import estimator_checks_generator
from bidual import MLPClassifier, MLPRegressor
for kind in (MLPRegressor, MLPClassifier):
    for model, check in estimator_checks_generator(kind()):
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
    assert ran.stdout.split() == ["passed", "passed"], ran.stderr


@pytest.mark.parametrize("kind", [MLPRegressor, MLPClassifier])
def test_parameters_go_in_and_out(kind: type[Estimator]) -> None:
    default = kind().get_params()
    other = {
        "alpha": 0.5,
        "activation": "abs",
        "n_layers": 3,
        "n_branches": 4,
        "branch_width": 5,
        "interaction_cst": "pairwise",
        "loss": "squared_error",
        "solver": "fixed_patterns",
        "oracle": "swept",
        "outputs": "shared",
        "fit_intercept": False,
        "bias": "none",
        "standardize": False,
        "image_shape": (4, 4),
        "filter_size": (3, 2),
        "stride": 1,
        "pooling": "sum",
        "radius": 2.0,
        "n_patterns": 7,
        "max_neurons": 3,
        "restarts": 2,
        "tol": 0.1,
        "max_iter": 5,
        "time_limit": 9.0,
        "random_state": 4,
        "warm_start": True,
        "device": "auto",
        "memory_limit": 1e9,
        "verbose": 1,
        "callback": print,
    }
    assert other.keys() == default.keys()
    model = kind(**other)
    assert model.get_params() == other == clone(model).get_params() == kind().set_params(**other).get_params()
    model.set_params(**default)
    assert model.get_params() == default
    assert repr(kind(alpha=0.5)) == f"{kind.__name__}(alpha=0.5)"


def test_what_they_are() -> None:
    assert is_regressor(MLPRegressor()) and is_classifier(MLPClassifier())
    assert not is_classifier(MLPRegressor()) and not is_regressor(MLPClassifier())
    assert MLPRegressor().__sklearn_tags__().target_tags.multi_output


def test_clones_are_not_fitted_and_fit_alike() -> None:
    model = regressor().fit(X, Y)
    copy = clone(model)
    assert not hasattr(copy, "network_")
    np.testing.assert_array_equal(copy.fit(X, Y).predict(NEW), model.predict(NEW))


@pytest.mark.parametrize(("model", "y"), [(regressor(), Y), (classifier(), TWO)], ids=["regressor", "classifier"])
def test_grid_search_in_a_pipeline(model: Estimator, y: np.ndarray) -> None:
    name = type(model).__name__.lower()
    pipeline = make_pipeline(StandardScaler(), clone(model))
    search = GridSearchCV(pipeline, {f"{name}__alpha": [0.01, 10.0]}, cv=2).fit(X, y)
    assert search.best_params_ == {f"{name}__alpha": 0.01}
    assert search.best_estimator_[-1].status_ == "optimal"
    assert search.predict(NEW).shape == (7,)


def test_several_targets() -> None:
    assert cross_val_score(regressor(), X, BOTH, cv=2).shape == (2,)
    several = MultiOutputClassifier(classifier()).fit(X, np.column_stack([TWO, THREE]))
    assert several.predict(NEW).shape == (7, 2)


@pytest.mark.parametrize("make", [regressor, classifier])
def test_names_of_columns(make: Any) -> None:
    table, y = pd.DataFrame(X, columns=["height", "width"]), pd.Series(TWO)
    model = make().fit(table, y)
    assert list(model.feature_names_in_) == ["height", "width"] and model.n_features_in_ == 2
    np.testing.assert_array_equal(model.predict(table), make().fit(X, TWO).predict(X))
    check_fitted(model, table, y)
    assert not hasattr(model.fit(X, TWO), "feature_names_in_")


class Spy:
    """A callback of scikit-learn that counts, and may ask to stop."""

    def __init__(self, stop_after: float = np.inf):
        self.stop_after, self.seen, self.losses = stop_after, Counter[str](), list[float]()

    def setup(self, estimator: Any, context: Any) -> None:
        self.seen["setup"] += 1

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.seen["begin"] += 1

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> bool:
        self.seen["end"] += 1
        self.losses.append(fitted_estimator.loss_)
        return self.seen["end"] >= self.stop_after

    def teardown(self, estimator: Any, context: Any) -> None:
        self.seen["teardown"] += 1


@pytest.mark.skipif(not hasattr(CallbackSupportMixin, "set_callbacks"), reason="this scikit-learn has no callbacks")
def test_callbacks_of_scikit_learn() -> None:
    spy = Spy()
    model = regressor(tol=1e-6).set_callbacks(spy)
    model.fit(X, Y)
    rounds = len(model.history_) - 1
    assert spy.seen == {"setup": 1, "begin": rounds + 1, "end": rounds + 1, "teardown": 1}
    assert spy.losses == [*model.loss_curve_[1:], model.loss_]
    stopped = regressor(tol=1e-12, alpha=1e-4).set_callbacks(Spy(stop_after=1)).fit(X, Y)
    assert stopped.status_ == "callback_stopped" and len(stopped.history_) == 2
    check_fitted(stopped, X, Y)

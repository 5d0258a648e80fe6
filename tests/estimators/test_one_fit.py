"""Leave-one-out predictions, influence and intervals of fitted estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bidual import MLPClassifier, MLPRegressor
from bidual.errors import InvalidDataError, InvalidParameterError, RefusedError
from bidual.estimators.certificate import FittedCertificate
from bidual.solvers import Stop, WorkingSet

RNG = np.random.default_rng(3)
X = RNG.uniform(-2, 2, size=(60, 1))
Y = np.column_stack([np.abs(X[:, 0]) + 0.2 * RNG.normal(size=60), 100 * X[:, 0] ** 2 + 40 * RNG.normal(size=60)])
LABELS = np.where(Y[:, 0] > 1, "far", "near")


def refit(model: Any, X: np.ndarray, y: np.ndarray, row: int) -> Any:
    """The network without the row, in the encoding of the fit."""
    certificate: FittedCertificate = model.certificate_
    formulation, rest = certificate.formulation, np.arange(len(X)) != row
    problem = formulation.problem(formulation.encoding.collect(X[rest], y[rest]))
    network = WorkingSet(seed=0).solve(problem, Stop(tol=1e-9), start=model.network_).network
    return network(formulation.encoding.inputs.apply("X", X[row : row + 1]))


@pytest.mark.parametrize("y", [Y[:, 0], Y], ids=["one target", "two targets"])
def test_regressors(y: np.ndarray) -> None:
    model = MLPRegressor(alpha=0.05, tol=1e-9, random_state=0).fit(X, y)
    own, rows = model.leave_one_out_predictions(X, y), np.arange(0, 60, 10)
    exact = np.array([model.encoding_.targets.decode(refit(model, X, y, i))[0] for i in rows])
    assert own.shape == y.shape
    change = np.linalg.norm(exact - model.predict(X[rows]), axis=0)
    assert (np.linalg.norm(own[rows] - exact, axis=0) < 0.3 * change).all()
    influence = model.influence(X, y)
    np.testing.assert_allclose(
        np.moveaxis(np.diagonal(influence, axis1=0, axis2=1), -1, 0), model.predict(X) - own, atol=1e-8
    )
    assert model.influence(X, y, X[:4]).shape == (4, 60, *y.shape[1:])


@pytest.mark.parametrize("y", [LABELS, np.digitize(Y[:, 0], [0.5, 1.2])], ids=["two classes", "three classes"])
def test_classifiers(y: np.ndarray) -> None:
    model = MLPClassifier(alpha=0.02, tol=1e-9, random_state=0).fit(X, y)
    own = model.leave_one_out_decision_function(X, y)
    assert own.shape == model.decision_function(X).shape
    rows = np.arange(0, 60, 10)
    F, own = (values.reshape(60, -1)[rows] for values in (model.decision_function(X), own))
    exact = np.array([refit(model, X, y, i)[0] for i in rows])
    if y is not LABELS:  # known up to a common constant
        F, own, exact = (values - values.mean(axis=1, keepdims=True) for values in (F, own, exact))
    assert np.linalg.norm(own - exact) < 0.3 * np.linalg.norm(F - exact)
    assert model.influence(X, y, X[:4]).shape == (4, 60, *model.decision_function(X).shape[1:])


def test_rows_of_weight_zero_and_equal_rows() -> None:
    y, weights = Y[:, 0], np.ones(60)
    weights[[3, 7]] = 0, 2
    model = MLPRegressor(alpha=0.05, random_state=0).fit(X, y, weights)
    own, influence = model.leave_one_out_predictions(X, y, weights), model.influence(X, y, sample_weight=weights)
    assert own[3] == model.predict(X[3:4])[0]
    assert not influence[:, 3].any()
    repeated = np.repeat(np.arange(60), weights.astype(int))
    each = model.leave_one_out_predictions(X[repeated], y[repeated])
    f = model.predict(X[7:8])[0]
    once = each[repeated == 7]
    assert once[0] == once[1]
    assert 0 < (once[0] - f) / (own[7] - f) < 0.6  # the other one of the pair holds the network
    others = repeated != 7
    np.testing.assert_array_equal(each[others], own[repeated[others]])


@pytest.mark.parametrize("method", ["jackknife+", "conformal"])
def test_coverage_of_random_rows(method: str) -> None:
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(12):
        Z = rng.uniform(-2, 2, size=(600, 1))
        y = np.abs(Z[:, 0]) + 0.3 * rng.standard_t(5, size=600)
        train, kept, new = slice(0, 60), slice(60, 120), slice(120, 600)
        model = MLPRegressor(alpha=0.05, tol=1e-2, random_state=0).fit(Z[train], y[train])
        data = train if method == "jackknife+" else kept
        lower, upper = model.predict_interval(Z[new], Z[data], y[data], coverage=0.8, method=method)
        inside.append(np.mean((lower <= y[new]) & (y[new] <= upper)))
    assert np.mean(inside) == pytest.approx(0.8, abs=0.03)


def test_intervals_of_several_targets_are_in_their_units() -> None:
    model = MLPRegressor(alpha=0.05, random_state=0).fit(X, Y)
    lower, upper = model.predict_interval(X[:5], X, Y)
    narrow = model.predict_interval(X[:5], X, Y, coverage=0.5)
    assert lower.shape == upper.shape == (5, 2)
    assert (lower < narrow[0]).all() and (narrow[1] < upper).all()
    assert 0.4 < (upper - lower)[:, 0].mean() < 1.5 and 80 < (upper - lower)[:, 1].mean() < 300


def test_rashomon_intervals_are_in_the_units_of_the_user() -> None:
    model = MLPRegressor(alpha=0.1, tol=1e-4, random_state=0).fit(X[:20], Y[:20, 1])
    new = [[0.0], [1.5]]
    interval = model.rashomon_interval(new, X[:20], Y[:20, 1], eps=0.05)
    interval.verify()
    predicted = model.predict(new)
    ends = [interval.certified_lower, interval.lower, predicted, interval.upper, interval.certified_upper]
    assert (np.diff(ends, axis=0) > 0).all()
    assert (interval.global_lower <= interval.certified_lower).all()
    assert (interval.global_upper >= interval.certified_upper).all()
    assert interval.scope == "global" and interval.methods == ("enumeration",)
    reached = [
        model.encoding_.fold(end.network)(np.array([x])).item() for end, x in zip(interval.upper_ends, new, strict=True)
    ]
    np.testing.assert_allclose(interval.upper, reached)


def test_rashomon_intervals_of_two_classes() -> None:
    model = MLPClassifier(alpha=0.05, tol=1e-4, random_state=0).fit(X[:20], LABELS[:20])
    interval = model.rashomon_interval(X[:1], X[:20], LABELS[:20])
    assert interval.lower < model.decision_function(X[:1]) < interval.upper


def test_other_data_and_parameters_are_refused() -> None:
    model = MLPRegressor(alpha=0.05, random_state=0).fit(X, Y[:, 0])
    with pytest.raises(InvalidDataError, match="must be the data of fit.*objective was"):
        model.leave_one_out_predictions(X, Y[::-1, 0])
    with pytest.raises(InvalidParameterError, match="coverage must be a number between 0 and 1, got 90"):
        model.predict_interval(X, X, Y[:, 0], coverage=90)
    with pytest.raises(InvalidParameterError, match="method must be 'jackknife\\+' or 'conformal', got 'cv'"):
        model.predict_interval(X, X, Y[:, 0], method="cv")
    with pytest.raises(RefusedError, match="'hinge' has kinks"):
        MLPClassifier(loss="hinge", tol=1e-2).fit(X, LABELS).influence(X, LABELS)

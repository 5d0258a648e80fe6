"""Whatever the user gives, a fit is right or refused by a sentence that names the culprit and the remedy."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import DataConversionWarning, NotFittedError

from bidual import MLPClassifier, MLPRegressor, load_model
from bidual.errors import (
    BidualError,
    CertificateError,
    InvalidDataError,
    InvalidParameterError,
    MemoryLimitError,
    ModelFileError,
    RefusedError,
)
from bidual.files import read_arrays, write_arrays

from .cases import BOTH, NEW, THREE, TWO, Estimator, X, Y, check_fitted, classifier, regressor

Refusal = tuple[type[Exception], str]


def put(values: Any, entry: Any, dtype: Any = None) -> np.ndarray:
    """A copy with one entry replaced."""
    array = np.array(values, dtype=dtype)
    array.flat[1] = entry
    return array


NUMBER = "must be a positive finite number, got"
COUNT = "must be an integer of at least 1"
PARAMETERS: list[tuple[dict[str, Any], str]] = [
    *[({"alpha": v}, rf"^alpha {NUMBER}.*use a small alpha") for v in (-1, 0, np.nan, np.inf, "1", None, True)],
    *[({"radius": v}, rf"^radius {NUMBER}.*use radius=None") for v in (-1.0, 0, np.nan, "wide")],
    *[({"tol": v}, rf"^tol {NUMBER}.*1e-3 by default") for v in (0, -1e-3, np.nan, None)],
    *[({"time_limit": v}, rf"^time_limit {NUMBER}.*None for no limit") for v in (0, -1, np.nan, "1 s")],
    *[({"memory_limit": v}, rf"^memory_limit {NUMBER}.*None for no limit") for v in (0, -1, np.nan, "1 GB")],
    *[({"memory_limit": 1e9, "solver": v}, "^memory_limit=1.* leave memory_limit out") for v in ("auto", "conic")],
    ({"memory_limit": 1e9, "solver": "fixed_patterns"}, "^memory_limit=1.*'fixed_patterns'.*gated or linear units"),
    *[({"max_iter": v}, rf"^max_iter {COUNT}, got") for v in (-1, 0, 1.5, None)],
    *[({"n_patterns": v}, rf"^n_patterns {COUNT}, got") for v in (0, "many")],
    *[({"max_neurons": v}, rf"^max_neurons {COUNT} or None, got") for v in (0, -1, 2.5)],
    *[({"verbose": v}, "^verbose must be an integer of at least 0, got") for v in (-1, "loud")],
    *[({"random_state": v}, "^random_state must be a nonnegative integer") for v in ("a", -1, 1.5)],
    ({"random_state": np.random.default_rng(0)}, "^random_state must be .*RandomState or None"),
    *[({name: 2}, f"^{name} must be True or False, got 2") for name in ("fit_intercept", "standardize", "warm_start")],
    ({"activation": "logistic"}, "^activation must be.*use 'tanh'"),
    *[({"activation": v}, "^activation must be one of 'relu', 'leaky_relu', 'abs'") for v in ("swish", None)],
    *[({"solver": v}, "^solver must be.*convex.*use solver='auto'") for v in ("adam", "sgd", "lbfgs")],
    ({"solver": "newton"}, "^solver must be one of 'auto', 'working_set', .*'frank_wolfe'.*, got 'newton'$"),
    ({"oracle": "delphi"}, "^oracle must be one of 'auto', 'enumerated', .*'perceptron'.*, got 'delphi'$"),
    ({"oracle": "enumerated", "solver": "conic"}, "^oracle='enumerated' is not known to solver='conic'"),
    ({"loss": "poisson"}, "^loss must be.*not implemented; use 'squared_error' or 'huber'"),
    ({"loss": "hinge"}, "^loss must be one of 'squared_error', 'huber', got 'hinge'"),
    ({"outputs": "joint"}, "^outputs must be one of 'separate', 'shared', got 'joint'"),
    ({"outputs": ["shared"]}, "^outputs must be one of 'separate', 'shared'"),
    *[({"bias": v}, "^bias must be one of 'penalized', 'free', 'none', got") for v in ("some", True)],
    ({"bias": "free", "fit_intercept": False}, "^bias='free'.*set fit_intercept=True"),
    ({"bias": "free", "activation": "gated_relu"}, "^bias='free'.*gated units; use 'penalized', or 'none'"),
    ({"bias": "free", "activation": "linear"}, "^bias='free'.*output intercept; use that"),
    ({"device": "gpu"}, "^device must be one of 'cpu', 'cuda', 'auto', got 'gpu'"),
    ({"callback": 3}, "^callback must be a function of one record or None.*set_callbacks"),
    ({"solver": "conic", "max_neurons": 2}, "^max_neurons=2 .*leave it out or use solver='auto'"),
]


@pytest.mark.parametrize(("params", "message"), PARAMETERS, ids=lambda value: str(value)[:40])
def test_a_parameter_outside_its_domain(params: dict[str, Any], message: str) -> None:
    model = regressor(**params)
    with pytest.raises(InvalidParameterError, match=message):
        model.fit(X, Y)
    assert not hasattr(model, "network_")


def test_a_loss_of_the_regressor() -> None:
    with pytest.raises(InvalidParameterError, match="^loss must be one of 'log_loss', 'hinge'.*got 'huber'"):
        classifier(loss="huber").fit(X, TWO)


def test_too_little_memory() -> None:
    gated = {"activation": "gated_relu", "solver": "fixed_patterns"}
    for limit, message in ((100.0, "^merging and scaling"), (1e5, "67 MiB on 200 patterns")):
        with pytest.raises(MemoryLimitError, match=f"{message}.*memory_limit is 0 MiB; allow more"):
            regressor(memory_limit=limit, **gated).fit(X, Y)
    enough, free = (regressor(memory_limit=limit, **gated).fit(X, Y) for limit in (1e9, None))
    np.testing.assert_array_equal(enough.coefs_[0], free.coefs_[0])


def test_no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidParameterError, match="^device is 'cuda'.*use device='auto' or 'cpu'"):
        regressor(device="cuda").fit(X, Y)
    np.testing.assert_array_equal(regressor(device="auto").fit(X, Y).coefs_[0], regressor().fit(X, Y).coefs_[0])


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"solver": "frank_wolfe"}, "Ball"),
        ({"solver": "stochastic_frank_wolfe", "radius": 1.0}, "fit_intercept=False"),
        ({"solver": "working_set", "activation": "sign"}, "use the solver Incremental"),
        ({"oracle": "svm"}, "sign and tanh units"),
    ],
)
def test_parts_that_do_not_go_together(params: dict[str, Any], word: str) -> None:
    X = np.linspace(-1, 1, 12)[:, None]
    with pytest.raises(RefusedError, match=word):
        MLPRegressor(**params).fit(X, X[:, 0])


def test_a_problem_too_large_for_conic() -> None:
    wide = np.random.default_rng(0).normal(size=(60, 10))
    with pytest.raises(RefusedError, match="^solver='conic' refuses.*activation patterns.*use solver='auto'"):
        regressor(solver="conic").fit(wide, wide[:, 0])


def test_unknown_parameters() -> None:
    with pytest.raises(TypeError, match="alpa"):
        MLPRegressor(alpa=1)
    with pytest.raises(ValueError, match="'alpa'.*Valid parameters"):
        MLPRegressor().set_params(alpa=1)


ROWS: dict[str, tuple[Any, type[Exception], str]] = {
    "no table": (3.0, InvalidDataError, r"X must have the shape \(n_samples, n_features\)"),
    "None": (None, InvalidDataError, r"X must have the shape"),
    "1-D": (X[:, 0], InvalidDataError, r"reshape\(-1, 1\)(.|\n)*X must have the shape"),
    "3-D": (X[:, :, None], InvalidDataError, "dim 3.*X must have the shape"),
    "no rows": (X[:0], InvalidDataError, "0 sample.*X must have at least one row"),
    "no columns": (X[:, :0], InvalidDataError, "0 feature.*X.* at least one column"),
    "NaN": (put(X, np.nan), InvalidDataError, "X contains NaN(.|\n)*impute"),
    "None inside": (put(X, None, object), InvalidDataError, "X contains NaN(.|\n)*impute"),
    "NA": (
        pd.DataFrame({"a": pd.array([1, None] * 6, dtype="Int64")}),
        InvalidDataError,
        "X contains NaN(.|\n)*impute",
    ),
    "infinite": (put(X, np.inf), InvalidDataError, "X contains infinity.*replace"),
    "text": (np.full((12, 2), "a"), InvalidDataError, "'a'.*X.* must hold numbers: encode"),
    "text inside": (put(X, "a", object), InvalidDataError, "'a'.*X.* must hold numbers: encode"),
    "a column of text": (pd.DataFrame({"a": Y, "b": "u"}), InvalidDataError, "'u'.*X.* must hold numbers: encode"),
    "ragged": ([[1, 2], [3]], InvalidDataError, "X must be a table whose rows have one length"),
    "complex": (X + 1j, InvalidDataError, "Complex(.|\n)*X and y must be real"),
    "sparse": (sp.csr_array(X), TypeError, r"Sparse data was passed for X.*toarray\(\)"),
    "sparse matrix": (sp.csr_matrix(X), TypeError, r"Sparse data was passed for X.*toarray\(\)"),
    "huge": (1e302 * X, InvalidDataError, "^X has entries up to .*e.302 in column 0.*multiply the column"),
    "tiny": (1e-295 * X, InvalidDataError, "^X has entries up to .*e-29. in column 0.*multiply the column"),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_cannot_be_used(name: str) -> None:
    given, error, message = ROWS[name]
    for model, y in ((regressor(), Y), (classifier(), TWO)):
        with pytest.raises(error, match=message):
            model.fit(given, y[: len(given)] if name == "no rows" else y)


REAL: dict[str, tuple[Any, str]] = {
    "fewer": (Y[1:], "give X and y as many rows"),
    "3-D": (Y[:, None, None], "dim 3.*, y"),
    "no columns": (np.zeros((12, 0)), "0 feature.*y.*at least one column"),
    "NaN": (put(Y, np.nan), "y contains NaN.*impute"),
    "NaN in a column": (put(BOTH, np.nan), "y contains NaN.*impute"),
    "None": ([None] * 12, "^y has NaN or infinite entries; remove these rows"),
    "None inside": (put(Y, None, object), "y(.|\n)*NaN.*remove these rows"),
    "infinite": (put(Y, np.inf), "y contains infinity.*replace"),
    "text": (np.full(12, "a"), "^y must be a dense array of numbers"),
    "text inside": (put(Y, "a", object), "'a'.*y of a regressor must hold numbers: encode"),
    "complex": (Y + 1j, "X and y must be real"),
    "dates": (np.full(12, "2026-01-01", dtype="datetime64[D]"), "^y must be a dense array of numbers"),
    "sparse": (sp.csr_array(BOTH), "^y must be a dense array of numbers"),
    "huge": (1e302 * Y, "^y has entries up to .*e.302.*multiply the column"),
}


@pytest.mark.parametrize("name", REAL)
def test_targets_that_cannot_be_used(name: str) -> None:
    with pytest.raises(InvalidDataError, match=REAL[name][1]):
        regressor().fit(X, REAL[name][0])


CLASSES: dict[str, tuple[Any, type[Exception], str]] = {
    "fewer": (TWO[1:], InvalidDataError, "give X and y as many rows"),
    "scalar": (1, InvalidDataError, "y should be a 1d array.*one label for each row"),
    "2-D": (np.column_stack([TWO, TWO]), InvalidDataError, "y should be a 1d array.*one label for each row"),
    "one class": (np.ones(12), InvalidDataError, "^y must have at least two classes.*got 1 class; add rows"),
    "numbers": (Y, InvalidDataError, "Unknown label type: continuous.*MLPRegressor"),
    "NaN": (put(TWO, np.nan, float), InvalidDataError, "y contains NaN.*remove these rows"),
    "infinite": (put(TWO, np.inf, float), InvalidDataError, "y contains infinity.*remove these rows"),
    "NA": (pd.array([1, None] * 6, dtype="Int64"), InvalidDataError, "y contains NaN.*remove these rows"),
    "None": ([None] * 12, InvalidDataError, "y must hold labels of one type"),
    "two types": (np.array([1, "a"] * 6, dtype=object), InvalidDataError, "y must hold labels of one type"),
    "complex": (TWO + 1j, InvalidDataError, "X and y must be real"),
    "bytes": (np.array([b"n", b"y"])[TWO], TypeError, "Convert the labels to a string"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_labels_that_cannot_be_used(name: str) -> None:
    y, error, message = CLASSES[name]
    with pytest.raises(error, match=message):
        classifier().fit(X, y)


WEIGHTS: dict[str, tuple[Any, str]] = {
    "negative": (put(np.ones(12), -1), "Negative values.*sample_weight.*drop these rows"),
    "NaN": (put(np.ones(12), np.nan), "sample_weight contains NaN.*remove these rows"),
    "None": ([None] * 12, "sample_weight contains NaN"),
    "infinite": (put(np.ones(12), np.inf), "sample_weight contains infinity.*replace"),
    "zeros": (np.zeros(12), "leave sample_weight out to weigh evenly"),
    "fewer": (np.ones(11), r"sample_weight.shape == \(11,\).*one sample_weight for each row"),
    "2-D": (np.ones((12, 1)), r"give sample_weight the shape \(n_samples,\)"),
    "text": (["a"] * 12, "'a'.*sample_weight.*must hold numbers"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_cannot_be_used(name: str) -> None:
    for model, y in ((regressor(), Y), (classifier(), TWO)):
        with pytest.raises(InvalidDataError, match=WEIGHTS[name][1]):
            model.fit(X, y, WEIGHTS[name][0])


def test_a_class_of_no_weight() -> None:
    with pytest.raises(InvalidDataError, match="two classes among the rows of positive weight"):
        classifier().fit(X, TWO, sample_weight=TWO)


@pytest.mark.parametrize("name", ["X", "y"])
def test_scales_that_need_standardising(name: str) -> None:
    rows, y = (1e200 * X, Y) if name == "X" else (X, 1e200 * Y)
    with pytest.raises(InvalidDataError, match=f"^{name} has entries up to .*set standardize=True or rescale {name}"):
        regressor(standardize=False).fit(rows, y)
    expected = regressor().fit(X, Y)
    model = regressor().fit(rows, y)
    check_fitted(model, rows, y)
    assert model.loss_ == pytest.approx(expected.loss_, rel=1e-6)
    factor = 1e200 if name == "y" else 1.0
    np.testing.assert_allclose(model.predict(rows) / factor, expected.predict(X), rtol=1e-6, atol=1e-9)


UNUSUAL: dict[str, tuple[Any, Any]] = {
    "a constant column": (np.column_stack([X, np.full(12, 3.0)]), Y),
    "a column twice": (np.column_stack([X, X[:, 0]]), Y),
    "a column almost twice": (np.column_stack([X, X[:, 0] + 1e-13 * X[:, 1]]), Y),
    "constant columns only": (np.ones((12, 2)), Y),
    "zeros": (np.zeros((12, 2)), Y),
    "far from 0": (X + 1e12, Y),
    "too far to tell apart": (X + 1e18, Y),
    "an outlier": (put(X, 1e12), Y),
    "a subnormal": (put(X, 5e-324), Y),
    "one row": (X[:1], Y[:1]),
    "two rows": (X[:2], Y[:2]),
    "fewer rows than columns": (np.random.default_rng(1).normal(size=(4, 15)), np.arange(4.0)),
    "rows twice, targets opposite": (np.vstack([X, X]), np.append(Y, -Y)),
    "constant targets": (X, np.full(12, 7.0)),
    "zero targets": (X, np.zeros(12)),
    "lists": (X.tolist(), Y.tolist()),
    "objects": (X.astype(object), Y.astype(object)),
    "text that spells numbers": (X.astype(str), Y),
    "whole numbers": ((10 * X).astype(int), (10 * Y).astype(int)),
    "truths": (X > 0, Y > 0),
    "half precision": (X.astype("f2"), Y.astype("f2")),
    "Fortran order": (np.asfortranarray(X), np.asfortranarray(BOTH)),
    "a column of targets": (X, Y[:, None]),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_data_are_fitted(name: str) -> None:
    rows, y = UNUSUAL[name]
    model = regressor().fit(rows, y)
    numbers = np.asarray(rows, dtype=float)
    check_fitted(model, numbers, np.asarray(y, dtype=float))
    assert model.status_ == ("optimal_on_patterns" if name == "an outlier" else "optimal")
    assert model.predict(rows).shape == np.shape(y)


@pytest.mark.parametrize("names", [("zeros", "constant columns only"), ("zero targets", "constant targets")])
def test_nothing_to_learn_is_the_mean(names: tuple[str, str]) -> None:
    for name in names:
        rows, y = UNUSUAL[name]
        model = regressor().fit(rows, y)
        assert model.n_neurons_ == 0
        np.testing.assert_allclose(model.predict(NEW), np.mean(y), rtol=1e-12, atol=1e-15)


def test_one_row_is_its_target() -> None:
    np.testing.assert_allclose(regressor().fit(X[:1], Y[:1]).predict(NEW), Y[0], rtol=1e-12)


def test_a_constant_column_changes_next_to_nothing() -> None:
    rows, y = UNUSUAL["a constant column"]
    models = [regressor(tol=1e-8).fit(table, y) for table in (X, rows)]
    assert models[0].loss_ == pytest.approx(models[1].loss_, rel=1e-7)
    np.testing.assert_allclose(models[0].predict(X), models[1].predict(rows), atol=1e-3)


LABELS: dict[str, Any] = {
    "truths": TWO > 0,
    "text": np.array(["no", "yes"])[TWO],
    "objects": np.array(["no", "yes"], dtype=object)[TWO],
    "bytes of numbers": TWO.astype("u1"),
    "negative": -5 - TWO[::-1],
    "floats": TWO.astype(float),
    "dates": np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]")[TWO],
    "categories": pd.Categorical(np.array(["no", "yes"])[TWO]),
    "a series": pd.Series(TWO, index=range(100, 112)),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_any_type(name: str) -> None:
    y = LABELS[name]
    model = classifier(alpha=1e-3).fit(X, y)
    check = np.asarray(y)
    model.certificate_.verify(X, check)
    np.testing.assert_array_equal(model.classes_, np.unique(check))
    np.testing.assert_array_equal(model.predict(X), check)
    assert model.predict(X).dtype == model.classes_.dtype


@pytest.mark.parametrize("loss", ["log_loss", "hinge", "squared_hinge", "squared_error"])
def test_more_classes_with_every_loss(loss: str) -> None:
    y = THREE
    model = classifier(loss=loss, tol=1e-2).fit(X, y)
    check_fitted(model, X, y)
    assert model.n_outputs_ == 3 == model.decision_function(X).shape[1]


def test_as_many_classes_as_pairs_of_rows() -> None:
    y = np.arange(12) // 2
    model = classifier(alpha=1e-3, tol=0.1).fit(X, y)
    check_fitted(model, X, y)
    np.testing.assert_array_equal(model.predict(X), y)


def test_a_column_of_labels_warns() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        model = classifier().fit(X, TWO[:, None])
    np.testing.assert_array_equal(model.predict(X), classifier().fit(X, TWO).predict(X))


def test_weights_of_any_size() -> None:
    expected = regressor().fit(X, Y).predict(X)
    for weight in (3.0, 1e-310, 1e308):
        model = regressor().fit(X, Y, np.full(12, weight))
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)
    uneven = np.geomspace(1e-300, 1e300, 12)
    check_fitted(regressor().fit(X, Y, uneven), X, Y, uneven)


@pytest.mark.parametrize("params", [{"alpha": 1e300}, {"alpha": 1e-320}, {"radius": 1e-300}, {"radius": 1e300}])
def test_extreme_penalties(params: dict[str, float]) -> None:
    model = regressor(**params).fit(X, Y)
    check_fitted(model, X, Y)
    large = params in ({"alpha": 1e-320}, {"radius": 1e300})
    assert (model.loss_ < 1e-9) if large else model.loss_ == pytest.approx(0.5)


USES: dict[str, Callable[[Estimator], Any]] = {
    "predict": lambda model: model.predict(X),
    "score": lambda model: model.score(X, TWO),
    "save": lambda model: model.save("never.npz"),
}
MORE = {
    name: (lambda model, name=name: getattr(model, name)(X))
    for name in ("decision_function", "predict_proba", "predict_log_proba")
}


@pytest.mark.parametrize("kind", [MLPRegressor, MLPClassifier])
@pytest.mark.parametrize("use", USES)
def test_not_fitted(kind: type[Estimator], use: str) -> None:
    with pytest.raises(NotFittedError, match=f"{kind.__name__} instance is not fitted yet. Call 'fit'"):
        USES[use](kind())


@pytest.mark.parametrize("use", MORE)
def test_a_classifier_not_fitted(use: str) -> None:
    with pytest.raises(NotFittedError, match="Call 'fit'"):
        MORE[use](MLPClassifier())


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "squared_error"])
def test_no_probabilities(loss: str) -> None:
    model = classifier(loss=loss).fit(X, TWO)
    for name in ("predict_proba", "predict_log_proba"):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError) as refusal:
            getattr(model, name)
        assert str(refusal.value.__cause__) == f"loss={loss!r} gives no probabilities; set loss='log_loss'"


PREDICTED: dict[str, tuple[Any, type[Exception], str]] = {
    "fewer columns": (X[:, :1], InvalidDataError, "X has 1 features, but .* expecting 2 features"),
    "more columns": (np.hstack([X, X]), InvalidDataError, "X has 4 features, but .* expecting 2 features"),
    "1-D": (X[0], InvalidDataError, "X must have the shape"),
    "no rows": (X[:0], InvalidDataError, "X must have at least one row"),
    "NaN": (put(X, np.nan), InvalidDataError, "X contains NaN"),
    "infinite": (put(X, np.inf), InvalidDataError, "X contains infinity.*replace"),
    "text": ([["a", "b"]], InvalidDataError, "'a'.*X.*must hold numbers"),
    "sparse": (sp.csr_array(X), TypeError, "Sparse data was passed for X"),
    "overflowing": (np.full((1, 2), 1.7e308), InvalidDataError, "(X|prediction).* overflow.*rescale"),
}


@pytest.mark.parametrize("name", PREDICTED)
def test_rows_that_cannot_be_predicted(name: str) -> None:
    given, error, message = PREDICTED[name]
    for model, y in ((regressor(), 10 * Y), (classifier(alpha=1e-5, loss="squared_error"), TWO)):
        model.fit(0.1 * X, y)
        with pytest.raises(error, match=message):
            model.predict(given)


def test_other_names_of_columns() -> None:
    table = pd.DataFrame(X, columns=["a", "b"])
    model = regressor().fit(table, Y)
    with pytest.raises(InvalidDataError, match="(?s)feature names should match.*same order"):
        model.predict(table[["b", "a"]])
    with pytest.raises(InvalidDataError, match="(?s)unseen at fit time.*- c"):
        model.predict(table.rename(columns={"a": "c"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.raises(TypeError, match="X.columns.astype"):
        regressor().fit(pd.DataFrame({"a": Y, 1: Y}), Y)


WARM: dict[str, tuple[dict[str, Any], Any, Any, type[BidualError], str]] = {
    "columns": (
        {},
        X[:, :1],
        TWO,
        InvalidDataError,
        "network of 2 features and 1 outputs, but these data have 1 and 1",
    ),
    "classes": ({}, X, THREE, InvalidDataError, "1 outputs, but these data have 2 and 3"),
    "labels": ({}, X, TWO + 5, InvalidDataError, "or other classes"),
    "activation": (
        {"activation": "gated_relu"},
        X,
        TWO,
        InvalidParameterError,
        "from ReLU.*to GatedReLU.*keep activation",
    ),
    "bias": ({"bias": "free"}, X, TWO, InvalidParameterError, "keep activation, bias and outputs"),
}


@pytest.mark.parametrize("name", WARM)
def test_a_start_of_another_shape(name: str) -> None:
    params, rows, y, error, message = WARM[name]
    model = classifier(warm_start=True).fit(X, TWO)
    with pytest.raises(error, match=f"^warm_start=True.*{message}.*set warm_start=False"):
        model.set_params(**params).fit(rows, y)
    check_fitted(model.set_params(warm_start=False).fit(rows, y), rows, y)


def test_an_error_in_a_callback_is_the_users() -> None:
    with pytest.raises(ZeroDivisionError):
        regressor(callback=lambda record: 1 / 0).fit(X, Y)


VERIFIED: dict[str, tuple[Any, str]] = {
    "columns": ((X[:, :1], Y), r"^X must have 2 columns as in fit, got shape \(12, 1\)"),
    "rows": ((X, Y[1:]), "^X, y and sample_weight must have as many rows, got 12, 11"),
    "outputs": ((X, BOTH), r"^y must have 1 columns as in fit, got shape \(12, 2\)"),
    "NaN": ((put(X, np.nan), Y), "^X has NaN or infinite entries; remove or impute"),
    "text": (([["a", "b"]], [1.0]), "^X must be a dense array of numbers .*'a'"),
    "sparse": ((sp.csr_array(X), Y), "^X must be a dense array of numbers"),
    "words": ((X, ["a"] * 12), "^y must be a dense array of numbers .*'a'"),
    "negative": ((X, Y, -np.ones(12)), "^sample_weight has negative entries; drop"),
    "weights": ((X, Y, np.ones(3)), r"^X, y and sample_weight must have as many rows, got 12, 12 and \(3,\)"),
    "weighing words": ((X, Y, ["a"] * 12), "^sample_weight must be a dense array of numbers"),
    "zeros": ((X, Y, np.zeros(12)), "^sample_weight must contain a weight other than zero"),
}


@pytest.mark.parametrize("name", VERIFIED)
def test_data_that_cannot_be_verified(name: str) -> None:
    given, message = VERIFIED[name]
    with pytest.raises(InvalidDataError, match=message):
        regressor().fit(X, Y).certificate_.verify(*given)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (TWO, "^y has labels of another type than in fit"),
        ([None] * 12, "^y has labels of another type than in fit"),
        (["maybe"] * 12, "^y has the label 'maybe', which is none of the classes"),
        (np.array(["no", "yes"], dtype=object)[[TWO, TWO]], r"^y must be one column of labels, got shape \(2, 12\)"),
    ],
)
def test_labels_that_cannot_be_verified(y: Any, message: str) -> None:
    model = classifier().fit(X, np.array(["no", "yes"], dtype=object)[TWO])
    with pytest.raises(InvalidDataError, match=message):
        model.certificate_.verify(X, np.asarray(y, dtype=object))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.npz"
    regressor().fit(X, Y).save(path)
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def with_header(source: Path, path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """The file with its outermost header changed and the checksum left as it was."""
    parts = members(source)
    at = parts["header.npy"].index(b"\n") + 1
    top = json.loads(parts["header.npy"][at:])
    change(top)
    np.save(path, np.frombuffer(json.dumps(top).encode(), np.uint8))
    named = path.with_name(path.name + ".npy")
    rezip(path, parts | {"header.npy": named.read_bytes()})
    named.unlink()


def flip(source: Path, path: Path) -> None:
    """A bit in the middle of the longest array; between the arrays there are bytes that nothing reads."""
    data = bytearray(source.read_bytes())
    with zipfile.ZipFile(source) as archive:
        longest = max(archive.infolist(), key=lambda member: member.compress_size)
    extra = int.from_bytes(data[longest.header_offset + 28 : longest.header_offset + 30], "little")
    start = longest.header_offset + 30 + len(longest.filename) + extra
    data[start + longest.compress_size // 2] ^= 4
    path.write_bytes(data)


def rewrite(change: Callable[[dict[str, Any], dict[str, np.ndarray]], Any]) -> Callable[[Path, Path], None]:
    """A whole file with a right checksum and another content."""

    def spoil(source: Path, path: Path) -> None:
        header, arrays = read_arrays(source, "estimator")
        change(header, arrays)
        write_arrays(path, "estimator", header, arrays)

    return spoil


FUTURE = {"format": 99}
FILES: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "empty": (lambda source, path: path.touch(), "damaged or was not written by bidual.*save the model again"),
    "truncated": (lambda source, path: path.write_bytes(source.read_bytes()[:-100]), "damaged"),
    "first half": (lambda source, path: path.write_bytes(source.read_bytes()[:2000]), "damaged"),
    "a bit flipped": (flip, "damaged"),
    "a pickle": (lambda source, path: path.write_bytes(pickle.dumps({"a": 1})), "damaged or was not written by bidual"),
    "text": (lambda source, path: path.write_text("weights: 1, 2"), "damaged or was not written by bidual"),
    "another zip": (lambda source, path: rezip(path, {"a.txt": b"hello"}), "was not written by bidual"),
    "another npz": (lambda source, path: np.savez(path, weight=X), "was not written by bidual"),
    "objects": (lambda source, path: np.savez(path, header=np.array([{}], object)), "was not written by bidual"),
    "a future version": (
        lambda source, path: with_header(source, path, lambda top: top.update(FUTURE)),
        "format 99.*newer",
    ),
    "a changed header": (lambda source, path: with_header(source, path, lambda top: top.update(a=1)), "checksum"),
    "another kind": (
        lambda source, path: write_arrays(path, "network", {}, {}),
        "holds a 'network', not a 'estimator'",
    ),
    "an unknown estimator": (
        rewrite(lambda header, arrays: header.update(estimator="MLPTransformer")),
        "MLPTransformer",
    ),
    "no estimator": (rewrite(lambda header, arrays: header.pop("estimator")), "KeyError: 'estimator'"),
    "an unknown parameter": (rewrite(lambda header, arrays: header["params"].update(beta=1)), "beta"),
    "an unknown loss": (rewrite(lambda header, arrays: header["formulation"]["loss"].update(name="l7")), "l7"),
    "an unknown status": (rewrite(lambda header, arrays: header.update(status="perfect")), "perfect"),
    "no history": (rewrite(lambda header, arrays: header.update(history=[])), "does not describe an estimator"),
    "parameters in a list": (
        rewrite(lambda header, arrays: header.update(params=[])),
        "does not describe an estimator",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_hold_no_model(saved: Path, tmp_path: Path, name: str) -> None:
    spoil, message = FILES[name]
    spoil(saved, tmp_path / "model.npz")
    with pytest.raises(ModelFileError, match=f"(?s)model.npz.*{message}"):
        load_model(tmp_path / "model.npz")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent.npz"):
        load_model(tmp_path / "absent.npz")


SPOILED: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], str]] = {
    "a longer weight": ("network.0.weight", lambda array: np.vstack([array, array]), "goes not with its encoding"),
    "a flat weight": ("network.0.weight", np.ravel, "weight"),
    "a shorter bias": ("network.0.bias", lambda array: array[:-1], "must have shape"),
    "a NaN in a weight": ("network.1.weight", lambda array: put(array, np.nan), "not finite"),
    "a bias of words": ("network.1.bias", lambda array: array.astype(str), "bias must hold real numbers"),
    "a complex bias": ("network.1.bias", lambda array: array + 0j, "bias must hold real numbers"),
    "a longer unit": ("formulation.inputs.unit", lambda array: np.append(array, array), "inputs has shapes"),
    "a shorter scale": ("formulation.targets.scale", lambda array: array[:0], "targets has shapes"),
    "a scale of 0": ("formulation.inputs.scale", np.zeros_like, "not positive and finite"),
    "a NaN in the center": ("formulation.inputs.center", lambda array: put(array, np.nan), "not positive and finite"),
}
CLAIMS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "a longer dual vector": ("point.V", lambda array: np.vstack([array, array])),
    "a flat dual vector": ("point.V", np.ravel),
    "a NaN in the dual vector": ("point.V", lambda array: put(array, np.nan)),
    "a dual vector of words": ("point.V", lambda array: array.astype(str)),
    "a complex dual vector": ("point.V", lambda array: array + 0j),
    "fewer gates": ("point.gates", lambda array: array[:, 1:]),
    "complex gates": ("point.gates", lambda array: array + 0j),
    "gates of words": ("point.gates", lambda array: array.astype(str)),
    "multipliers of words": ("point.witness.values", lambda array: array.astype(str)),
    "fewer multipliers": ("point.witness.values", lambda array: array[1:]),
    "starts in a column": ("point.witness.start", lambda array: array[:, None]),
    "rows that are not there": ("point.witness.rows", lambda array: array + 12),
    "rows that are no integers": ("point.witness.rows", lambda array: array.astype(float)),
    "fewer blocks": ("point.witness.blocks", lambda array: array[1:]),
}


def respoil(source: Path, path: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    rewrite(lambda header, arrays: arrays.update({name: change(arrays[name])}))(source, path)


@pytest.mark.parametrize("name", SPOILED)
def test_arrays_that_make_no_model(saved: Path, tmp_path: Path, name: str) -> None:
    array, change, message = SPOILED[name]
    respoil(saved, tmp_path / "model.npz", array, change)
    with pytest.raises(ModelFileError, match=f"(?s)model.npz does not describe an estimator.*{message}"):
        load_model(tmp_path / "model.npz")


@pytest.mark.parametrize("name", CLAIMS)
def test_arrays_that_prove_nothing(saved: Path, tmp_path: Path, name: str) -> None:
    array, change = CLAIMS[name]
    respoil(saved, tmp_path / "model.npz", f"certificate.{array}", change)
    model = load_model(tmp_path / "model.npz")
    with pytest.raises(CertificateError):
        model.certificate_.verify(X, Y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda array: array[::-1], "two or more labels in order"),
        (lambda array: array[:1], "two or more labels in order"),
        (lambda array: np.append(array, 2), "goes not with its encoding"),
        (lambda array: array[:, None], "two or more labels in order"),
    ],
)
def test_labels_that_make_no_model(tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], message: str) -> None:
    classifier().fit(X, TWO).save(tmp_path / "whole.npz")
    respoil(tmp_path / "whole.npz", tmp_path / "model.npz", "formulation.classes", change)
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "model.npz")

"""The path of an estimator: models for every alpha, each with its certificate."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import bidual
from bidual.errors import InvalidParameterError, RefusedError
from bidual.estimators import FittedPath
from bidual.solvers import Record

from .cases import BOTH, THREE, TWO, X, Y, check_fitted, classifier, regressor

MODELS = {
    "regressor": (regressor(), Y),
    "two targets": (regressor(activation="gated_relu", n_patterns=20), BOTH),
    "two classes": (classifier(), TWO),
    "three classes": (classifier(activation="gated_relu", n_patterns=20), THREE),
    "paths of gates": (regressor(activation="gated_relu", n_layers=3, n_patterns=20, random_state=None), Y),
    "sign": (regressor(activation="sign"), Y),
    "filters": (regressor(activation="gated_relu", image_shape=(1, 2), filter_size=1, n_patterns=10), Y),
}


@cache
def solved(kind: str) -> tuple[FittedPath, Any]:
    model, y = MODELS[kind]
    return bidual.path(model, X, y, ratio=0.1), y


@pytest.mark.parametrize("kind", MODELS)
def test_models_of_every_alpha(kind: str) -> None:
    found, y = solved(kind)
    assert found.complete and found.worst <= found.eps == 0.05
    assert found.alphas[0] == found.alpha_max and found.alphas[-1] == found.alpha_min
    assert len(found.n_neurons) == len(found.alphas)
    alphas = found.alpha_min * 10 ** np.random.default_rng(0).uniform(size=5)
    bounds, outputs = found.bounds(alphas), [*found.outputs(X, alphas)]
    for alpha, (primal, dual, whole), F in zip(alphas, bounds, outputs, strict=True):
        model = found.at(alpha)
        check_fitted(model, X, y)
        certificate = model.certificate_
        assert (primal, dual, whole) == (certificate.primal, certificate.dual, certificate.global_dual)
        assert model.alpha == alpha and certificate.relative_gap <= found.worst * (1 + 1e-9)
        assert certificate.formulation.penalty.value(1.0) == pytest.approx(alpha)
        assert model.status_ == ("optimal" if certificate.scope == "global" else "optimal_on_patterns")
        np.testing.assert_allclose(model._outputs(X), F, atol=1e-12)


def test_left_out_rows() -> None:
    found, y = solved("regressor")
    (first, middle, second) = found.left_out(np.array([found.alphas[1], found.alphas[1:3].mean(), found.alphas[2]]))
    fit = regressor(alpha=found.alphas[1], tol=1e-6).fit(X, y)
    own = fit.leave_one_out_predictions(X, y)
    np.testing.assert_allclose(fit.encoding_.targets.decode(first), own, atol=0.1 * np.abs(own - fit.predict(X)).max())
    np.testing.assert_allclose(middle, 0.5 * (first + second))


def test_the_model_is_not_touched_and_can_go_on() -> None:
    found, y = solved("regressor")
    assert not hasattr(MODELS["regressor"][0], "network_")
    model = found.at(found.alpha_min).set_params(warm_start=True, tol=1e-5).fit(X, y)
    assert model.certificate_.relative_gap <= 1e-5


def test_targets_that_a_constant_fits() -> None:
    found = bidual.path(regressor(), X, np.ones(12))
    assert found.alphas == [0.05] and found.complete
    assert found.at(0.05).n_neurons_ == 0


def test_an_early_end() -> None:
    found = bidual.path(regressor(time_limit=1e-9), X, Y)
    assert not found.complete and found.alpha_min == found.alpha_max
    assert found.at(found.alpha_max).status_ in ("optimal", "time_limit")


def test_a_callback_hears_of_every_fit_and_may_end_the_path() -> None:
    records: list[Record] = []
    found = bidual.path(regressor(callback=records.append), X, Y, ratio=0.1)
    assert sum(record.iteration == 0 for record in records) == len(found.alphas) > 1
    cut = bidual.path(regressor(callback=lambda record: True), X, Y, ratio=0.1)
    assert not cut.complete and len(cut.alphas) < len(found.alphas)
    assert cut.at(cut.alpha_max).certificate_.dual <= found.at(found.alpha_max).certificate_.primal


def test_refusals() -> None:
    found, _ = solved("regressor")
    with pytest.raises(InvalidParameterError, match="alpha must be from .* the range of the path, got 100"):
        found.at(100)
    with pytest.raises(InvalidParameterError, match="radius=2.0 takes the place of alpha"):
        bidual.path(regressor(radius=2.0), X, Y)
    with pytest.raises(InvalidParameterError, match="ratio must be between 0 and 1, got 2"):
        bidual.path(regressor(), X, Y, ratio=2)
    with pytest.raises(InvalidParameterError, match="eps must be between 0 and 1, got -1"):
        bidual.path(regressor(), X, Y, eps=-1)
    with pytest.raises(InvalidParameterError, match="must be MLPRegressor or MLPClassifier, got str"):
        bidual.path("relu", X, Y)
    with pytest.raises(RefusedError, match="one hidden layer"):
        bidual.path(regressor(n_layers=3), X, Y)

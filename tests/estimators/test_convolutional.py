"""Estimators whose units are filters: raw images in, certificates of the standardised ones out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from bidual import MLPClassifier, MLPRegressor, load_model
from bidual.errors import CertificateError, InvalidDataError, InvalidParameterError
from bidual.export import to_torch
from bidual.patches import Patches

from .cases import check_fitted

SHAPE = (5, 4, 2)


def images(n: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A bright pair of pixels somewhere, upright or lying: a filter tells which wherever it is."""
    rng = np.random.default_rng(seed)
    X, y = 7 + rng.normal(size=(n, *SHAPE)), np.arange(n) % 2
    for image, lying in zip(X, y, strict=True):
        i, j = rng.integers(4), rng.integers(3)
        image[i, j] += (9.0, -5.0)
        image[(i, j + 1) if lying else (i + 1, j)] += (9.0, -5.0)
    X[..., 1] *= 100.0
    return X.reshape(n, -1), y


X, y = images()
FILTERS: dict[str, Any] = {"image_shape": SHAPE, "filter_size": 2, "stride": 1, "random_state": 0}
GATED = {**FILTERS, "activation": "gated_relu", "n_patterns": 60}
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@quiet
@pytest.mark.parametrize("params", [GATED, {**GATED, "pooling": "sum"}, {**FILTERS, "alpha": 0.02, "time_limit": 20.0}])
def test_filters_tell_more_than_pixels(params: dict[str, Any]) -> None:
    model = MLPClassifier(**params).fit(X, y)
    check_fitted(model, X, y)
    flat = MLPClassifier(activation="gated_relu", solver="fixed_patterns", random_state=0).fit(X, y)
    assert model.score(*images(500, seed=1)) > flat.score(*images(500, seed=1)) + 0.05
    assert model.network_.layers[0].patches == Patches(SHAPE, 2, 1, params.get("pooling", "mean"))
    assert model.coefs_[0].shape == (8, model.n_neurons_) and model.n_features_in_ == 40
    if "n_patterns" in params:
        assert model.status_ == "optimal_on_patterns" and model.certificate_.relative_gap <= 1e-3


def test_regression() -> None:
    target = np.column_stack([X.mean(axis=1), X.std(axis=1)])
    model = MLPRegressor(0.01, **GATED).fit(X, target)
    check_fitted(model, X, target)
    assert model.score(X, target) > 0.5


def test_the_units_of_a_channel_do_not_matter() -> None:
    model = MLPClassifier(**GATED).fit(X, y)
    unit, zero = np.tile([1e-3, 50.0], 20), np.tile([4.0, -80.0], 20)
    other = MLPClassifier(**GATED).fit(X * unit + zero, y)
    new, _ = images(20, seed=2)
    np.testing.assert_allclose(other.decision_function(new * unit + zero), model.decision_function(new), atol=1e-6)
    scaling = model.encoding_.inputs
    for values in (scaling.unit, scaling.center, scaling.scale):  # one for a channel
        assert np.array_equal(values, np.tile(values[:2], 20))
    Z = scaling.apply("X", X).reshape(-1, 2)
    np.testing.assert_allclose([Z.mean(axis=0), Z.std(axis=0)], [[0, 0], [1, 1]], atol=1e-12)


def test_raw_images_go_into_the_folded_network() -> None:
    model = MLPClassifier(**GATED).fit(X, y)
    new, _ = images(20, seed=2)
    np.testing.assert_allclose(model.encoding_.fold(model.network_)(new)[:, 0], model.decision_function(new), rtol=1e-9)
    again = model.encoding_.unfold(model.encoding_.fold(model.network_))
    np.testing.assert_allclose(again.layers[0].weight, model.network_.layers[0].weight, rtol=1e-12)
    import torch

    scores = to_torch(model)(torch.tensor(new)).detach().numpy()[:, 0]
    np.testing.assert_allclose(scores, model.decision_function(new), rtol=1e-9)


def test_without_standardising_and_biases() -> None:
    model = MLPClassifier(**{**GATED, "bias": "none", "standardize": False, "alpha": 1.0, "tol": 1e-2}).fit(X, y)
    check_fitted(model, X, y)


def test_files_keep_everything(tmp_path: Path) -> None:
    model = MLPClassifier(**GATED).fit(X, y)
    model.save(tmp_path / "model.npz")
    again = load_model(tmp_path / "model.npz")
    assert again.get_params() == model.get_params() and again.network_ == model.network_
    assert again.certificate_.formulation.architecture == model.certificate_.formulation.architecture
    again.certificate_.verify(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(CertificateError):
        again.certificate_.verify(X + np.eye(40)[0] * 1e-3, y)  # another mean of a channel
    moved = X.reshape(-1, *SHAPE).copy()
    moved[0] = moved[0][::-1]  # the same pixels in other places
    with pytest.raises(CertificateError):
        again.certificate_.verify(moved.reshape(len(X), -1), y)


@quiet
def test_grid_search_and_warm_start() -> None:
    few = {**GATED, "n_patterns": 10, "tol": 0.1}
    search = GridSearchCV(MLPClassifier(**few), {"filter_size": [1, 2]}, cv=2).fit(X, y)
    assert search.best_params_ == {"filter_size": 2}
    model = MLPClassifier(**few, warm_start=True).fit(X, y)
    assert model.set_params(tol=1e-3).fit(X, y).status_ == "optimal_on_patterns"
    with pytest.raises(InvalidParameterError, match="warm_start=True cannot go on"):
        model.set_params(filter_size=3).fit(X, y)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            {"image_shape": (5, 4)},
            r"image_shape=\(5, 4\) has 20 pixels and channels, but X has 40 columns; give the shape",
        ),
        ({"image_shape": (40,)}, r"image_shape must be \(height, width\)"),
        ({"image_shape": "5x8"}, "image_shape must hold positive integers, got '5x8'"),
        ({"filter_size": 6}, r"filter_size=6 is larger than the image of image_shape=\(5, 4, 2\)"),
        ({"filter_size": None}, "filter_size must hold positive integers, got None"),
        ({"stride": 0}, "stride must hold positive integers, got 0"),
        ({"pooling": "max"}, "pooling must be 'mean' or 'sum', got 'max'"),
        ({"activation": "tanh"}, r"activation='tanh' is not for image_shape=\(5, 4, 2\)"),
        ({"bias": "free"}, r"bias='free' is not for image_shape=\(5, 4, 2\)"),
    ],
)
def test_refusals(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises((InvalidParameterError, InvalidDataError), match=sentence):
        MLPClassifier(**{**FILTERS, **params}).fit(X, y)

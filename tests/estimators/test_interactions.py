"""Estimators whose units see some features only: groups as in scikit-learn, global certificates, files and exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV

from bidual import MLPClassifier, MLPRegressor, load_model
from bidual.architectures import Grouped
from bidual.errors import InvalidParameterError
from bidual.estimators.interactions import feature_groups
from bidual.export import to_torch

from .cases import check_fitted

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 4)) * [1.0, 10.0, 0.1, 1.0] + [0.0, 5.0, 0.0, -1.0]
Z = (X - X.mean(axis=0)) / X.std(axis=0)
y = np.abs(Z[:, 0]) + np.maximum(Z[:, 1] - Z[:, 2], 0) + 0.1 * rng.normal(size=80)


def features_of(model: Any) -> list[set[int]]:
    return [set(np.flatnonzero(u)) for u in model.coefs_[0].T]


@pytest.mark.parametrize(
    ("given", "most"), [("pairwise", 2), ("no_interactions", 1), ([{0, 1}, {2}], 2), ([[1, 2], (0, 1)], 2)]
)
def test_units_see_one_group(given: Any, most: int) -> None:
    model = MLPRegressor(0.02, interaction_cst=given, random_state=0).fit(X, y)
    check_fitted(model, X, y)
    assert (model.status_, model.certificate_.scope) == ("optimal", "global")
    allowed = [set(group) for group in feature_groups(given, 4)]
    assert all(len(seen) <= most and any(seen <= group for group in allowed) for seen in features_of(model))


def test_more_freedom_fits_no_worse() -> None:
    alone, pairwise, free = (
        MLPRegressor(0.02, interaction_cst=given, random_state=0).fit(X, y).certificate_
        for given in ("no_interactions", "pairwise", None)
    )
    assert alone.dual > pairwise.primal and pairwise.primal * (1 + 1e-9) >= free.dual


def test_groups_are_those_of_scikit_learn() -> None:
    """Features in no set are one more set together."""
    for given in ("pairwise", "no_interactions", [{0, 1}], [[2]], [(0, 1), (1, 2), (3,)]):
        theirs = HistGradientBoostingRegressor(interaction_cst=given, max_iter=1).fit(X, y)._check_interaction_cst(4)
        assert set(map(frozenset, feature_groups(given, 4))) == set(map(frozenset, theirs))


@pytest.mark.parametrize(
    "given", ["pairs", 3, [], [0, 1], [[]], [[0, 4]], [[-1]], [["a"]], ["ab"], [[True]], [[0.0]], {"a": 1}]
)
def test_other_groups_are_refused(given: Any) -> None:
    if given == []:
        assert feature_groups(given, 4) == ((0, 1, 2, 3),)
        return
    with pytest.raises(InvalidParameterError, match="interaction_cst must be"):
        MLPRegressor(interaction_cst=given).fit(X, y)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"activation": "gated_relu"}, "activation"),
        ({"activation": "tanh"}, "activation"),
        ({"bias": "free"}, "bias"),
        ({"outputs": "shared"}, "outputs"),
        ({"n_layers": 3}, "n_layers"),
        ({"image_shape": (2, 2), "filter_size": 1}, "image_shape"),
    ],
)
def test_refusals_name_what_to_change(params: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"^{named}=.* is not for interaction_cst='pairwise'"):
        MLPRegressor(interaction_cst="pairwise", **params).fit(X, y)


@pytest.mark.parametrize("params", [{"activation": "abs", "bias": "none"}, {"radius": 1.0}, {"loss": "huber"}])
def test_other_units_and_losses(params: dict[str, Any]) -> None:
    model = MLPRegressor(0.05, interaction_cst="pairwise", random_state=0, **params).fit(X, y)
    check_fitted(model, X, y)
    assert model.certificate_.scope == "global" and model.certificate_.relative_gap <= 1e-3


def test_classes() -> None:
    for labels in ((y > np.median(y)).astype(int), np.digitize(y, [0.7, 1.5])):
        model = MLPClassifier(0.01, interaction_cst="pairwise", random_state=0).fit(X, labels)
        check_fitted(model, X, labels)
        assert model.status_ == "optimal" and model.score(X, labels) > 0.8


def test_the_pairs_are_found(tmp_path: Path) -> None:
    """The last feature says nothing: units that see it are small, and none is left at a stronger price."""
    model = MLPRegressor(0.1, interaction_cst="pairwise", random_state=0).fit(X, y)
    sizes = np.abs(model.network_.layers[1].weight[:, 0]) ** 2
    share = sum(s for s, seen in zip(sizes, features_of(model), strict=True) if 3 in seen) / sizes.sum()
    assert share < 0.01
    model.save(tmp_path / "model.npz")
    again = load_model(tmp_path / "model.npz")
    assert again.get_params() == model.get_params() and again.network_ == model.network_
    assert isinstance(again.certificate_.formulation.architecture, Grouped)
    again.certificate_.verify(X, y)
    import torch

    np.testing.assert_allclose(to_torch(model)(torch.tensor(X)).detach().numpy()[:, 0], model.predict(X), rtol=1e-9)


def test_files_keep_sets(tmp_path: Path) -> None:
    model = MLPRegressor(interaction_cst=[{0, 1}, frozenset({2, 3})], random_state=0).fit(X, y)
    model.save(tmp_path / "model.npz")
    again = load_model(tmp_path / "model.npz")
    again.certificate_.verify(X, y)
    assert again.fit(X, y).network_ == model.network_


def test_one_fit_leaves_rows_out_in_the_class() -> None:
    model = MLPRegressor(0.02, interaction_cst="pairwise", random_state=0, tol=1e-6).fit(X, y)
    without = model.leave_one_out_predictions(X, y)
    refitted = []
    for i in range(0, 80, 20):
        kept = np.delete(np.arange(80), i)
        other = MLPRegressor(0.02, interaction_cst="pairwise", random_state=0, tol=1e-6).fit(X[kept], y[kept])
        refitted.append(other.predict(X[[i]])[0])
    assert np.corrcoef(refitted, without[::20])[0, 1] > 0.99


def test_ten_features_are_proven_globally_in_seconds() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = MLPRegressor(interaction_cst="pairwise", random_state=0, tol=5e-3).fit(X, y)
    assert (model.status_, model.certificate_.scope) == ("optimal", "global")
    model.certificate_.verify(X, y)


def test_grid_search_and_warm_start() -> None:
    search = GridSearchCV(
        MLPRegressor(0.02, random_state=0), {"interaction_cst": ["no_interactions", "pairwise"]}, cv=2
    )
    assert search.fit(X, y).best_params_ == {"interaction_cst": "pairwise"}
    model = MLPRegressor(0.02, interaction_cst="pairwise", random_state=0, warm_start=True).fit(X, y)
    rounds = model.n_iter_
    assert model.fit(X, y).n_iter_ < rounds
    with pytest.raises(InvalidParameterError, match="warm_start=True cannot go on"):
        model.set_params(interaction_cst="no_interactions").fit(X, y)

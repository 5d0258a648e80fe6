"""Networks of pairs as sums of curves and maps: nothing is left out, nothing is counted twice."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from bidual import MLPClassifier, MLPRegressor
from bidual.analysis import Effects
from bidual.errors import InvalidDataError, RefusedError
from bidual.network import Layer, Network

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3)) * [1.0, 5.0, 0.2] + 1.0


@cache
def network() -> Network:
    """Seven units: of no feature, of one, and of two; two outputs."""
    W = np.zeros((3, 7))
    W[0, [1, 3, 4]], W[1, [2, 3, 5]], W[2, [4, 5, 6]] = rng.normal(size=(3, 3))
    return Network((Layer(W, rng.normal(size=7), "relu", 0.1), Layer(rng.normal(size=(7, 2)), rng.normal(size=2))))


def test_the_parts_add_up() -> None:
    effects = Effects(network(), X)
    assert set(effects.terms) == {(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)}
    new = 3 * rng.normal(size=(20, 3))
    total = effects.constant + sum(effects.contribution(term, new) for term in effects.terms)
    np.testing.assert_allclose(total, network()(new), atol=1e-12)


def test_every_part_has_mean_zero() -> None:
    effects = Effects(network(), X)
    for term in effects.terms:
        if len(term) == 1:
            np.testing.assert_allclose(effects.contribution(term, X).mean(axis=0), 0.0, atol=1e-12)
            continue
        for still, moving in (term, term[::-1]):
            rows = X.copy()
            rows[:, still] = 0.7
            np.testing.assert_allclose(effects.contribution(term, rows).mean(axis=0), 0.0, atol=1e-12)
            assert moving != still


def test_a_curve_is_the_partial_dependence() -> None:
    effects, points = Effects(network(), X), np.array([-1.0, 0.3, 2.0])
    curve = np.array([network()(np.column_stack([X[:, :1], np.full(60, v), X[:, 2:]])).mean(axis=0) for v in points])
    rows = np.zeros((3, 3))
    rows[:, 1] = points
    found = effects.contribution((1,), rows)
    np.testing.assert_allclose(np.diff(found, axis=0), np.diff(curve, axis=0), atol=1e-12)


def test_importances_are_standard_deviations() -> None:
    effects = Effects(network(), X)
    for term, size in zip(effects.terms, effects.importances, strict=True):
        np.testing.assert_allclose(size, effects.contribution(term, X).std(axis=0), atol=1e-12)
    sizes = np.linalg.norm(effects.importances, axis=1)
    assert (np.diff(sizes) <= 0).all()


def test_a_product_is_a_map_without_curves() -> None:
    """|x + y| - |x - y| on a grid that is even in both."""
    W = np.array([[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]])
    even = np.array(np.meshgrid(np.linspace(-1, 1, 11), np.linspace(-1, 1, 11))).reshape(2, -1).T
    product = Network((Layer(W, np.zeros(4), "relu"), Layer(np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.zeros(1))))
    effects = Effects(product, even)
    assert effects.terms[0] == (0, 1)
    np.testing.assert_allclose(effects.importances[1:], 0.0, atol=1e-12)


def test_estimators_answer_in_the_users_units() -> None:
    y = 100 + 10 * np.abs(X[:, 0] - 1) + X[:, 1] * (X[:, 2] > 1)
    model = MLPRegressor(0.02, interaction_cst="pairwise", random_state=0, tol=1e-2).fit(X, y)
    effects = model.effects(X)
    total = effects.constant + sum(effects.contribution(term, X) for term in effects.terms)
    np.testing.assert_allclose(total[:, 0], model.predict(X), rtol=1e-9)
    assert (1, 2) in effects.terms[:4]
    classes = MLPClassifier(0.01, interaction_cst="pairwise", random_state=0, tol=1e-2).fit(X, y > np.median(y))
    effects = classes.effects(X)
    total = effects.constant + sum(effects.contribution(term, X) for term in effects.terms)
    np.testing.assert_allclose(total[:, 0], classes.decision_function(X), rtol=1e-9)


def test_networks_of_three_features_are_refused() -> None:
    model = MLPRegressor(0.05, random_state=0, tol=1e-2).fit(X, X.sum(axis=1))
    with pytest.raises(RefusedError, match=r"sees the features \[0, 1, 2\].*interaction_cst='pairwise'"):
        model.effects(X)
    with pytest.raises(InvalidDataError, match="X must have shape"):
        Effects(network(), X[:, :2])

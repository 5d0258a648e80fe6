"""Networks of three layers and more, as the estimators have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from bidual import load_model
from bidual.errors import InvalidParameterError, RefusedError

from .cases import BOTH, NEW, THREE, TWO, Estimator, X, Y, check_fitted, classifier, regressor

GATED: dict[str, Any] = {"activation": "gated_relu", "n_branches": 4, "branch_width": 5, "n_patterns": 1000}

FEW, SOME = slice(0, 6), {"n_patterns": 12, "n_branches": 4}
MORE = np.random.default_rng(5).normal(size=(14, 2))
SPIKE = np.arange(-2.0, 3.0)[:, None], np.eye(5)[2]

KINDS: dict[str, tuple[Estimator, Any, Any]] = {
    "relu": (regressor(n_layers=3), X[FEW], Y[FEW]),
    "relu, two targets": (regressor(n_layers=3), X[FEW], BOTH[FEW]),
    "relu, no bias": (regressor(n_layers=3, bias="none", fit_intercept=False), X[FEW], Y[FEW]),
    "relu, budget": (regressor(n_layers=3, radius=0.5), X[FEW], Y[FEW]),
    "relu, raw": (regressor(n_layers=3, standardize=False), X[FEW] + 1.0, Y[FEW]),
    "relu, classes": (classifier(n_layers=3, loss="squared_hinge"), X[FEW], THREE[FEW]),
    "relu, sampled": (regressor(n_layers=3, **SOME), MORE, np.abs(MORE[:, 0])),
    "relu, sampled, budget": (regressor(n_layers=3, radius=0.5, **SOME), MORE, np.abs(MORE[:, 0])),
    "relu, sampled, classes": (classifier(n_layers=3, **SOME), MORE, MORE[:, 0] > MORE[:, 1]),
    "gated": (regressor(n_layers=3, **GATED), X, Y),
    "gated, four layers": (regressor(n_layers=4, **GATED), X, Y),
    "gated, no bias": (regressor(n_layers=3, bias="none", **GATED), X, Y),
    "gated, shared": (regressor(n_layers=3, outputs="shared", **GATED), X, BOTH),
    "gated, fixed": (regressor(n_layers=3, solver="fixed_patterns", **GATED), X, Y),
    "gated, budget": (regressor(n_layers=3, radius=0.5, **GATED), X, Y),
    "gated, raw": (regressor(n_layers=3, standardize=False, **GATED), X + 1.0, Y),
    "gated, two classes": (classifier(n_layers=3, **GATED), X, TWO),
    "gated, classes": (classifier(n_layers=5, **GATED), X, THREE),
}


def case(kind: str) -> tuple[Estimator, Any, Any]:
    """A model that is not fitted, its rows and its targets."""
    model, rows, y = KINDS[kind]
    return clone(model), rows, y


def by_hand(model: Estimator, rows: np.ndarray) -> np.ndarray:
    """(n, c): the outputs, from the public weights and gates alone."""
    if model.activation == "relu":
        (W, w, a), (b, c, d) = model.coefs_, model.intercepts_
        H = [np.maximum(rows @ W[k] + b[k], 0) @ w[k] + c[k] for k in range(len(W))]
        return sum(np.maximum(z, 0) @ a[k] + d[k] for k, z in enumerate(H))
    (U, A), (u, a) = model.coefs_, model.intercepts_
    gates, paths = model.gates_
    opened = np.ones((len(rows), U.shape[1]), dtype=bool)
    for j, path in enumerate(paths.T):
        H = rows
        for weight, bias, unit in zip(gates.weights, gates.biases, path[1:], strict=True):
            z = H @ weight[path[0]] + bias[path[0]]
            opened[:, j] &= z[:, unit] >= 0
            H = np.maximum(z, 0)
    return (opened * (rows @ U + u)) @ A + a


@pytest.mark.parametrize("kind", KINDS)
def test_fit_predict_prove_save(kind: str, tmp_path: Path) -> None:
    model, rows, y = case(kind)
    model.fit(rows, y)
    whole = model.activation == "relu" and "sampled" not in kind
    assert model.status_ == ("optimal" if whole else "optimal_on_patterns")
    assert model.certificate_.scope == ("global" if whole else "patterns")
    assert model.n_layers_ == model.n_layers + 1 and model.n_neurons_ > 0
    check_fitted(model, rows, y)
    outputs = getattr(model, "decision_function", model.predict)(NEW).reshape(len(NEW), -1)
    np.testing.assert_allclose(by_hand(model, NEW), outputs, atol=1e-10)
    model.save(tmp_path / "model.npz")
    again = load_model(tmp_path / "model.npz")
    assert again.get_params() == model.get_params() and again.network_ == model.network_
    np.testing.assert_array_equal(again.predict(NEW), model.predict(NEW))
    check_fitted(again, rows[::-1], y[::-1])


@pytest.mark.parametrize("kind", ["relu", "relu, sampled", "gated"])
def test_rows_have_no_order_and_weights_repeat_them(kind: str) -> None:
    model, rows, y = case(kind)
    expected = model.fit(rows, y).predict(NEW)
    np.testing.assert_array_equal(model.fit(rows[::-1], y[::-1]).predict(NEW), expected)
    weights = np.arange(len(rows)) % 3
    weighted = model.fit(rows, y, weights).predict(NEW)
    np.testing.assert_array_equal(model.fit(rows.repeat(weights, axis=0), y.repeat(weights)).predict(NEW), weighted)


@pytest.mark.parametrize("beta", [0.05, 0.1])
def test_the_spike(beta: float) -> None:
    """Its least objective is known: 3 beta - 11 beta^2 / 2 for beta <= 1/5, less than that of two layers."""
    model = regressor(n_layers=3, alpha=beta / 5, tol=1e-6, standardize=False, fit_intercept=False).fit(*SPIKE)
    assert 5 * model.certificate_.primal == pytest.approx(3 * beta - 5.5 * beta**2, rel=1e-6)
    assert model.certificate_.scope == "global"
    two = model.set_params(n_layers=2).fit(*SPIKE).certificate_
    assert 5 * two.dual > 1.05 * (3 * beta - 5.5 * beta**2)


def test_sampled_sub_networks_are_no_worse_than_two_layers_on_the_same_patterns() -> None:
    model, rows, y = case("relu, sampled")
    three = model.set_params(tol=1e-5).fit(rows, y).certificate_
    two = model.set_params(n_layers=2, solver="fixed_patterns").fit(rows, y).certificate_
    assert three.primal <= two.primal * (1 + 1e-5)


@pytest.mark.parametrize("kind", ["relu", "relu, sampled", "gated"])
def test_warm_start_goes_on(kind: str) -> None:
    model, rows, y = case(kind)
    cold = model.fit(rows, y).certificate_.primal
    warm = model.set_params(warm_start=True).fit(rows, y)
    assert warm.history_[1].primal <= cold * (1 + 1e-9)


def test_what_is_for_two_layers_is_refused() -> None:
    model, rows, y = case("relu")
    model.fit(rows, y)
    with pytest.raises(RefusedError, match="use ReLU units, or refit"):
        model.influence(rows, y)
    with pytest.raises(RefusedError, match="fit a network of two layers"):
        model.rashomon_interval(rows[:1], rows, y)


def test_warm_start_with_other_gates() -> None:
    model, rows, y = case("gated")
    model.fit(rows, y).set_params(warm_start=True, random_state=1)
    with pytest.raises(InvalidParameterError, match="random_state, too, where deep gates are drawn"):
        model.fit(rows, y)


def test_gates_that_are_never_open() -> None:
    model, rows, y = case("gated")
    with pytest.raises(RefusedError, match="none of the drawn gates is open at any row; draw more branches"):
        model.set_params(n_branches=1).fit(rows, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_layers": 1}, "n_layers must be an integer of at least 2, got 1"),
        ({"n_layers": 3.0}, "n_layers must be an integer"),
        ({"n_branches": 0}, "n_branches must be an integer of at least 1"),
        ({"branch_width": None}, "branch_width must be an integer of at least 1"),
        ({"n_layers": 4}, "n_layers=4 is not trained with activation='relu'; set n_layers=3, or"),
        ({"n_layers": 3, "image_shape": (1, 2)}, "n_layers=3 has no filters; set n_layers=2, or image_shape=None"),
        ({"n_layers": 3, "activation": "linear"}, "use DeepLinearRegressor, or set n_layers=2"),
        ({"n_layers": 3, "activation": "tanh"}, "set n_layers=2, or activation='relu' or 'gated_relu'"),
        ({"n_layers": 3, "activation": "leaky_relu"}, "is not trained with activation='leaky_relu'"),
        ({"n_layers": 3, "bias": "free"}, "bias='free' has no finite score bound"),
        ({"n_layers": 3, "bias": "free", "activation": "gated_relu"}, "bias='free' has no finite"),
        ({"n_layers": 3, "outputs": "shared"}, "use outputs='separate'"),
        ({"n_layers": 3, "solver": "working_set"}, "solver='working_set' is not known to ReLU networks of three"),
        ({"n_layers": 3, "oracle": "enumerated"}, "oracle='enumerated' is not known to ReLU networks of three"),
        ({"n_layers": 3, "max_neurons": 3}, "max_neurons=3 is not known to ReLU networks of three layers"),
        ({"n_layers": 3, "memory_limit": 1e9}, "memory_limit"),
        ({"solver": "wide_program"}, "solver='wide_program' refuses this problem .*ParallelReLU3"),
        ({"n_layers": 3, "activation": "gated_relu", "solver": "wide_program"}, "refuses this problem"),
        ({"n_layers": 3, "activation": "gated_relu", "oracle": "enumerated"}, "sample its paths"),
    ],
)
def test_refusals(params: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidParameterError, RefusedError), match=message):
        regressor(**params).fit(X, Y)

"""A fit ends for a stated reason, with a network, a proof and weights that say the same."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning

from bidual import load_model
from bidual.errors import InvalidParameterError
from bidual.operators.device import Device
from bidual.solvers import Record

from .cases import BOTH, NEW, THREE, TWO, Estimator, X, Y, check_fitted, classifier, regressor

LINE = np.linspace(-1, 1, 10)[:, None]
ROOF = np.abs(LINE[:, 0]) + 0.1 * np.cos(9 * LINE[:, 0])
WIDE = np.random.default_rng(1).normal(size=(60, 10))
ROOFS = np.maximum(WIDE[:, 0], 0) - np.maximum(WIDE[:, 1], 0)


def test_optimal_in_one_dimension() -> None:
    model = regressor(alpha=0.01, tol=1e-6).fit(LINE, ROOF)
    assert (model.status_, model.certificate_.scope) == ("optimal", "global")
    assert model.certificate_.relative_gap <= 1e-6
    assert model.loss_ == pytest.approx(0.0660, abs=1e-4)
    check_fitted(model, LINE, ROOF)


def test_optimal_on_patterns() -> None:
    model = regressor(alpha=0.02).fit(WIDE, ROOFS)
    assert (model.status_, model.certificate_.scope) == ("optimal_on_patterns", "patterns")
    assert max(model.certificate_.relative_gap, model.certificate_.relative_priced_gap) <= 1e-3
    check_fitted(model, WIDE, ROOFS)


def test_fixed_patterns_on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bidual.estimators.parameters.choose_device", lambda device: "cpu:0")
    used = []
    monkeypatch.setattr("bidual.operators.masked.Device", lambda name: used.append(name) or Device(name))
    model = regressor(activation="gated_relu", solver="fixed_patterns", device="cuda").fit(WIDE, ROOFS)
    assert "cpu:0" in used and model.status_ == "optimal_on_patterns"
    check_fitted(model, WIDE, ROOFS)


def interrupt(record: Record) -> None:
    if record.iteration == 1:
        raise KeyboardInterrupt


LIMITS: dict[str, tuple[dict[str, Any], str]] = {
    "time_limit": ({"time_limit": 1e-9}, "raise time_limit, raise tol, or go on with warm_start=True"),
    "iteration_limit": ({"max_iter": 1, "tol": 1e-9}, "raise max_iter, raise tol, or go on with warm_start=True"),
    "interrupted": ({"callback": interrupt, "tol": 1e-9}, "go on with warm_start=True"),
    "neuron_limit": ({"max_neurons": 1}, "raise max_neurons, or raise alpha"),
}


@pytest.mark.parametrize("status", LIMITS)
@pytest.mark.parametrize(("rows", "y"), [(LINE, ROOF), (WIDE, ROOFS)], ids=["narrow", "wide"])
def test_limits_keep_the_best_network(status: str, rows: np.ndarray, y: np.ndarray) -> None:
    params, remedy = LIMITS[status]
    model = regressor(alpha=0.01, **params)
    with pytest.warns(ConvergenceWarning, match=f"'{status}': relative gap .*{remedy}") as warned:
        model.fit(rows, y)
    assert warned[0].filename == __file__
    assert model.status_ == status and model.certificate_.relative_gap > 1e-3
    assert model.loss_ == min(model.loss_curve_) <= model.history_[0].primal
    if status == "neuron_limit":
        assert model.n_neurons_ == 1
    check_fitted(model, rows, y)


@pytest.mark.parametrize("status", ["time_limit", "iteration_limit", "interrupted"])
def test_limits_of_a_classifier(status: str) -> None:
    model = classifier(alpha=1e-3, **LIMITS[status][0])
    with pytest.warns(ConvergenceWarning, match=status):
        model.fit(X, THREE)
    check_fitted(model, X, THREE)
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1)


def test_a_callback_stops_without_a_warning() -> None:
    seen: list[Record] = []
    model = regressor(alpha=1e-3, tol=1e-9, callback=lambda record: seen.append(record) or len(seen) == 2)
    model.fit(LINE, ROOF)
    assert model.status_ == "callback_stopped" and tuple(seen) == model.history_ and len(seen) == 2
    check_fitted(model, LINE, ROOF)


def test_history() -> None:
    model = regressor(alpha=0.01, tol=1e-6).fit(X, Y)
    primal, dual, seconds = (np.array([getattr(r, k) for r in model.history_]) for k in ("primal", "dual", "seconds"))
    assert [record.iteration for record in model.history_] == list(range(len(primal)))
    assert model.history_[0].n_neurons == 0 and primal[0] == pytest.approx(0.5)
    assert (np.diff(primal) <= 0).all() and (np.diff(dual) >= 0).all() and (np.diff(seconds) >= 0).all()
    assert (dual <= primal).all() and model.loss_ == model.best_loss_ == primal[-1]
    assert model.n_iter_ == len(primal) - 1 and model.n_layers_ == 3


def test_verbose_prints_a_line_for_each_record(capsys: pytest.CaptureFixture[str]) -> None:
    model = regressor(verbose=1).fit(X, Y)
    out, err = capsys.readouterr()
    assert out == "" and err.count("[bidual]") == len(err.splitlines()) == len(model.history_)


@pytest.mark.parametrize("rows", [X, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("params", [{}, {"activation": "gated_relu"}, {"solver": "fixed_patterns"}], ids=str)
def test_the_same_seed_gives_the_same_bits(rows: np.ndarray, params: dict[str, Any]) -> None:
    y = Y if rows is X else ROOFS
    fits = [regressor(**params | {"alpha": 0.2, "random_state": 3}).fit(rows, y) for _ in range(2)]
    for a, b in zip(*(model.coefs_ + model.intercepts_ for model in fits), strict=True):
        np.testing.assert_array_equal(a, b)
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = regressor(**params | {"alpha": 0.2, "random_state": 3}).fit(rows[order], y[order])
    np.testing.assert_array_equal(shuffled.coefs_[0], fits[0].coefs_[0])


def test_random_states() -> None:
    for state in (None, 5, np.int64(5), np.random.RandomState(5), 2**70):
        assert regressor(random_state=state).fit(X, Y).loss_ == pytest.approx(regressor().fit(X, Y).loss_, rel=2e-3)


def by_hand(model: Estimator, rows: np.ndarray) -> np.ndarray:
    """The network on raw data, from the documented attributes alone."""
    (U, A), (b, c) = model.coefs_, model.intercepts_
    Z = rows @ U + b
    if model.gates_ is not None:
        H = Z * (rows @ model.gates_[0] + model.gates_[1] >= 0)
    else:
        slope = {"relu": 0.0, "leaky_relu": 0.01, "abs": -1.0, "linear": 1.0, "identity": 1.0}[model.activation]
        H = np.where(Z > 0, Z, slope * Z)
    return H @ A + c


RAW = 100 * X + [30, -7]
NO_FREE_BIAS = ("gated_relu", "linear", "identity")


def refuse_a_free_bias(model: Estimator, y: np.ndarray) -> None:
    with pytest.raises(InvalidParameterError, match="^bias='free'.* use "):
        model.fit(X, y)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs", "gated_relu", "linear", "identity"])
@pytest.mark.parametrize(
    "params", [{}, {"standardize": False}, {"bias": "none"}, {"bias": "free"}, {"fit_intercept": False}], ids=str
)
def test_weights_reproduce_predictions(activation: str, params: dict[str, Any]) -> None:
    rows = X if "standardize" in params else RAW
    if params.get("bias") == "free" and activation in NO_FREE_BIAS:
        return refuse_a_free_bias(regressor(activation=activation, **params), Y)
    for y in (5 * Y + 2, BOTH):
        model = regressor(activation=activation, **params).fit(rows, y)
        F = by_hand(model, rows).reshape(y.shape)
        assert model.n_neurons_ > 0 and F.std() > 0.1
        np.testing.assert_allclose(model.predict(rows), F, rtol=1e-9, atol=1e-9)
        assert (model.n_outputs_, model.out_activation_) == (1 if y.ndim == 1 else 2, "identity")
        if params.get("bias") == "none":
            assert not model.intercepts_[0].any()
        if "fit_intercept" in params:
            assert not model.intercepts_[1].any()


@pytest.mark.parametrize("activation", ["relu", "gated_relu", "leaky_relu"])
@pytest.mark.parametrize("loss", ["log_loss", "squared_hinge"])
def test_weights_reproduce_classes(activation: str, loss: str) -> None:
    for y in (TWO, THREE):
        model = classifier(activation=activation, loss=loss, tol=1e-2).fit(RAW, y)
        F = by_hand(model, RAW)
        scores = F[:, 0] if y is TWO else F
        np.testing.assert_allclose(model.decision_function(RAW), scores, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(model.predict(RAW), F[:, 0] > 0 if y is TWO else F.argmax(axis=1))
        final = (
            {TWO.tobytes(): "logistic", THREE.tobytes(): "softmax"}[y.tobytes()] if loss == "log_loss" else "identity"
        )
        assert model.out_activation_ == final


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_probabilities(y: np.ndarray) -> None:
    model = classifier().fit(X, y)
    p, F = model.predict_proba(NEW), model.decision_function(NEW)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(
        p, np.column_stack([expit(-F), expit(F)]) if y is TWO else softmax(F, axis=1), rtol=1e-12
    )
    np.testing.assert_allclose(model.predict_log_proba(NEW), np.log(p), rtol=1e-9)
    np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], model.predict(NEW))
    far = model.predict_log_proba(1e6 * NEW)
    assert np.isfinite(far).all() and far.min() < -800  # where the probability itself is 0


@pytest.mark.parametrize("bias", ["penalized", "free"])
def test_units_of_a_column_do_not_matter(bias: str) -> None:
    model, other = (regressor(tol=1e-9, bias=bias) for _ in range(2))
    change = lambda rows: rows * [1000.0, 0.37] + [-3.0, 40.0]  # noqa: E731
    model.fit(X, Y)
    other.fit(change(X), 7 * Y - 2)
    assert other.loss_ == pytest.approx(model.loss_, rel=1e-9)
    expected = 7 * model.predict(NEW) - 2
    np.testing.assert_allclose(other.predict(change(NEW)), expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(("make", "y"), [(regressor, Y), (classifier, TWO), (classifier, THREE)])
def test_a_weight_is_a_number_of_rows(make: Any, y: np.ndarray) -> None:
    k = np.arange(12) % 4
    weighted, repeated = make(tol=1e-2).fit(X, y, k), make(tol=1e-2).fit(np.repeat(X, k, axis=0), np.repeat(y, k))
    for a, b in zip(weighted.coefs_ + weighted.intercepts_, repeated.coefs_ + repeated.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert weighted.loss_ == repeated.loss_ and not np.array_equal(weighted.coefs_[0], make().fit(X, y).coefs_[0])


@pytest.mark.parametrize(
    ("make", "rows", "y"), [(regressor, WIDE, ROOFS), (classifier, X, THREE)], ids=["regressor", "classifier"]
)
def test_warm_start(make: Any, rows: np.ndarray, y: np.ndarray) -> None:
    cold = make(alpha=0.2 if rows is WIDE else 0.02).fit(rows, y)
    warm = make(alpha=0.2 if rows is WIDE else 0.02, warm_start=True).fit(rows, y)
    again = warm.n_iter_, warm.loss_
    warm.fit(rows, y)
    assert again == (cold.n_iter_, cold.loss_) and warm.n_iter_ <= cold.n_iter_
    assert warm.loss_ == pytest.approx(cold.loss_, rel=2e-3)
    check_fitted(warm, rows, y)
    warm.set_params(alpha=2 * warm.alpha).fit(3 * rows + 1, y)
    assert warm.loss_ == pytest.approx(make(alpha=warm.alpha).fit(rows, y).loss_, rel=2e-3)


def test_going_on_after_a_limit() -> None:
    model = regressor(max_iter=1, tol=1e-6, warm_start=True)
    with pytest.warns(ConvergenceWarning, match="iteration_limit"):
        model.fit(X, Y)
    before = model.loss_
    model.set_params(max_iter=100).fit(X, Y)
    assert model.status_ == "optimal" and model.loss_ <= before
    assert model.loss_ == pytest.approx(regressor(tol=1e-6).fit(X, Y).loss_, rel=2e-6)


def test_a_radius_is_a_price() -> None:
    """The size found at a price, given as a radius, gives the same network."""
    priced = regressor(tol=1e-9).fit(X, Y)
    size = sum(np.linalg.norm(np.vstack([layer.weight, layer.bias]), axis=0) for layer in priced.network_.layers[:1])
    total = float(size @ np.abs(priced.network_.layers[1].weight[:, 0]))
    bounded = regressor(tol=1e-9, radius=total).fit(X, Y)
    assert priced.loss_ == pytest.approx(bounded.loss_ + 0.05 * total, rel=1e-7)
    np.testing.assert_allclose(bounded.predict(X), priced.predict(X), atol=1e-4)


@pytest.mark.parametrize("solver", ["working_set", "fixed_patterns", "conic"])
def test_solvers_agree(solver: str) -> None:
    if solver == "conic":
        pytest.importorskip("cvxpy")
    model = regressor(solver=solver, n_patterns=2000, tol=1e-3).fit(X, Y)
    assert model.loss_ == pytest.approx(regressor(tol=1e-6).fit(X, Y).loss_, rel=2e-3)
    check_fitted(model, X, Y)


REGRESSIONS = ["squared_error", "huber"]
CLASSIFICATIONS = ["log_loss", "hinge", "squared_hinge", "squared_error"]
ACTIVATIONS = ["relu", "leaky_relu", "abs", "gated_relu", "linear"]
BIASES = {"penalized": True, "free": True, "none": False}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", [*(("r", loss) for loss in REGRESSIONS), *(("c", loss) for loss in CLASSIFICATIONS)])
def test_every_combination_is_proven(activation: str, loss: tuple[str, str]) -> None:
    make, y = (regressor, BOTH[:5]) if loss[0] == "r" else (classifier, np.arange(5) % 3)
    for (bias, intercept), outputs in product(BIASES.items(), ["separate", "shared"]):
        model = make(
            alpha=0.3,
            loss=loss[1],
            activation=activation,
            bias=bias,
            outputs=outputs,
            fit_intercept=intercept,
            tol=0.05,
            max_iter=20,
        )
        if bias == "free" and activation in NO_FREE_BIAS:
            refuse_a_free_bias(model, THREE)
            continue
        model.fit(X[:5], y)
        check_fitted(model, X[:5], y)
        assert (model.certificate_.relative_gap <= 0.05) == model.status_.startswith("optimal"), (bias, outputs)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (regressor(), Y),
        (regressor(activation="gated_relu"), BOTH),
        (regressor(radius=1.5, standardize=False), Y),
        (classifier(), THREE),
        (classifier(), np.array(["no", "yes"])[TWO]),
        (classifier(loss="hinge"), np.array(["no", "yes"], dtype=object)[TWO]),
    ],
    ids=["relu", "gated", "raw ball", "three", "words", "hinge"],
)
def test_files(tmp_path: Path, model: Estimator, y: np.ndarray) -> None:
    model.fit(X, y).save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert type(loaded) is type(model) and loaded.get_params() == model.get_params()
    np.testing.assert_array_equal(loaded.predict(NEW), model.predict(NEW))
    assert loaded.predict(NEW).dtype == model.predict(NEW).dtype
    for a, b in zip(loaded.coefs_ + loaded.intercepts_, model.coefs_ + model.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (loaded.status_, loaded.history_, loaded.n_iter_) == (model.status_, model.history_, model.n_iter_)
    check_fitted(loaded, X, y)
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()

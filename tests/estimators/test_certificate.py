"""The certificate of a fit proves itself from raw data, and whoever changes it proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from bidual import load_model
from bidual.architectures import Patterns
from bidual.certificate import Certificate
from bidual.errors import CertificateError, InvalidDataError
from bidual.estimators import FittedCertificate
from bidual.estimators.scaling import Scaling
from bidual.estimators.targets import RealTargets
from bidual.files import read_arrays, write_arrays
from bidual.network import Layer, Network
from bidual.penalties import Ball, Strength

from .cases import BOTH, THREE, TWO, Estimator, X, Y, check_fitted, classifier, regressor

WIDE = np.random.default_rng(1).normal(size=(60, 10))
ROOFS = np.maximum(WIDE[:, 0], 0) - np.maximum(WIDE[:, 1], 0)

MODELS: dict[str, tuple[Callable[[], Estimator], np.ndarray, Any]] = {
    "numbers": (regressor, X, Y),
    "columns": (regressor, X, BOTH),
    "shared": (lambda: regressor(outputs="shared", alpha=0.3), X, BOTH),
    "two classes": (classifier, X, TWO),
    "three classes": (classifier, X, THREE),
    "words": (classifier, X, np.array(["no", "yes"], dtype=object)[TWO]),
    "hinge": (lambda: classifier(loss="hinge"), X, TWO),
    "raw": (lambda: regressor(standardize=False), X, Y),
    "gated": (lambda: regressor(activation="gated_relu"), X, Y),
    "linear": (lambda: regressor(activation="linear"), X, BOTH),
    "radius": (lambda: regressor(radius=1.0), X, Y),
    "patterns": (lambda: regressor(alpha=0.02), WIDE, ROOFS),
}


@pytest.fixture(scope="module")
def fitted() -> Callable[[str], Estimator]:
    """The model of a name, fitted once."""
    kept: dict[str, Estimator] = {}

    def fit(name: str) -> Estimator:
        if name not in kept:
            make, rows, y = MODELS[name]
            unproven = pytest.warns(ConvergenceWarning, match="not proven") if name == "shared" else nullcontext()
            with unproven:
                kept[name] = make().fit(rows, y)
        return kept[name]

    return fit


Fitted = Callable[[str], Estimator]


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_proves_itself(fitted: Fitted, name: str) -> None:
    model, (_, rows, y) = fitted(name), MODELS[name]
    loose = {"patterns": "optimal_on_patterns", "shared": "no_better_found"}
    assert model.status_ == loose.get(name, "optimal")
    check_fitted(model, rows, y)
    order = np.random.default_rng(0).permutation(len(rows))
    model.certificate_.verify(rows[order], y[order])
    model.certificate_.verify(np.repeat(rows, 3, axis=0), np.repeat(y, 3, axis=0))


@pytest.mark.parametrize(("make", "y"), [(regressor, Y), (classifier, TWO), (classifier, THREE)])
def test_with_weights(make: Callable[[], Estimator], y: np.ndarray) -> None:
    weights = np.arange(12) % 4 + 0.0
    model = make().fit(X, y, weights)
    check_fitted(model, X, y, weights)
    model.certificate_.verify(X, y, 7 * weights)
    order = np.random.default_rng(0).permutation(12)
    model.certificate_.verify(X[order], y[order], weights[order])
    model.certificate_.verify(X[weights > 0], y[weights > 0], weights[weights > 0])
    for wrong in (None, weights + 1, weights[::-1]):
        with pytest.raises(CertificateError):
            model.certificate_.verify(X, y, wrong)


@pytest.mark.parametrize("name", MODELS)
def test_other_data(fitted: Fitted, name: str) -> None:
    model, (_, rows, y) = fitted(name), MODELS[name]
    nudged = rows.copy()
    nudged[3, 1] += 1e-3
    cases = [(nudged, y), (2 * rows, y), (rows[1:], y[1:]), (rows[::-1], y), (rows, np.roll(y, 1, axis=0))]
    for other_rows, other_y in cases:
        with pytest.raises(CertificateError):
            model.certificate_.verify(other_rows, other_y)


def test_other_targets(fitted: Fitted) -> None:
    nudged = Y + np.where(np.arange(12) == 5, 1e-3, 0.0)
    for wrong in (nudged, Y + 1, 2 * Y, -Y):
        with pytest.raises(CertificateError):
            fitted("numbers").certificate_.verify(X, wrong)
    flipped = TWO.copy()
    flipped[0] = 1 - flipped[0]
    for wrong in (flipped, 1 - TWO):
        with pytest.raises(CertificateError):
            fitted("two classes").certificate_.verify(X, wrong)
    with pytest.raises(InvalidDataError, match="the label .*2"):
        fitted("two classes").certificate_.verify(X, THREE)


def in_core(**change: Any) -> Callable[[FittedCertificate], FittedCertificate]:
    """Fields of the core, given as functions of it."""

    def tamper(certificate: FittedCertificate) -> FittedCertificate:
        core = certificate.core
        return replace(certificate, core=replace(core, **{name: value(core) for name, value in change.items()}))

    return tamper


def in_points(change: Callable[[Any], Any]) -> Callable[[FittedCertificate], FittedCertificate]:
    """Both dual points."""
    return in_core(point=lambda core: change(core.point), global_point=lambda core: change(core.global_point))


def in_bounds(**change: Callable[[Any], Any]) -> Callable[[FittedCertificate], FittedCertificate]:
    """Fields of the bounds of both points, where they are given, as functions of their values."""

    def tamper(point: Any) -> Any:
        kept = {key: value(getattr(point.bound, key)) for key, value in change.items() if getattr(point.bound, key)}
        return replace(point, bound=replace(point.bound, **kept))

    return in_points(tamper)


def in_network(layer: int, **change: Callable[[np.ndarray], np.ndarray]) -> Callable[[FittedCertificate], Any]:
    def tamper(certificate: FittedCertificate) -> FittedCertificate:
        layers = list(certificate.network.layers)
        layers[layer] = replace(layers[layer], **{k: f(getattr(layers[layer], k)) for k, f in change.items()})
        return replace(certificate, network=Network(tuple(layers)))

    return tamper


def in_formulation(**change: Callable[[Any], Any]) -> Callable[[FittedCertificate], FittedCertificate]:
    def tamper(certificate: FittedCertificate) -> FittedCertificate:
        before = certificate.formulation
        return replace(
            certificate, formulation=replace(before, **{k: f(getattr(before, k)) for k, f in change.items()})
        )

    return tamper


def bent(array: np.ndarray) -> np.ndarray:
    """The first entry a little larger."""
    array = array.copy()
    array.flat[0] += 1e-4 * np.abs(array).max()
    return array


def fewer(patterns: Patterns) -> Patterns:
    return Patterns(patterns.masks[:, 1:], patterns.gates[:, 1:])


def flipped(patterns: Patterns) -> Patterns:
    masks = patterns.masks.copy()
    masks[0, 0] ^= True
    return Patterns(masks, patterns.gates)


def twice(patterns: Patterns) -> Patterns:
    """As many, but one of them a copy of another."""
    order = np.append(0, np.arange(len(patterns) - 1))
    return Patterns(patterns.masks[:, order], patterns.gates[:, order])


def silenced(certificate: FittedCertificate) -> FittedCertificate:
    """The network without its neurons, and the primal that goes with it."""
    hidden, last = certificate.network.layers
    nothing = Network((hidden, Layer(np.zeros_like(last.weight), last.bias)))
    return replace(certificate, network=nothing)


def scaled(encoding: Any, **change: Any) -> Any:
    inputs = encoding.inputs
    fields = {"unit": inputs.unit, "center": inputs.center, "scale": inputs.scale}
    return replace(encoding, inputs=Scaling(**(fields | {k: f(fields[k]) for k, f in change.items()})))


TAMPERED: dict[str, tuple[Callable[[FittedCertificate], FittedCertificate], str]] = {
    "primal lowered": (in_core(primal=lambda core: core.primal * (1 - 1e-6)), "^primal is stated"),
    "primal raised": (in_core(primal=lambda core: core.primal * 1.1), "^primal is stated"),
    "primal NaN": (in_core(primal=lambda core: np.nan), "^primal is stated"),
    "dual raised": (in_core(dual=lambda core: core.dual + 1e-6 * core.primal), "^dual is stated"),
    "dual above the primal": (in_core(dual=lambda core: 1.1 * core.primal), "^dual is stated"),
    "dual NaN": (in_core(dual=lambda core: np.nan), "^dual is stated"),
    "global dual raised": (
        in_core(global_dual=lambda core: core.global_dual + 1e-6 * core.primal),
        "^global_dual is stated",
    ),
    "method renamed": (in_core(method=lambda core: "norms"), "^method is stated as 'norms'"),
    "global method renamed": (in_core(global_method=lambda core: "closed form"), "^global_method is stated"),
    "scope renamed": (in_core(scope=lambda core: "patterns"), "^scope is stated as 'patterns'"),
    "priced gap negative": (in_core(priced_gap=lambda core: -1e-3), "^priced_gap .* is negative"),
    "priced gap large": (in_core(priced_gap=lambda core: 10 * core.primal), "^priced_gap .* larger"),
    "priced gap NaN": (in_core(priced_gap=lambda core: np.nan), "^priced_gap nan"),
    "dual vector bent": (in_points(lambda point: replace(point, V=bent(point.V))), "."),
    "dual vector 0": (in_points(lambda point: replace(point, V=0 * point.V)), "^dual is stated"),
    "dual vector longer": (in_points(lambda point: replace(point, V=1.01 * point.V)), "neuron bound is stated"),
    "bound lowered": (in_bounds(value=lambda value: 0.99 * value), "neuron bound is stated"),
    "bound negative": (in_bounds(value=lambda value: -value), "neuron bound is stated"),
    "bound NaN": (in_bounds(value=lambda value: np.nan), "neuron bound is stated"),
    "bound by norms": (in_bounds(method=lambda method: "norms"), "but only|is stated"),
    "bound by a closed form": (in_bounds(method=lambda method: "closed form"), "its proof is by"),
    "bound by nothing": (in_bounds(method=lambda method: "faith"), "'faith' proves nothing"),
    "no patterns": (in_bounds(patterns=lambda patterns: None), "needs its list of patterns"),
    "a pattern removed": (in_bounds(patterns=fewer, witness=lambda witness: None), "is not the list of all"),
    "a pattern twice": (in_bounds(patterns=twice), "is not the list of all"),
    "a mask changed": (in_bounds(patterns=flipped), "not the pattern of its gate"),
    "no witness": (in_bounds(witness=lambda witness: None), "neuron bound is stated"),
    "a negative multiplier": (
        in_bounds(witness=lambda witness: replace(witness, values=-witness.values)),
        "negative multipliers",
    ),
    "multipliers of 0": (
        in_bounds(witness=lambda witness: replace(witness, values=0 * witness.values)),
        "neuron bound is stated",
    ),
    "blocks exchanged": (
        in_bounds(witness=lambda witness: replace(witness, blocks=witness.blocks[::-1])),
        "neuron bound is stated",
    ),
    "a weight changed": (in_network(0, weight=bent), "^primal is stated"),
    "an output weight changed": (in_network(1, weight=bent), "^primal is stated"),
    "a bias changed": (in_network(0, bias=bent), "^primal is stated"),
    "an intercept changed": (
        in_network(1, bias=lambda bias: bias + 1e-3 * (np.arange(bias.size) == 0)),
        "^primal is stated",
    ),
    "an activation changed": (in_network(0, activation=lambda name: "linear"), "."),
    "a slope": (in_network(0, slope=lambda slope: 0.01), "."),
    "no neurons": (silenced, "^primal is stated"),
    "alpha lowered": (in_formulation(penalty=lambda penalty: Strength(0.9 * penalty.beta)), "^primal is stated"),
    "alpha raised": (in_formulation(penalty=lambda penalty: Strength(1.1 * penalty.beta)), "^primal is stated"),
    "a ball": (in_formulation(penalty=lambda penalty: Ball(100.0)), "^primal is stated"),
    "no intercept": (in_formulation(intercept=lambda intercept: False), "."),
    "not standardised": (in_formulation(standardize=lambda standardize: False), "another encoding"),
    "no bias": (in_formulation(architecture=lambda architecture: replace(architecture, bias="none")), "."),
    "a free bias": (in_formulation(architecture=lambda architecture: replace(architecture, bias="free")), "."),
    "scale changed": (
        in_formulation(encoding=lambda encoding: scaled(encoding, scale=lambda scale: 1.01 * scale)),
        "another encoding",
    ),
    "center changed": (
        in_formulation(encoding=lambda encoding: scaled(encoding, center=lambda center: center + 1e-3)),
        "another encoding",
    ),
    "unit changed": (
        in_formulation(encoding=lambda encoding: scaled(encoding, unit=lambda unit: 2 * unit)),
        "another encoding",
    ),
    "targets not scaled": (
        in_formulation(encoding=lambda encoding: replace(encoding, targets=RealTargets(Scaling.none(1), True))),
        "another encoding",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering(fitted: Fitted, name: str) -> None:
    tamper, message = TAMPERED[name]
    model = fitted("numbers")
    assert model.certificate_.method == "enumeration" and model.n_neurons_ > 0
    with pytest.raises(CertificateError, match=message):
        tamper(model.certificate_).verify(X, Y)
    model.certificate_.verify(X, Y)


@pytest.mark.parametrize("name", ["gated", "linear", "patterns", "three classes", "radius", "raw"])
@pytest.mark.parametrize(
    "change",
    [
        "primal lowered",
        "dual raised",
        "global dual raised",
        "priced gap negative",
        "dual vector bent",
        "dual vector longer",
        "bound lowered",
        "a weight changed",
        "an output weight changed",
        "an intercept changed",
    ],
)
def test_tampering_with_other_models(fitted: Fitted, name: str, change: str) -> None:
    _, rows, y = MODELS[name]
    with pytest.raises(CertificateError):
        TAMPERED[change][0](fitted(name).certificate_).verify(rows, y)


def as_global(core: Certificate) -> Certificate:
    """The bound over patterns as one over every network, in every place."""
    point = replace(core.point, bound=replace(core.point.bound, scope="global", method="enumeration"))
    return replace(
        core,
        scope="global",
        method="enumeration",
        global_dual=core.dual,
        global_method="enumeration",
        point=point,
        global_point=point,
    )


PROMOTED: dict[str, tuple[Callable[[FittedCertificate], FittedCertificate], str]] = {
    "scope": (in_core(scope=lambda core: "global"), "^scope is stated as 'global' but was proven as 'patterns'"),
    "bound": (
        in_core(
            scope=lambda core: "global",
            point=lambda core: replace(core.point, bound=replace(core.point.bound, scope="global")),
        ),
        "'projection' proves nothing of scope 'global'",
    ),
    "everything": (lambda certificate: replace(certificate, core=as_global(certificate.core)), "lies on|is not"),
    "global dual": (
        in_core(
            global_dual=lambda core: core.dual,
            global_point=lambda core: core.point,
            global_method=lambda core: core.method,
        ),
        "^scope of the global bound is stated",
    ),
    "other patterns": (
        in_core(
            point=lambda core: replace(
                core.point, bound=replace(core.point.bound, patterns=Patterns(*nowhere(core)), witness=None)
            )
        ),
        ".",
    ),
}


def nowhere(core: Certificate) -> tuple[np.ndarray, np.ndarray]:
    """One pattern on which no row is active."""
    patterns = core.point.bound.patterns
    assert patterns is not None
    return np.zeros_like(patterns.masks[:, :1]), patterns.gates[:, :1]


@pytest.mark.parametrize("name", PROMOTED)
def test_patterns_are_not_everything(fitted: Fitted, name: str) -> None:
    tamper, message = PROMOTED[name]
    certificate = fitted("patterns").certificate_
    assert certificate.scope == "patterns" and certificate.dual > certificate.global_dual
    with pytest.raises(CertificateError, match=message):
        tamper(certificate).verify(WIDE, ROOFS)


EDITS: dict[str, Callable[[dict[str, Any], dict[str, np.ndarray]], Any]] = {
    "primal": lambda header, arrays: header["certificate"].update(primal=header["certificate"]["primal"] * 0.999),
    "dual": lambda header, arrays: header["certificate"].update(dual=header["certificate"]["primal"] * 1.001),
    "scope": lambda header, arrays: header["certificate"].update(scope="patterns"),
    "method": lambda header, arrays: header["certificate"].update(method="norms"),
    "bound": lambda header, arrays: header["certificate"]["point"].update(value=0.0),
    "alpha": lambda header, arrays: header["formulation"]["penalty"]["fields"].update(beta=0.049),
    "loss": lambda header, arrays: header["formulation"]["loss"].update(name="huber", fields={"delta": 0.1}),
    "bias": lambda header, arrays: header["formulation"]["architecture"]["fields"].update(bias="free"),
    "intercept": lambda header, arrays: header["formulation"].update(intercept=False),
    "standardize": lambda header, arrays: header["formulation"].update(standardize=False),
    "dual vector": lambda header, arrays: arrays.update({"certificate.point.V": bent(arrays["certificate.point.V"])}),
    "multipliers": lambda header, arrays: np.negative(
        arrays["certificate.point.witness.values"], out=arrays["certificate.point.witness.values"]
    ),
    "masks": lambda header, arrays: np.bitwise_xor(
        arrays["certificate.point.masks"], 128, out=arrays["certificate.point.masks"]
    ),
    "weight": lambda header, arrays: arrays.update({"network.0.weight": bent(arrays["network.0.weight"])}),
    "output bias": lambda header, arrays: arrays.update({"network.1.bias": bent(arrays["network.1.bias"])}),
    "scale": lambda header, arrays: np.multiply(
        arrays["formulation.inputs.scale"], 1.01, out=arrays["formulation.inputs.scale"]
    ),
    "unit": lambda header, arrays: np.multiply(
        arrays["formulation.targets.unit"], 2.0, out=arrays["formulation.targets.unit"]
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_tampering_with_a_file(fitted: Fitted, tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.npz"
    fitted("numbers").save(path)
    load_model(path).certificate_.verify(X, Y)
    header, arrays = read_arrays(path, "estimator")
    EDITS[name](header, arrays)
    write_arrays(path, "estimator", header, arrays)
    with pytest.raises(CertificateError):
        load_model(path).certificate_.verify(X, Y)


@pytest.mark.parametrize("change", [np.negative, lambda touch: 3.0 * touch, lambda touch: touch[:, ::-1]])
def test_tampering_with_enclosures_in_a_file(fitted: Fitted, tmp_path: Path, change: Callable[[Any], Any]) -> None:
    path = tmp_path / "model.npz"
    fitted("patterns").save(path)
    load_model(path).certificate_.verify(WIDE, ROOFS)
    header, arrays = read_arrays(path, "estimator")
    arrays["certificate.global_point.touch"] = change(arrays["certificate.global_point.touch"])
    write_arrays(path, "estimator", header, arrays)
    with pytest.raises(CertificateError, match="the neuron bound is stated as"):
        load_model(path).certificate_.verify(WIDE, ROOFS)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_keeps_the_proof(fitted: Fitted, tmp_path: Path, name: str) -> None:
    model, (_, rows, y) = fitted(name), MODELS[name]
    model.save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    check_fitted(loaded, rows, y)
    assert str(loaded.certificate_) == str(model.certificate_)
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    assert loaded.certificate_.core.primal == model.certificate_.core.primal
    assert loaded.certificate_.core.dual == model.certificate_.core.dual


def test_what_it_says(fitted: Fitted) -> None:
    certificate = fitted("patterns").certificate_
    assert certificate.gap == certificate.primal - certificate.dual
    assert certificate.relative_gap == certificate.gap / certificate.primal <= 1e-3
    assert certificate.relative_priced_gap == certificate.priced_gap / certificate.primal <= 1e-3
    assert certificate.global_relative_gap > 0.01
    assert (certificate.method, certificate.global_method) == ("projection", "semidefinite")
    assert "on the listed patterns" in str(certificate) and "priced" in str(certificate)
    assert "every network of any width" in str(fitted("numbers").certificate_)

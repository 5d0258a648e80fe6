"""Filters: what they promise, what one patch or a shift of the images must leave, and networks drawn without them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import Architecture, Convolutional, GatedReLU, Linear, PiecewiseLinear, ReLU, Sign, no_neurons
from bidual.architectures.patterns import sample
from bidual.errors import InvalidParameterError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated, LocalSearch
from bidual.patches import Patches
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.testing import check_architecture

INNER: list[PiecewiseLinear] = [
    *(ReLU(slope, bias) for slope in (0.0, 0.1, -1.0) for bias in ("penalized", "none")),
    ReLU(outputs="shared"),
    *(GatedReLU(outputs=outputs) for outputs in ("separate", "shared")),
    GatedReLU("none"),
    Linear(),
]
every_inner = pytest.mark.parametrize("inner", INNER, ids=repr)
every_pooling = pytest.mark.parametrize("pooling", ["mean", "sum"])


@every_inner
@every_pooling
def test_promises(inner: PiecewiseLinear, pooling: str) -> None:
    patches = Patches((1, 3), (1, 2), pooling=pooling)
    check_architecture(Convolutional(inner, patches))


@every_inner
@given(seed=st.integers(0, 2**32 - 1), pooling=st.sampled_from(["mean", "sum"]))
@settings(max_examples=10, deadline=None)
def test_no_network_scores_more_than_the_bounds(inner: PiecewiseLinear, seed: int, pooling: str) -> None:
    """Networks are summed patch by patch, without the architecture."""
    rng = np.random.default_rng(seed)
    n, c, m, patches = int(rng.integers(1, 4)), int(rng.integers(1, 3)), 3, Patches((2, 2), (1, 2), 1, pooling)
    architecture = Convolutional(inner, patches)
    X, V = rng.integers(-2, 3, size=(n, 4)).astype(float), rng.normal(size=(n, c))
    W, b, A = rng.normal(size=(2, m)), rng.normal(size=m), rng.normal(size=(m, c))
    b = b if inner.bias == "penalized" else 0 * b
    gates = np.vstack([rng.integers(-1, 2, size=(2, m)), 0 * b])  # many on hyperplanes
    F = np.zeros((n, c))
    for i, image in enumerate(X.reshape(n, 2, 2)):
        for x in image:
            z = x @ W + b
            slope = (
                (x @ gates[:2] >= 0)
                if inner.gated
                else np.where(z > 0, 1.0, 1.0 if inner.slope is None else inner.slope)
            )
            F[i] += (z * slope) @ A / (2 if pooling == "mean" else 1)
    inputs = np.vstack([W, b]) if inner.bias == "penalized" else W
    norms = np.abs(A).sum(axis=1) if inner.outputs == "separate" else np.linalg.norm(A, axis=1)
    size = float(np.linalg.norm(inputs, axis=0) @ norms)
    extra = {"gate": gates[:2], "gate_bias": gates[2]} if inner.gated else {}
    name = "gated" if inner.gated else "linear" if inner.slope is None else "relu"
    hidden = Layer(W, b, name, inner.slope or 0.0, **extra, patches=patches)
    network = Network((hidden, Layer(A, np.zeros(c))))
    np.testing.assert_allclose(network(X), F, atol=1e-12)
    assert architecture.refusal(network, 4, c, False) is None
    assert architecture.size(network) == pytest.approx(size)
    Xl, score = architecture.lift(X), abs(float(np.sum(V * F)))
    neurons, _ = architecture.from_network(network)
    own = architecture.on_patterns(Xl, architecture.patterns(Xl, neurons).distinct(), V, 0.0)
    for bound in (architecture.norm_bound(Xl, V), own.bound):
        assert score <= bound * size * (1 + 1e-9) + 1e-12
    problem = Problem(X, V, Squared(), architecture, Strength(1.0), intercept=False)
    priced = Enumerated().price(problem, V, no_neurons(Xl.shape[1], c, inner.gated), 0.0, rng)
    assert priced.best_found <= architecture.norm_bound(Xl, V) * (1 + 1e-9) + 1e-12
    if priced.dual is not None and priced.dual.bound.scope == "global":
        assert score <= priced.dual.bound.value * size * (1 + 1e-9) + 1e-12


@every_inner
@every_pooling
def test_one_patch_is_the_inner_architecture(inner: PiecewiseLinear, pooling: str) -> None:
    rng = np.random.default_rng(0)
    X, V = rng.normal(size=(5, 6)), rng.normal(size=(5, 2))
    whole = Convolutional(inner, Patches((2, 3), (2, 3), pooling=pooling))
    Xl = whole.lift(X)
    np.testing.assert_array_equal(Xl, inner.lift(X))
    patterns = sample(Xl, 10, 0)
    a, b = (architecture.on_patterns(Xl, patterns, V, 0.0) for architecture in (whole, inner))
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-12)
    for bound in (lambda k: k.norm_bound(Xl, V), lambda k: k.bound_by_witness(Xl, patterns, V, b.witness)):
        assert bound(whole) == pytest.approx(bound(inner), rel=1e-12)


@every_pooling
def test_the_search_on_patches_finds_the_best_of_all_cells(pooling: str) -> None:
    rng = np.random.default_rng(0)
    X, V = rng.normal(size=(4, 6)), rng.normal(size=(4, 1))
    architecture = Convolutional(ReLU(), Patches((3, 2), (2, 1), pooling=pooling))
    problem = Problem(X, V, Squared(), architecture, Strength(1.0))
    nothing = no_neurons(3, 1)
    best, found = (oracle.price(problem, V, nothing, 0.0, rng) for oracle in (Enumerated(), LocalSearch()))
    assert best.dual is not None and best.dual.bound.scope == "global"
    assert found.best_found == pytest.approx(best.dual.bound.value, rel=1e-9)


@pytest.mark.parametrize(
    ("inner", "sentence"),
    [(Sign(), "not Sign; use ReLU"), (ReLU(bias="free"), "bias='free' is not for convolutional units")],
)
def test_refusals(inner: Architecture, sentence: str) -> None:
    with pytest.raises(InvalidParameterError, match=sentence):
        Convolutional(inner, Patches((2, 2), 1))  # type: ignore[arg-type]


def test_networks_of_other_patches_are_refused() -> None:
    a, b = (Convolutional(ReLU(), Patches((3, 3), 2, pooling=pooling)) for pooling in ("mean", "sum"))
    network = a.to_network(no_neurons(5, 1), np.zeros(0), np.zeros(1))
    assert a.refusal(network, 9, 1, True) is None
    assert "pooling='mean'" in (b.refusal(network, 9, 1, True) or "")
    assert "the network sees its inputs as Patches" in (ReLU().refusal(network, 9, 1, True) or "")

"""Gate networks: paths against their slow twin, and layers whose gates are paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.errors import InvalidDataError, InvalidParameterError, ModelFileError
from bidual.gates import GateNetwork
from bidual.network import Layer, Network

X = np.random.default_rng(0).normal(size=(7, 3))


@st.composite
def gate_networks(draw: st.DrawFn, p: int = 3) -> GateNetwork:
    """Whole numbers, so that pre-activations at exactly zero come up."""
    rng, B = np.random.default_rng(draw(st.integers(0, 10**6))), draw(st.integers(1, 3))
    sizes = [p, *draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))]
    weights = [rng.integers(-2, 3, (B, *pair)) for pair in zip(sizes, sizes[1:], strict=False)]
    return GateNetwork(tuple(weights), tuple(rng.integers(-1, 2, (B, m)) for m in sizes[1:]))


@settings(max_examples=60, deadline=None)
@given(gate_networks())
def test_a_path_is_as_open_as_its_least_unit(gates: GateNetwork) -> None:
    rows, paths = np.round(X), gates.paths()
    values = gates(rows, paths)
    for j, (branch, *units) in enumerate(paths.T):
        for x, value in zip(rows, values[:, j], strict=True):
            h, least = x, np.inf
            for W, b, unit in zip(gates.weights, gates.biases, units, strict=True):
                z = h @ W[branch] + b[branch]
                h, least = np.maximum(z, 0), min(least, z[unit])
            assert value == least
    np.testing.assert_array_equal(gates.opened(rows, paths).unpack(), values >= 0)


@settings(max_examples=30, deadline=None)
@given(gate_networks(), st.integers(1, 40))
def test_paths_are_all_of_them_or_as_many_as_asked_for(gates: GateNetwork, n: int) -> None:
    everything, some = gates.paths(), gates.paths(n, seed=1)
    assert everything.shape == (gates.length, gates.n_paths) and gates.has(everything)
    assert len({*map(tuple, everything.T)}) == gates.n_paths
    assert some.shape[1] == min(n, gates.n_paths) == len({*map(tuple, some.T)}) and gates.has(some)
    np.testing.assert_array_equal(some, gates.paths(n, seed=1))


def test_sampled_gates_do_not_depend_on_the_units_of_the_columns() -> None:
    units = np.array([1e-3, 1.0, 1e4])
    one, other = (GateNetwork.sample(rows, 4, (5, 2), seed=3) for rows in (X, X * units))
    np.testing.assert_allclose(one(X, one.paths()), other(X * units, one.paths()), atol=1e-9)
    assert one.widths == (5, 2, 1) and not one.biases[1].any() and one.biases[0].any()
    assert not GateNetwork.sample(X, 2, (5,), bias=False).biases[0].any()
    assert one == GateNetwork.sample(X, 4, (5, 2), seed=3) != GateNetwork.sample(X, 4, (5, 2), seed=4)


def layered(gates: GateNetwork, m: int = 4, seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    paths = gates.paths()[:, rng.integers(gates.n_paths, size=m)]
    hidden = Layer(rng.normal(size=(3, m)), rng.normal(size=m), "gated", gates=gates, paths=paths)
    return Network((hidden, Layer(rng.normal(size=(m, 2)), rng.normal(size=2))))


@settings(max_examples=30, deadline=None)
@given(gate_networks())
def test_networks_by_paths_survive_a_file_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, gates: GateNetwork
) -> None:
    network, path = layered(gates), tmp_path_factory.getbasetemp() / "gates.npz"
    network.save(path)
    back = Network.load(path)
    assert back == network and hash(back) == hash(network) and "gated by GateNetwork(" in repr(back)
    np.testing.assert_array_equal(back(X), network(X))
    hidden, last = network.layers
    assert Network((replace(hidden, gates=gates.begun_by(2.0 * gates.weights[0] + 1.0, gates.biases[0])), last)) != back


def test_prune_keeps_the_function() -> None:
    gates = GateNetwork.sample(X, 3, (2,))
    hidden, last = layered(gates).layers
    outputs = last.weight * np.array([[1.0], [0.0], [1.0], [0.0]])
    network = Network((hidden, Layer(outputs, last.bias)))
    assert network.prune().n_neurons == 2
    np.testing.assert_allclose(network.prune()(X), network(X), atol=1e-12)
    # Behind a layer with a neuron that is always zero, the gates lose an input.
    first = Layer(np.eye(3)[:, [0, 1, 1]] * np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.0, 0.0]), "relu")
    deeper = Network((first, hidden, last))
    assert deeper.prune().layers[1].gates.n_inputs == 2
    np.testing.assert_allclose(deeper.prune()(X), deeper(X), atol=1e-12)


GATES = GateNetwork.sample(X, 2, (3,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GateNetwork(()), "weights"),
        (lambda: GateNetwork((np.ones((2, 3)),)), "weights"),
        (lambda: GateNetwork((np.ones((2, 3, 0)),)), "weights"),
        (lambda: GateNetwork((np.ones((2, 3, 2)), np.ones((2, 3, 1)))), "weights"),
        (lambda: GateNetwork((np.ones((2, 3, 2)), np.ones((1, 2, 1)))), "weights"),
        (lambda: GateNetwork((np.ones((2, 3, 2)),), (np.ones((2, 3)),)), "bias must have shape"),
        (lambda: GateNetwork((np.ones((2, 3, 2)),), (np.ones((2, 2)),) * 2), "biases"),
        (lambda: GateNetwork((np.full((2, 3, 2), np.nan),)), "not finite"),
        (lambda: GateNetwork.sample(X, 0), "branches"),
        (lambda: GateNetwork.sample(X, 1, ()), "layers"),
        (lambda: Layer(np.ones((3, 1)), [0.0], "gated", gates=GATES), "belong together"),
        (lambda: Layer(np.ones((3, 1)), [0.0], "relu", gates=GATES, paths=GATES.paths()[:, :1]), "no gate"),
        (lambda: Layer(np.ones((2, 1)), [0.0], "gated", gates=GATES, paths=GATES.paths()[:, :1]), "inputs"),
        (lambda: Layer(np.ones((3, 1)), [0.0], "gated", gates=GATES, paths=GATES.paths()[:, :2]), "paths must have"),
        (lambda: Layer(np.ones((3, 1)), [0.0], "gated", gates=GATES, paths=[[2], [0], [0]]), "paths"),
        (lambda: Layer(np.ones((3, 1)), [0.0], "gated", gates=GATES, paths=[[0.5], [0], [0]]), "whole"),
        (
            lambda: Layer(np.ones((3, 1)), [0.0], "gated", 0, np.ones((3, 1)), None, GATES, GATES.paths()[:, :1]),
            "needs a gate, or",
        ),
    ],
)
def test_what_is_refused(make, message: str) -> None:
    with pytest.raises((InvalidParameterError, InvalidDataError), match=message):
        make()


def test_a_file_without_its_gates_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GateNetwork, "arrays", property(lambda gates: {}))
    layered(GATES).save(tmp_path / "network.npz")
    with pytest.raises(ModelFileError, match="belong together"):
        Network.load(tmp_path / "network.npz")

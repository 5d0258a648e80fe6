"""The trained network: what it computes, what it refuses, what a file keeps of it."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bidual.errors import InvalidDataError, InvalidParameterError, ModelFileError
from bidual.files import write_arrays
from bidual.network import Layer, Network
from bidual.operators import blocks
from bidual.patches import Patches

HIDDEN = [("linear", 0.0), ("relu", 0.0), ("relu", 0.01), ("relu", -1.0), ("gated", 0.0), ("tanh", 0.0), ("sign", 0.0)]
BRANCHES = [None, 1, 3]


def random_network(activation: str, slope: float, branches: int | None, seed: int = 0) -> Network:
    """4 inputs, hidden layers of 5 and 6 neurons, 2 outputs."""
    rng = np.random.default_rng(seed)
    lead = () if branches is None else (branches,)

    def layer(p: int, m: int, activation: str, slope: float) -> Layer:
        gate = (rng.standard_normal((*lead, p, m)), rng.standard_normal((*lead, m))) if activation == "gated" else ()
        return Layer(rng.standard_normal((*lead, p, m)), rng.standard_normal((*lead, m)), activation, slope, *gate)

    return Network((layer(4, 5, activation, slope), layer(5, 6, activation, slope), layer(6, 2, "linear", 0.0)))


def twin(network: Network, x: np.ndarray, branch: int | None) -> np.ndarray:
    """One row through one branch, neuron by neuron."""
    for layer in network.layers:
        W, b, G, g = ((None if a is None else a if branch is None else a[branch]) for a in fields(layer))
        z = [sum(x[i] * W[i, j] for i in range(len(x))) + b[j] for j in range(len(b))]
        s = [sum(x[i] * G[i, j] for i in range(len(x))) + g[j] for j in range(len(b))] if G is not None else z
        x = np.array([slow_activation(layer, a, c) for a, c in zip(z, s, strict=True)])
    return x


def fields(layer: Layer) -> tuple[np.ndarray | None, ...]:
    return layer.weight, layer.bias, layer.gate, layer.gate_bias


def slow_activation(layer: Layer, z: float, s: float) -> float:
    match layer.activation:
        case "relu":
            return layer.slope * z + (1 - layer.slope) * max(z, 0.0)
        case "gated":
            return z if s >= 0 else 0.0
        case "tanh":
            return 1 - 2 / (np.exp(2 * z) + 1)
        case "sign":
            return 1.0 if z >= 0 else -1.0
    return z


@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize(("activation", "slope"), HIDDEN)
@pytest.mark.parametrize("entries", [1, 2**21])
def test_forward_equals_its_slow_twin(
    activation: str, slope: float, branches: int | None, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ENTRIES", entries)
    network = random_network(activation, slope, branches)
    X = np.random.default_rng(9).standard_normal((11, 4))
    each = [None] if branches is None else range(branches)
    expected = [sum(twin(network, x, branch) for branch in each) for x in X]
    np.testing.assert_allclose(network(X), expected, rtol=1e-12, atol=1e-12)


def test_zero_opens_a_gate_and_has_sign_plus_one() -> None:
    one, zero = np.ones((1, 1)), np.zeros(1)
    assert Network((Layer(one, zero, "gated", gate=0 * one), Layer(one, zero)))([[-2.0]]) == -2.0
    assert Network((Layer(one, zero, "sign"), Layer(one, zero)))([[0.0]]) == 1.0


def test_nan_is_not_hidden_by_an_activation() -> None:
    for activation, slope in HIDDEN:
        assert np.isnan(random_network(activation, slope, None)([[np.nan, 0, 0, 0]])).all(), activation


def test_sizes() -> None:
    network = random_network("relu", 0.0, 3)
    assert (network.n_inputs, network.n_outputs, network.n_neurons, network.n_branches) == (4, 2, 33, 3)
    assert repr(network) == "Network(3 branches of 4 -> 5 -> 6 -> 2, relu)"
    assert repr(random_network("relu", 0.1, None)) == "Network(4 -> 5 -> 6 -> 2, relu)"
    assert repr(network.layers[0]) == "Layer(3 x 4 x 5, relu)"
    assert repr(random_network("relu", 0.1, None).layers[0]) == "Layer(4 x 5, relu, slope=0.1)"
    assert repr(Network((Layer(np.ones((2, 1)), [0.0]),))) == "Network(2 -> 1, linear)"


def test_equality_is_bitwise_and_hash_agrees() -> None:
    a, b = random_network("gated", 0.0, 2), random_network("gated", 0.0, 2)
    assert a == b and hash(a) == hash(b) and a != random_network("gated", 0.0, 2, seed=1)
    assert a != "network" and a.layers[0] != "layer"
    zero = Layer([[0.0]], [0.0])
    assert zero != Layer([[-0.0]], [0.0]) and zero != Layer([[0.0]], [0.0], "tanh")
    assert Layer([[0.0]], [0.0], "relu") != Layer([[0.0]], [0.0], "relu", 0.1)


def test_weights_are_copied_and_read_only() -> None:
    W = np.ones((2, 1))
    network = Network((Layer(W, [0.0]),))
    W[0] = 5.0
    assert network([[1.0, 1.0]]) == 2.0
    with pytest.raises(ValueError, match="read-only"):
        network.layers[0].weight[0] = 3.0


def kill(network: Network, layer: int, neuron: int, way: str, branch: int | None = None) -> Network:
    """The network with one hidden neuron made to contribute nothing, by its outgoing or incoming weights."""
    layers = [{k: a.copy() for k, a in L.arrays.items()} for L in network.layers]
    at = (slice(None) if branch is None else branch) if network.n_branches else ...
    if way == "unread":
        layers[layer + 1]["weight"][at][..., neuron, :] = 0
        if "gate" in layers[layer + 1]:
            layers[layer + 1]["gate"][at][..., neuron, :] = 0
    else:
        layers[layer]["weight"][at][..., neuron] = 0
        layers[layer]["bias"][at][..., neuron] = 0
    return Network(
        tuple(
            Layer(activation=L.activation, slope=L.slope, patches=L.patches, **arrays)
            for L, arrays in zip(network.layers, layers, strict=True)
        )
    )


@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize(("activation", "slope"), HIDDEN)
@pytest.mark.parametrize("way", ["unread", "silent"])
def test_prune_leaves_the_outputs(activation: str, slope: float, branches: int | None, way: str) -> None:
    network = random_network(activation, slope, branches)
    assert network.prune() == network
    dead = kill(kill(kill(network, 0, 1, way), 1, 0, way), 1, 4, way)
    pruned = dead.prune()
    gone = 0 if (activation, way) == ("sign", "silent") else 3 * (branches or 1)
    assert pruned.n_neurons == network.n_neurons - gone
    X = np.random.default_rng(9).standard_normal((11, 4))
    np.testing.assert_allclose(pruned(X), dead(X), rtol=1e-12, atol=1e-12)


def test_prune_follows_chains() -> None:
    network = random_network("relu", 0.0, None)
    for j in range(6):
        if j != 2:
            network = kill(network, 1, j, "unread")
    first, second, out = network.layers
    only = np.zeros((5, 6))
    only[3, 2] = 1.0  # of the first hidden layer, only neuron 3 reaches the one neuron that is read
    pruned = Network((first, Layer(only, second.bias, "relu"), out)).prune()
    assert [layer.weight.shape for layer in pruned.layers] == [(4, 1), (1, 1), (1, 2)]


def test_prune_keeps_a_constant_neuron_and_one_read_by_a_gate() -> None:
    constant = Network((Layer([[0.0]], [1.0], "relu"), Layer([[1.0]], [0.0])))
    assert constant.prune() == constant
    first = Layer([[1.0]], [0.0], "relu")
    gate = Network((first, Layer([[0.0]], [1.0], "gated", gate=[[1.0]], gate_bias=[-1.0]), Layer([[1.0]], [0.0])))
    assert gate.prune() == gate


def test_prune_drops_silent_branches_and_keeps_a_neuron_alive_in_one() -> None:
    network = random_network("relu", 0.0, 3)
    padded = kill(network, 0, 1, "silent", branch=2)
    assert padded.prune() == padded and padded.n_neurons == network.n_neurons - 1
    first, second, out = network.layers
    keep = np.array([1.0, 0.0, 1.0])
    silent = Network((first, second, Layer(out.weight * keep[:, None, None], out.bias * keep[:, None])))
    X = np.random.default_rng(9).standard_normal((11, 4))
    assert silent.prune().n_branches == 2
    np.testing.assert_allclose(silent.prune()(X), silent(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("branches", BRANCHES)
def test_zero_network_prunes_to_nothing_and_still_predicts(branches: int | None) -> None:
    lead = () if branches is None else (branches,)
    zero = Network(
        (
            Layer(np.zeros((*lead, 4, 5)), np.zeros((*lead, 5)), "relu"),
            Layer(np.zeros((*lead, 5, 2)), np.zeros((*lead, 2))),
        )
    )
    pruned = zero.prune()
    assert pruned.n_neurons == 0 and pruned.n_inputs == 4
    np.testing.assert_array_equal(pruned(np.ones((3, 4))), np.zeros((3, 2)))


@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize(("activation", "slope"), HIDDEN)
def test_save_and_load_are_bitwise(tmp_path: Path, activation: str, slope: float, branches: int | None) -> None:
    network = random_network(activation, slope, branches)
    network.save(tmp_path / "network.npz", author="someone", beta=0.1)
    again = Network.load(tmp_path / "network.npz")
    assert again == network
    X = np.random.default_rng(9).standard_normal((11, 4))
    assert again(X).tobytes() == network(X).tobytes()
    assert pickle.loads(pickle.dumps(network)) == network


def test_load_refuses_what_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    described, arrays = random_network("relu", 0.0, None).to_arrays()
    for header in (
        {},
        {"layers": None},
        {"layers": []},
        {"layers": [{"activation": "sine"}]},
        {"layers": described[:2]},
    ):
        write_arrays(path, "network", header, {k: a for k, a in arrays.items() if k != "1.bias"})
        with pytest.raises(ModelFileError, match="does not describe a network"):
            Network.load(path)
    write_arrays(path, "checkpoint", {"layers": described}, arrays)
    with pytest.raises(ModelFileError, match="holds a 'checkpoint'"):
        Network.load(path)


def convolutional(activation: str, slope: float, pooling: str = "mean") -> Network:
    """Images of 3 x 4 pixels and 2 channels, filters of 2 x 3 pixels, 4 of them, 3 outputs."""
    rng = np.random.default_rng(0)
    gate = (rng.normal(size=(12, 4)), rng.normal(size=4)) if activation == "gated" else ()
    first = rng.normal(size=(12, 4)), rng.normal(size=4), activation, slope, *gate
    patches = Patches((3, 4, 2), (2, 3), 1, pooling)
    return Network((Layer(*first, patches=patches), Layer(rng.normal(size=(4, 3)), rng.normal(size=3))))


@pytest.mark.parametrize("pooling", ["mean", "sum"])
@pytest.mark.parametrize(("activation", "slope"), HIDDEN)
@pytest.mark.parametrize("entries", [1, 2**21])
def test_filters_see_every_patch(
    activation: str, slope: float, pooling: str, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ENTRIES", entries)
    network, X = convolutional(activation, slope, pooling), np.random.default_rng(1).normal(size=(11, 24))
    hidden, last = network.layers
    dense = Network((replace(hidden, patches=None), Layer(np.eye(4), np.zeros(4))))
    for image, F in zip(X.reshape(11, 3, 4, 2), network(X), strict=True):
        each = [twin(dense, image[i : i + 2, j : j + 3].ravel(), None) for i in range(2) for j in range(2)]
        pooled = np.sum(each, axis=0) / (4 if pooling == "mean" else 1)
        np.testing.assert_allclose(F, pooled @ last.weight + last.bias, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("activation", "slope"), HIDDEN)
def test_filters_are_saved_compared_and_pruned(activation: str, slope: float, tmp_path: Path) -> None:
    network = convolutional(activation, slope)
    network.save(tmp_path / "network.npz")
    assert Network.load(tmp_path / "network.npz") == network != convolutional(activation, slope, "sum")
    assert (network.n_inputs, network.n_outputs, network.n_neurons) == (24, 3, 4)
    assert repr(network) == f"Network(convolutional 24 -> 4 -> 3, {activation})"
    assert repr(network.layers[0]).endswith(", pooled over 4 patches)")
    X, dead = np.random.default_rng(1).normal(size=(5, 24)), kill(network, 0, 2, "unread")
    assert dead.prune().n_neurons == 3 and dead.prune().layers[0].patches == network.layers[0].patches
    np.testing.assert_allclose(dead.prune()(X), dead(X), rtol=1e-12, atol=1e-12)


def test_filters_refuse() -> None:
    patches = Patches((3, 3), 2)
    for shape in ((3, 2), (5, 4, 2)):
        with pytest.raises(InvalidParameterError, match=r"weight must have shape \(4, m\), a row for each entry"):
            Layer(np.ones(shape), np.zeros(shape[:-2] + (2,)), patches=patches)
    with pytest.raises(InvalidParameterError, match="patches are of images, the inputs of the first layer"):
        Network((Layer(np.ones((2, 9)), np.zeros(9)), Layer(np.ones((4, 1)), [0.0], patches=patches)))
    network = Network((Layer(np.ones((4, 2)), [0.0, 0.0], patches=patches), Layer(np.ones((2, 1)), [0.0])))
    with pytest.raises(InvalidDataError, match=r"X must have shape \(n, 9\) .* got \(1, 4\)"):
        network(np.ones((1, 4)))


W, b = np.ones((3, 2)), np.zeros(2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight": np.ones(3)}, r"weight must have shape .* got \(3,\)"),
        ({"bias": np.zeros(3)}, r"bias must have shape \(2,\) .* got \(3,\)"),
        ({"weight": np.ones((4, 3, 2))}, r"bias must have shape \(4, 2\) .* got \(2,\)"),
        ({"activation": "sine"}, "activation must be one of .* 'sine'"),
        ({"slope": 0.1}, "'linear' has no slope"),
        ({"activation": "relu", "slope": np.nan}, "slope must be finite"),
        ({"activation": "gated"}, "'gated' needs a gate"),
        ({"gate": W}, "'linear' has no gate"),
        ({"gate_bias": b}, "'linear' has no gate"),
        ({"activation": "gated", "gate": W.T}, r"gate must have shape \(3, 2\) .* got \(2, 3\)"),
        ({"activation": "gated", "gate": W, "gate_bias": np.zeros(3)}, r"gate_bias must have shape \(2,\)"),
    ],
)
def test_layer_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        Layer(**({"weight": W, "bias": b} | arguments))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_layer_refuses_weights_that_are_not_finite(value: float) -> None:
    with pytest.raises(InvalidDataError, match=r"weight of shape \(3, 2\) has 6 entries that are not finite"):
        Layer(W * value, b)
    with pytest.raises(InvalidDataError, match=r"bias of shape \(2,\) has 2 entries"):
        Layer(W, b + value)


def test_network_refuses_layers_that_do_not_fit() -> None:
    with pytest.raises(InvalidParameterError, match="at least one layer"):
        Network(())
    with pytest.raises(InvalidParameterError, match=r"layer 0 .* \(3, 2\), .* layer 1, \(3, 2\)"):
        Network((Layer(W, b), Layer(W, b)))
    with pytest.raises(InvalidParameterError, match=r"\(2, 3, 2\), .* \(1, 2, 1\)"):
        Network((Layer(np.ones((2, 3, 2)), np.zeros((2, 2))), Layer(np.ones((1, 2, 1)), np.zeros((1, 1)))))


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 4, 1), ()])
def test_network_refuses_inputs_of_another_width(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidDataError, match=r"X must have shape \(n, 4\) .* got"):
        random_network("relu", 0.0, None)(np.zeros(shape))

"""Exported networks compute what the network does; what cannot be exported or read is refused."""

from __future__ import annotations

import builtins
import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.reference
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bidual import MLPClassifier, MLPRegressor
from bidual.errors import InvalidParameterError, MissingDependencyError, ModelFileError
from bidual.export import from_onnx, from_torch, to_onnx, to_torch
from bidual.gates import GateNetwork
from bidual.network import Layer, Network
from bidual.patches import Patches

ACTIVATIONS = [("linear", 0), ("relu", 0), ("relu", 0.01), ("relu", -1), ("tanh", 0), ("gated", 0), ("sign", 0)]
CHAINS = ACTIVATIONS[:-2]


@st.composite
def networks(draw: st.DrawFn, activations: Any = ACTIVATIONS, branches: Any = (None, 0, 1, 3)) -> Network:
    """Depth 1 to 4, an activation for each layer, layers of no neuron among them."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    count = draw(st.sampled_from(branches))
    lead = () if count is None else (count,)
    sizes = draw(st.lists(st.integers(0, 4), min_size=2, max_size=5))
    sizes[0], sizes[-1] = sizes[0] + 1, sizes[-1] + 1
    layers = []
    for p, m in zip(sizes, sizes[1:], strict=False):
        activation, slope = draw(st.sampled_from(activations))
        # Whole numbers, so that gates and signs at exactly zero come up.
        numbers = [rng.integers(-2, 3, (*lead, *shape)) for shape in ((p, m), (m,), (p, m), (m,))]
        if activation in ("linear", "tanh"):
            numbers[0] = numbers[0] + rng.normal(size=numbers[0].shape)
        if activation == "gated" and count is None and p and draw(st.booleans()):
            gates = gate_network(rng, p)
            paths = gates.paths()[:, rng.integers(gates.n_paths, size=m)]
            layers.append(Layer(*numbers[:2], activation, gates=gates, paths=paths))
        else:
            layers.append(Layer(*numbers[:2], activation, slope, *(numbers[2:] if activation == "gated" else ())))
    return Network(tuple(layers))


def gate_network(rng: np.random.Generator, p: int) -> GateNetwork:
    """Two branches of two layers, of whole numbers."""
    weights = tuple(rng.integers(-2, 3, (2, *shape)) for shape in ((p, 3), (3, 2)))
    return GateNetwork(weights, tuple(rng.integers(-2, 3, (2, m)) for m in (3, 2)))


def rows(network: Network, n: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(-2, 3, (n, network.n_inputs)).astype(float)


def run_torch(module: nn.Module, X: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return module(torch.tensor(X)).numpy()


def run_onnx(path: Path, X: np.ndarray) -> np.ndarray:
    return onnx.reference.ReferenceEvaluator(str(path)).run(None, {"X": X})[0]


def assert_same(got: np.ndarray, network: Network, X: np.ndarray, tol: float = 1e-12) -> None:
    np.testing.assert_allclose(got, network(X), rtol=tol, atol=tol * max(1.0, np.abs(network(X)).max()), strict=True)


def steady(network: Network, X: np.ndarray) -> bool:
    """False if a jump is so near after an inexact layer that rounding may decide it."""
    H = X
    for layer in network.layers:
        if layer.activation in ("gated", "sign"):
            bias = layer.gate_bias if layer.gate is not None else layer.bias
            z = H @ (layer.weight if layer.gate is None else layer.gate) + bias[..., None, :]
            z = z if layer.gates is None else layer.gates(H, layer.paths)
            if ((np.abs(z) < 1e-9) & (z != np.round(z))).any():
                return False
        H = layer(H)
    return True


@settings(max_examples=150, deadline=None)
@given(networks())
def test_torch_predicts_the_same(network: Network) -> None:
    X = rows(network)
    if steady(network, X):
        assert_same(run_torch(to_torch(network), X), network, X)


@settings(max_examples=100, deadline=None)
@given(network=networks(branches=(None, 1, 3)))
def test_onnx_predicts_the_same(network: Network, tmp_path_factory: pytest.TempPathFactory) -> None:
    X, path = rows(network), tmp_path_factory.getbasetemp() / "network.onnx"
    to_onnx(network, path)
    if steady(network, X):
        assert_same(run_onnx(path, X), network, X)


def test_paths_of_every_branch_are_exported(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    gates, X = gate_network(rng, 4), rng.normal(size=(20, 4))
    m, path = gates.n_paths, tmp_path / "n.onnx"
    hidden = Layer(rng.normal(size=(4, m)), np.ones(m), "gated", gates=gates, paths=gates.paths())
    network = Network((hidden, Layer(rng.normal(size=(m, 2)), np.zeros(2))))
    to_onnx(network, path)
    assert_same(run_onnx(path, X), network, X)
    assert_same(run_torch(to_torch(network), X), network, X)


@settings(max_examples=100, deadline=None)
@given(networks(CHAINS, [None]))
def test_round_trip(network: Network) -> None:
    assert from_torch(to_torch(network)) == network


@settings(max_examples=100, deadline=None)
@given(network=networks([("linear", 0), ("relu", 0), ("tanh", 0)], [None]))
def test_onnx_is_read_back(network: Network, tmp_path_factory: pytest.TempPathFactory) -> None:
    X, path = rows(network), tmp_path_factory.getbasetemp() / "read.onnx"
    to_onnx(network, path)
    assert_same(from_onnx(path)(X), network, X)


def onnx_file(path: Path, *nodes: tuple[str, list[str], dict[str, Any]], **constants: np.ndarray) -> Path:
    """A graph from "X" to "F" through the nodes, each with its inputs; "h" is the value of the node before."""
    made, h = [], "X"
    for i, (operator, inputs, options) in enumerate(nodes):
        output = "F" if i == len(nodes) - 1 else f"h{i}"
        made.append(
            onnx.helper.make_node(operator, [h if name == "h" else name for name in inputs], [output], **options)
        )
        h = output
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["n", None]) for name in ("X", "F")]
    arrays = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph(made, "test", ends[:1], ends[1:], arrays)), path)
    return path


W, b, v = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0]), np.array([[1.0], [-2.0]])


def test_onnx_of_other_writers(tmp_path: Path) -> None:
    """Gemm with its factors and transposes, as torch.onnx and skl2onnx write it."""
    path = onnx_file(
        tmp_path / "n.onnx",
        ("Gemm", ["h", "W", "b"], {"transB": 1, "alpha": 2.0, "beta": 0.5}),
        ("LeakyRelu", ["h"], {"alpha": 0.25}),
        ("Gemm", ["h", "v"], {}),
        ("Identity", ["h"], {}),
        **{"W": W, "b": b, "v": v},
    )
    assert from_onnx(path) == Network((Layer(2 * W.T, 0.5 * b, "relu", 0.25), Layer(v, [0.0])))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("MatMul", ["h", "W"], {}), ("Sigmoid", ["h"], {})], "got Sigmoid where it does not fit"),
        ([("Relu", ["h"], {}), ("MatMul", ["h", "W"], {})], "got Relu where"),
        ([("MatMul", ["W", "h"], {})], "got MatMul where"),
        ([("MatMul", ["h", "h"], {})], "got MatMul where"),
        ([("Gemm", ["h", "W"], {"transA": 1})], "got Gemm where"),
        ([("MatMul", ["h", "W"], {}), ("Add", ["W", "b"], {})], "got Add where"),
        ([("Identity", ["h"], {})], "one output"),
    ],
)
def test_onnx_that_is_no_chain(nodes: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        from_onnx(onnx_file(tmp_path / "n.onnx", *nodes, **{"W": W, "b": b}))


def test_onnx_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        from_onnx(tmp_path / "none.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(ModelFileError, match="is no ONNX model"):
        from_onnx(tmp_path / "broken.onnx")


def test_chains_are_plain_torch() -> None:
    network = Network(
        (Layer(np.eye(2), [1, 2], "relu"), Layer(np.eye(2), [0, 0], "relu", 0.1), Layer(np.eye(2), [0, 0]))
    )
    assert [type(part) for part in to_torch(network)] == [nn.Linear, nn.ReLU, nn.Linear, nn.LeakyReLU, nn.Linear]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    m=st.integers(0, 3),
    unit=st.sampled_from(ACTIVATIONS),
    shape=st.sampled_from([(4, 5), (4, 5, 2)]),
    pooling=st.sampled_from(["mean", "sum"]),
)
def test_filters(
    seed: int, m: int, unit: Any, shape: Any, pooling: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng, patches = np.random.default_rng(seed), Patches(shape, (2, 3), (2, 1), pooling)
    numbers = [rng.integers(-2, 3, size) for size in ((patches.length, m), m, (patches.length, m), m)]
    hidden = Layer(*numbers[:2], *unit, *(numbers[2:] if unit[0] == "gated" else ()), patches=patches)
    network = Network((hidden, Layer(rng.normal(size=(m, 2)), rng.normal(size=2))))
    X, path = rows(network), tmp_path_factory.getbasetemp() / "filters.onnx"
    to_onnx(network, path)
    assert_same(run_onnx(path, X), network, X)
    assert_same(run_torch(to_torch(network), X), network, X)


def test_filters_are_convolutions() -> None:
    patches = Patches((4, 4, 3), 2)
    parts = list(to_torch(Network((Layer(np.ones((12, 5)), np.zeros(5), "relu", patches=patches),))))
    assert [type(part).__name__ for part in parts] == ["Images", "Conv2d", "ReLU", "Pooling"]
    with pytest.raises(InvalidParameterError, match="got Images in it"):
        from_torch(to_torch(Network((Layer(np.ones((12, 5)), np.zeros(5), patches=patches),))))


def mixed() -> Network:
    """Gates and signs in two branches."""
    rng = np.random.default_rng(1)
    W, b = rng.normal(size=(3, 2, 4, 4)), rng.normal(size=(2, 4))
    return Network((Layer(W[0], b, "gated", 0, W[1], b), Layer(W[1], b, "sign"), Layer(W[2], b)))


def test_float32(tmp_path: Path) -> None:
    network, X = mixed(), np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    to_onnx(network, tmp_path / "n.onnx", "float32")
    for got in (run_torch(to_torch(network, torch.float32), X), run_onnx(tmp_path / "n.onnx", X)):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, network(X), rtol=1e-5, atol=1e-5)


def test_onnx_has_no_constant_in_vain(tmp_path: Path) -> None:
    to_onnx(mixed(), tmp_path / "n.onnx")
    graph = onnx.load(tmp_path / "n.onnx").graph
    assert {constant.name for constant in graph.initializer} <= {name for node in graph.node for name in node.input}


def test_state_dict() -> None:
    network, X = mixed(), np.random.default_rng(0).normal(size=(5, 4))
    file, copy = io.BytesIO(), to_torch(Network(tuple(Layer(**zeros(layer)) for layer in network.layers)))
    torch.save(to_torch(network).state_dict(), file)
    file.seek(0)
    copy.load_state_dict(torch.load(file, weights_only=True))
    assert_same(run_torch(copy, X), network, X)


def zeros(layer: Layer) -> dict[str, Any]:
    return {**{k: 0 * a for k, a in layer.arrays.items()}, "activation": layer.activation, "slope": layer.slope}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ["leaky_relu", "gated_relu"])
def test_estimators_take_raw_features(activation: str, tmp_path: Path) -> None:
    X = 7 + 3 * np.random.default_rng(0).normal(size=(30, 2))
    regressor = MLPRegressor(activation=activation, tol=0.1, random_state=0).fit(X, 1000 + 50 * np.abs(X[:, 0] - 7))
    classifier = MLPClassifier(activation=activation, tol=0.1, random_state=0).fit(X, X[:, 0] > 7)
    for estimator, expected in ((regressor, regressor.predict(X)), (classifier, classifier.decision_function(X))):
        assert np.ptp(expected) > 0.1
        to_onnx(estimator, tmp_path / "m.onnx")
        for got in (run_torch(to_torch(estimator), X), run_onnx(tmp_path / "m.onnx", X)):
            np.testing.assert_allclose(got[:, 0], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout()), "got Dropout in it"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), "does not follow a Linear"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Tanh()), "does not follow a Linear"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3)), "does not fit"),
        (nn.Sequential(), "at least one layer"),
    ],
)
def test_modules_that_are_no_network(module: nn.Module, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        from_torch(module)


def test_sequentials_within_identity_and_no_bias() -> None:
    inner = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Identity(), nn.Tanh())
    network = from_torch(nn.Sequential(inner, nn.Linear(3, 1)))
    assert [layer.activation for layer in network.layers] == ["tanh", "linear"]
    assert not network.layers[0].bias.any()


def test_refusals(tmp_path: Path) -> None:
    huge, path = Network((Layer([[1e300]], [0.0]),)), tmp_path / "n.onnx"
    calls = [
        (lambda: to_torch(MLPRegressor()), "fit it first"),
        (lambda: to_onnx("network", path), "got str"),
        (lambda: to_torch(huge, torch.int64), "floating dtype"),
        (lambda: to_torch(huge, torch.float32), "too small"),
        (lambda: to_onnx(huge, path, "float16"), "dtype must be"),
        (lambda: to_onnx(huge, path, "float32"), "too small"),
    ]
    for call, message in calls:
        with pytest.raises(InvalidParameterError, match=message):
            call()
    assert not path.exists()


def test_absent_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name in ("torch", "onnx"):
            raise ImportError(name)
        return real(name, *args)

    network = mixed()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"bidual\[torch\]"):
        to_torch(network)
    with pytest.raises(MissingDependencyError, match=r"bidual\[onnx\]"):
        to_onnx(network, tmp_path / "n.onnx")
    with pytest.raises(MissingDependencyError, match=r"bidual\[onnx\]"):
        from_onnx(tmp_path / "n.onnx")

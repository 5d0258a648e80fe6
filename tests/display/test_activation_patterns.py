"""The display of activation patterns shows which neurons of the network are active at which rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from bidual import MLPRegressor
from bidual.display import ActivationPatternDisplay, NeuronDisplay
from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.network import Layer, Network
from bidual.patches import Patches

from .cases import fitted, network

X = np.random.default_rng(0).normal(size=(50, 3))


def by_hand(net: Network, rows: Any) -> dict[tuple[int, ...], tuple[float, Any]]:
    """Branch and neurons of each path -> its signed size and (L, n) masks."""
    found = {}
    for b in range(net.n_branches or 1):
        layers = [
            layer if net.n_branches is None else (layer.weight[b], layer.bias[b], layer.activation)
            for layer in net.layers
        ]
        parts = [x if isinstance(x, tuple) else (x.weight, x.bias, x.activation) for x in layers]
        H, on = rows, []
        for W, bias, kind in parts[:-1]:
            z = H @ W + bias
            on.append(np.ones_like(z, dtype=bool) if kind == "linear" else z > 0)
            H = z if kind == "linear" else np.maximum(z, 0)
        for path in product(*(range(W.shape[1]) for W, _, _ in parts[:-1])):
            value = np.hypot(np.linalg.norm(parts[0][0][:, path[0]]), parts[0][1][path[0]])
            for (W, _, _), i, j in zip(parts[1:-1], path, path[1:], strict=False):
                value *= W[i, j]
            last = parts[-1][0][path[-1]]
            value *= np.linalg.norm(last) * np.sign(last[np.abs(last).argmax()])
            found[(b, *path)] = value, np.array([m[:, j] for m, j in zip(on, path, strict=True)])
    return found


@pytest.mark.parametrize("count", [5, 1000])
@pytest.mark.parametrize("branches", [None, 1, 4])
@pytest.mark.parametrize("sizes", [(3, 5, 1), (3, 4, 1, 1), (3, 4, 3, 2), (3, 3, 2, 3, 1)])
def test_masks_sizes_and_signs(sizes: tuple[int, ...], branches: int | None, count: int) -> None:
    net = network(*sizes, branches=branches)
    shown = ActivationPatternDisplay(net, X, max_paths=count)
    order = np.argsort(net(X)[:, 0], kind="stable")
    expected = by_hand(net, X[order])
    paths = [(b, *units) for b, units in zip(shown.paths.branches, shown.paths.units, strict=True)]
    assert len(set(paths)) == len(paths) == min(count, len(expected)) and shown.paths.total == len(expected)
    for j, path in enumerate(paths):
        value, masks = expected[tuple(map(int, path))]
        assert shown.paths.sizes[j] == pytest.approx(abs(value)) and shown.paths.signs[j] == np.sign(value)
        np.testing.assert_array_equal(shown.masks[:, :, j], masks)
    largest = sorted((abs(value) for value, _ in expected.values()), reverse=True)
    assert sorted(shown.paths.sizes, reverse=True) == pytest.approx(largest[:count])
    together = np.flatnonzero(np.diff(shown.paths.branches)).size + 1
    assert together == len(set(shown.paths.branches))
    shown.plot()
    assert len(shown.ax_.images) == (1 if len(sizes) == 3 else len(sizes) - 1)
    np.testing.assert_array_equal(shown.ax_.images[-1].get_array(), shown.masks.all(axis=0) * shown.paths.signs)


@pytest.mark.parametrize("kind", ["linear", "sign", "tanh"])
def test_other_units(kind: str) -> None:
    net = network(3, 4, 1, activation=kind)
    masks = ActivationPatternDisplay(net, X, y=np.arange(50)).masks[0]
    z = X @ net.layers[0].weight + net.layers[0].bias
    order = np.argsort(
        -np.linalg.norm(np.vstack([net.layers[0].weight, net.layers[0].bias]), axis=0)
        * np.abs(net.layers[1].weight[:, 0])
    )
    np.testing.assert_array_equal(masks, True if kind == "linear" else (z > 0)[:, order])


def test_gated_units_are_active_where_their_gate_is_open() -> None:
    estimator, rows, y = fitted("gated")
    shown = ActivationPatternDisplay.from_estimator(estimator, rows, y)
    gate, bias = estimator.gates_
    expected = (rows @ gate + bias >= 0)[np.argsort(y, kind="stable")]
    np.testing.assert_array_equal(shown.masks[0], expected[:, shown.paths.units[:, 0]])


def test_filters_are_active_at_a_share_of_the_patches() -> None:
    patches = Patches((2, 3), 2)
    net = Network((Layer(np.eye(4)[:, :2], np.zeros(2), "relu", patches=patches), Layer([[2.0], [1.0]], [0.0])))
    rows = np.array([[1.0, -1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0]])
    masks = ActivationPatternDisplay(net, rows).plot().masks[0]
    np.testing.assert_array_equal(masks, [[0.5, 0.0], [1.0, 1.0]])
    shown = NeuronDisplay.from_network(net)
    np.testing.assert_array_equal(shown.ax_.images[0].get_array(), [[1.0, 0.0], [0.0, 0.0]])


def test_classes_stand_together() -> None:
    estimator, rows, y = fitted("three classes")
    shown = ActivationPatternDisplay.from_estimator(estimator, rows, y)
    assert shown.labels is not None and shown.labels.tolist() == sorted(y)
    scores = estimator.decision_function(rows)
    for k, label in enumerate(estimator.classes_):
        np.testing.assert_allclose(shown.y[shown.labels == label], np.sort(scores[y == label, k]))
    assert [text.get_text() for text in shown.ax_.get_yticklabels()] == ["high", "low", "top"]
    guessed = ActivationPatternDisplay.from_estimator(estimator, rows)
    assert guessed.labels is not None and guessed.labels.tolist() == sorted(estimator.predict(rows))


def test_padding_is_left_out() -> None:
    first, second, last = network(3, 4, 1, 1, branches=3).layers
    kept = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 0]])
    padded = Network((replace(first, weight=first.weight * kept[:, None], bias=first.bias * kept), second, last))
    shown = ActivationPatternDisplay(padded, X)
    assert shown.paths.total == shown.paths.sizes.size == 7 and padded.n_neurons == 10
    assert NeuronDisplay.from_network(padded).n_neurons == 7


@pytest.mark.parametrize("n_layers", [3, 4])
def test_layers_of_gates(n_layers: int) -> None:
    rows, y = fitted("regressor")[1:]
    model = MLPRegressor(activation="gated_relu", n_layers=n_layers, n_branches=5, branch_width=6, random_state=0)
    shown = ActivationPatternDisplay.from_estimator(model.fit(rows, y), rows, y)
    gates, paths = model.gates_
    assert shown.masks.shape == (n_layers - 1, 40, min(40, model.n_neurons_))
    opened = gates(rows, paths[:, shown.paths.units[:, 0]]) >= 0
    np.testing.assert_array_equal(shown.masks.all(axis=0), opened[np.argsort(y, kind="stable")])
    np.testing.assert_array_equal(shown.paths.branches, paths[0, shown.paths.units[:, 0]])


def test_many_rows_share_lines() -> None:
    rows = np.random.default_rng(1).normal(size=(1003, 3))
    shown = ActivationPatternDisplay(network(3, 4, 1), rows).plot()
    image = shown.ax_.images[0].get_array() * shown.paths.signs
    assert image.shape == (300, 4) and 0 <= image.min() and image.max() <= 1
    np.testing.assert_allclose(image.mean(axis=0), shown.masks[0].mean(axis=0), atol=0.01)


@pytest.mark.parametrize("width", [0, 2])
def test_nothing_to_show(width: int) -> None:
    layers = Layer(np.zeros((3, width)), np.zeros(width), "relu"), Layer(np.ones((width, 1)), np.zeros(1))
    assert "no neurons" in ActivationPatternDisplay(Network(layers), X).plot().ax_.texts[0].get_text()
    none = network(3, 2, 1, 1, branches=1)
    empty = Network(tuple(Layer(a.weight[:0], a.bias[:0], a.activation) for a in none.layers))
    assert "no neurons" in ActivationPatternDisplay(empty, X).plot().ax_.texts[0].get_text()


@pytest.mark.parametrize(
    ("net", "options", "message"),
    [
        (network(3, 1), {}, "no hidden layer"),
        (network(3, 2, 1), {"max_paths": 0}, "max_paths must be at least 1"),
        (network(3, 2, 1), {"y": [1.0]}, r"y must have shape \(50,\)"),
        (network(3, 2, 1), {"labels": ["a"]}, r"labels must have shape \(50,\)"),
        (network(2, 2, 1), {}, r"\(n, 2\)"),
    ],
)
def test_refusals(net: Network, options: Any, message: str) -> None:
    with pytest.raises((InvalidParameterError, InvalidDataError), match=message):
        ActivationPatternDisplay(net, X, **options)


def test_y_of_another_length() -> None:
    estimator, rows, _ = fitted("regressor")
    with pytest.raises(InvalidDataError, match="40 rows"):
        ActivationPatternDisplay.from_estimator(estimator, rows, [1.0])

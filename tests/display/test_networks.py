"""The plots of neurons and of whole networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bidual.display import ArchitectureDisplay, NeuronDisplay
from bidual.errors import InvalidParameterError
from bidual.network import Network

from .cases import fitted, network


def test_neurons_are_sorted_and_signed() -> None:
    net = network(3, 5, 2)
    shown = NeuronDisplay.from_network(net, feature_names=["a", "b", "c"], output_names=["u", "v"])
    W, b, A = net.layers[0].weight.T, net.layers[0].bias, net.layers[1].weight
    U = np.column_stack([W, b])
    size = np.linalg.norm(U, axis=1) * np.linalg.norm(A, axis=1)
    order = np.argsort(-size)
    sign = np.sign(A[np.arange(5), np.abs(A).argmax(axis=1)])
    expected = (U * (sign / np.linalg.norm(U, axis=1))[:, None])[order]
    np.testing.assert_allclose(shown.ax_.images[0].get_array(), expected)
    panel = shown.ax_.child_axes[0]
    bars = sorted((bar.get_y(), bar.get_width()) for bar in panel.patches)
    np.testing.assert_allclose([width for _, width in bars], size[order])
    assert [tick.get_text() for tick in shown.ax_.get_xticklabels()] == ["a", "b", "c", "bias"]


def test_neurons_as_images() -> None:
    net = network(6, 4, 1)
    shown = NeuronDisplay.from_network(net, image_shape=(2, 3), max_neurons=3)
    assert len(shown.ax_.images) == 3 and shown.ax_.get_title() == "the 3 largest of 4 neurons"
    first = shown.weights[0].reshape(2, 3)
    np.testing.assert_allclose(shown.ax_.images[0].get_array(), first / np.abs(first).max())


@pytest.mark.parametrize("shape", [(2, 2, 3), (3, 2, 2)])
def test_neurons_as_images_in_colour(shape: tuple[int, int, int]) -> None:
    net = network(12, 4, 1, 1, branches=2)
    shown = NeuronDisplay.from_network(net, image_shape=shape)
    first = shown.weights[0].reshape(shape)
    first = first if shape[2] == 3 else first.transpose(1, 2, 0)
    np.testing.assert_allclose(shown.ax_.images[0].get_array(), 0.5 + first / np.abs(first).max() / 2)
    assert shown.branches is not None and np.diff(shown.branches).astype(bool).sum() == 1
    assert sum("branch" in text.get_text() for text in shown.ax_.texts) == 2


def test_size_of_a_first_neuron_is_summed_over_its_paths() -> None:
    net = network(3, 4, 2, 1)
    first, second, last = net.layers
    shown = NeuronDisplay.from_network(net)
    into = np.sqrt((first.weight**2).sum(axis=0) + first.bias**2)
    size = into * (np.abs(second.weight) * np.abs(last.weight[:, 0])).sum(axis=1)
    np.testing.assert_allclose(shown.sizes, np.sort(size)[::-1])
    raised = (second.weight @ last.weight)[:, 0] > 0
    order = np.argsort(-size)
    np.testing.assert_allclose(shown.bias > 0, (first.bias > 0)[order] == raised[order])


@pytest.mark.parametrize("sizes", [(1, 1, 1), (64, 1, 1), (2, 90, 1), (4, 3, 3, 1), (5, 14, 12)])
def test_neurons_of_any_number(sizes: tuple[int, ...]) -> None:
    shown = NeuronDisplay.from_network(network(*sizes))
    assert shown.ax_.images[0].get_array().shape == (sizes[1], sizes[0] + 1)
    NeuronDisplay.from_network(network(*sizes, branches=2), image_shape=(1, sizes[0]))


def drawn(shown: ArchitectureDisplay) -> list[str]:
    return [text.get_text() for text in shown.ax_.texts]


@pytest.mark.parametrize("branches", [None, 1, 3])
@pytest.mark.parametrize("sizes", [(2, 1), (1, 1, 1), (3, 4, 4, 4, 2)])
def test_every_weight_is_a_line(sizes: tuple[int, ...], branches: int | None) -> None:
    net = network(*sizes, branches=branches)
    shown = ArchitectureDisplay(net, max_units=36).plot()
    lines = [c for c in shown.ax_.collections if hasattr(c, "get_segments")]
    weights = sum(layer.weight.size for layer in net.layers) + (0 if branches is None else branches * sizes[-1])
    assert sum(len(c.get_segments()) for c in lines) == weights
    assert drawn(shown)[0].startswith("input")
    assert ("sum" in drawn(shown)[-1]) == (branches is not None)


def test_large_layers_are_cut_to_the_largest() -> None:
    net = network(100, 50, 1, activation="relu", slope=-1.0)
    shown = ArchitectureDisplay(net).plot()
    assert "\u22ee 89 more" in drawn(shown) and "\u22ee 39 more" in drawn(shown)
    assert any("absolute" in text for text in drawn(shown))
    strength = np.linalg.norm(net.layers[0].weight, axis=1)
    np.testing.assert_array_equal(shown.layout.columns[0].shown, np.sort(np.argsort(-strength)[:11]))
    many = ArchitectureDisplay(network(2, 2, 1, branches=30)).plot()
    assert "\u22ee 27 more branches" in drawn(many)


def test_names_stand_beside_their_units() -> None:
    shown = ArchitectureDisplay(network(2, 3, 2), feature_names=["a", "b"], output_names=["u", "v"]).plot()
    assert drawn(shown)[:4] == ["a", "b", "u", "v"]


@pytest.mark.parametrize(
    ("display", "options", "message"),
    [
        (NeuronDisplay.from_network, {"image_shape": (2, 2)}, r"h \* w = 6"),
        (NeuronDisplay.from_network, {"image_shape": 6}, r"h \* w = 6"),
        (NeuronDisplay.from_network, {"image_shape": (-2, -3)}, r"h \* w = 6"),
        (NeuronDisplay.from_network, {"image_shape": (1, 2, 3), "max_neurons": 0}, "max_neurons"),
        (NeuronDisplay.from_network, {"image_shape": (1, 6, 1)}, r"\(h, w, 3\) or \(3, h, w\)"),
        (NeuronDisplay.from_network, {"feature_names": ["a"]}, "all 6 features"),
        (NeuronDisplay.from_network, {"output_names": []}, "at least"),
        (NeuronDisplay.from_network, {"max_neurons": 0}, "max_neurons"),
        (ArchitectureDisplay, {"max_units": 1}, "max_units"),
        (ArchitectureDisplay, {"max_branches": 1}, "max_branches"),
        (ArchitectureDisplay, {"feature_names": ["a"]}, "all 6 features"),
    ],
)
def test_refusals(display: Any, options: Any, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        display(network(6, 3, 2), **options)


def test_nothing_to_show() -> None:
    with pytest.raises(InvalidParameterError, match="no hidden layer"):
        NeuronDisplay.from_network(network(2, 1))
    with pytest.raises(InvalidParameterError, match="sizes must have shape"):
        NeuronDisplay(np.ones((2, 3)), [1.0])
    empty: Network = fitted("no neurons")[0].network_
    assert "no neurons" in NeuronDisplay.from_network(empty).ax_.texts[0].get_text()
    assert "no units" in drawn(ArchitectureDisplay(empty).plot())

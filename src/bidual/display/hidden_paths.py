"""Paths through the hidden layers of a network: one neuron of each, and the weights between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.activations import ACTIVATIONS
from bidual.network import Layer, Network
from bidual.operators.blocks import row_blocks
from bidual.typing import Masks, Matrix, Rows, Vector


@dataclass(frozen=True)
class HiddenPaths:
    """The largest of ``total`` paths, branch by branch, the largest branch first and in it the largest path.

    units : (k, L) the neuron of each of the L hidden layers; branches : (k,), all 0 without branches
    sizes : (k,) the product of the lengths along a path: of the input weights with their bias, of every weight between
    two neurons, and of the output weights; signs : (k,) 1. where the path raises its largest output while it is active,
    else -1.
    """

    units: NDArray[np.intp]
    branches: NDArray[np.intp]
    sizes: Vector
    signs: Vector
    total: int


def largest_paths(network: Network, count: int) -> HiddenPaths:
    """At most ``count`` paths of positive size."""
    lanes = 1 if network.n_branches is None else network.n_branches
    found = [_largest(_lane(network, b), count) for b in range(lanes)]
    units = np.concatenate([np.zeros((0, len(network.layers) - 1), dtype=np.intp), *(u for u, _ in found)])
    values = np.concatenate([np.zeros(0), *(v for _, v in found)])
    branches = np.repeat(np.arange(len(found)), [v.size for _, v in found])
    kept = np.argsort(-np.abs(values), kind="stable")[:count]
    kept = kept[values[kept] != 0]
    weight = np.bincount(branches[kept], np.abs(values[kept]), len(found))
    kept = kept[np.lexsort((-np.abs(values[kept]), branches[kept], -weight[branches[kept]]))]
    total = len(found) * int(np.prod([layer.weight.shape[-1] for layer in network.layers[:-1]]))
    return HiddenPaths(units[kept], branches[kept], np.abs(values[kept]), np.where(values[kept] < 0, -1.0, 1.0), total)


def active_paths(network: Network, X: Rows, paths: HiddenPaths) -> NDArray[np.bool_]:
    """(L, n, k): whether the neuron of each hidden layer on each path is active at each row."""
    hidden = network.layers[:-1]
    masks = np.empty((len(hidden), X.shape[0], paths.sizes.size), dtype=bool)
    lane = () if network.n_branches is None else (paths.branches,)
    for rows in row_blocks(X.shape[0], max(layer.bias.size for layer in network.layers)):
        H: Matrix = X[rows]
        for k, layer in enumerate(hidden):
            on = _active(layer, H)
            masks[k, rows] = on[:, paths.units[:, k]] if not lane else on[paths.branches, :, paths.units[:, k]].T
            H = layer(H)
    return masks


def _active(layer: Layer, H: Matrix) -> Masks:
    """As the layer's output: True on the side of 0 where the neuron, or its gate, is open."""
    if layer.activation == "linear":
        return np.ones(layer(H).shape, dtype=bool)
    if layer.gate is not None and layer.gate_bias is not None:
        return H @ layer.gate + layer.gate_bias[..., None, :] >= 0
    z = H @ layer.weight + layer.bias[..., None, :]
    return z >= 0 if not ACTIVATIONS[layer.activation].zero_at_zero else z > 0


def _lane(network: Network, b: int) -> list[Matrix]:
    """The layers of one branch as signed weights from one neuron to the next: (1, m_1), (m_1, m_2), ..., (m_L, 1)."""
    layers = network.layers
    weights = [layer.weight if layer.weight.ndim == 2 else layer.weight[b] for layer in layers]
    bias = layers[0].bias if layers[0].bias.ndim == 1 else layers[0].bias[b]
    into = np.sqrt((weights[0] ** 2).sum(axis=0) + bias**2)
    largest = np.abs(weights[-1]).argmax(axis=1)
    sign = np.where(weights[-1][np.arange(largest.size), largest] < 0, -1.0, 1.0)
    return [into[None], *weights[1:-1], (sign * np.linalg.norm(weights[-1], axis=1))[:, None]]


def _largest(weights: list[Matrix], count: int) -> tuple[NDArray[np.intp], Vector]:
    """(k, L), (k,): the paths of largest product, exactly: those into a neuron extend the largest ones into others."""
    units = np.zeros((1, 1, 0), dtype=np.intp)  # (m, k, l): the best k paths that end in each of m neurons
    values: Matrix = np.ones((1, 1))
    for W in weights:
        m, k = values.shape
        products = (values[:, :, None] * W[:, None, :]).reshape(m * k, W.shape[1])
        best = np.argsort(-np.abs(products), axis=0, kind="stable")[:count]
        before = np.concatenate([units, np.broadcast_to(np.arange(m)[:, None, None], (m, k, 1))], axis=2)
        units = before.reshape(m * k, before.shape[2])[best.T]
        values = np.take_along_axis(products, best, axis=0).T
    return units[0][:, 1:], values[0]

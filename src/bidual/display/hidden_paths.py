"""Paths through the hidden layers of a network: one neuron of each, and the weights between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.activations import ACTIVATIONS
from bidual.gates import GateNetwork, Paths
from bidual.network import Layer, Network
from bidual.operators.blocks import row_blocks
from bidual.typing import Matrix, Outputs, Rows, Vector


@dataclass(frozen=True)
class HiddenPaths:
    """The largest of ``total`` paths of positive size: the largest branch first, and in it the largest path.

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
    weights = [_lane(network, b) for b in range(lanes)]
    found = [_largest(lane, count) for lane in weights]
    units = np.concatenate([np.zeros((0, len(network.layers) - 1), dtype=np.intp), *(u for u, _ in found)])
    values = np.concatenate([np.zeros(0), *(v for _, v in found)])
    branches = np.repeat(np.arange(lanes), [v.size for _, v in found])
    gates = network.layers[0].paths
    if gates is not None:  # the neurons of one layer, whose gates have branches
        branches = gates[0, units[:, 0]]
    kept = np.argsort(-np.abs(values), kind="stable")[:count]
    kept = kept[values[kept] != 0]
    order = by_branch(np.abs(values[kept]), branches[kept])
    kept = kept[order]
    total = sum(int(reduce(np.matmul, [(W != 0).astype(np.float64) for W in lane])[0, 0]) for lane in weights)
    return HiddenPaths(units[kept], branches[kept], np.abs(values[kept]), np.where(values[kept] < 0, -1.0, 1.0), total)


def outgoing(network: Network) -> tuple[Outputs, Vector]:
    """(m, c), (m,) for the neurons of the first layer, branch after branch: the sums over their paths to the outputs of
    the products of the weights, and of their lengths."""
    last = network.layers[-1].weight
    A, lengths = last, np.linalg.norm(last, axis=-1)
    for layer in network.layers[-2:0:-1]:
        A, lengths = layer.weight @ A, (np.abs(layer.weight) @ lengths[..., None])[..., 0]
    return A.reshape(-1, network.n_outputs), lengths.ravel()


def by_branch(sizes: Vector, branches: NDArray[np.intp]) -> NDArray[np.intp]:
    """The order with the branch of the largest sum of sizes first, and in it the largest size."""
    weight = np.bincount(branches, sizes) if sizes.size else sizes
    return np.lexsort((-sizes, branches, -weight[branches]))


def active_paths(network: Network, X: Rows, paths: HiddenPaths) -> Matrix:
    """(L, n, k): 1 where the neuron of each hidden layer on each path is active at each row, else 0; of filters, the
    share of patches. Where a gate is itself a path through a network of gates, each layer of these stands for the
    layer."""
    hidden = network.layers[:-1]
    gates = [bias.size for layer in hidden if layer.gates is not None for bias in layer.gates.biases]
    patches = 1 if hidden[0].patches is None else hidden[0].patches.count
    blocks = row_blocks(X.shape[0], patches * max([layer.bias.size for layer in network.layers] + gates))
    return np.concatenate([_active_block(hidden, X[rows], paths) for rows in blocks], axis=1)


def _active_block(hidden: Sequence[Layer], H: Matrix, paths: HiddenPaths) -> Matrix:
    masks: list[Matrix] = []
    for layer, units in zip(hidden, paths.units.T, strict=True):
        for on in _active(layer, H if layer.patches is None else layer.patches(H)):
            if layer.patches is not None:
                on = on.reshape(-1, layer.patches.count, on.shape[1]).mean(axis=1)
            masks.append(on[:, units] if layer.n_branches is None else on[paths.branches, :, units].T)
        H = layer(H)
    return np.array(masks, dtype=np.float64)


def _active(layer: Layer, H: Matrix) -> list[NDArray[Any]]:
    """Where what enters the activation, or the gate, is on the side that the activation calls open; one for each layer
    of gates."""
    if layer.activation == "linear":
        return [np.ones((H @ layer.weight).shape, dtype=bool)]
    if layer.gates is not None and layer.paths is not None:
        return [Z >= 0 for Z in _gate_values(layer.gates, layer.paths, H)]
    if layer.gate is not None and layer.gate_bias is not None:
        return [H @ layer.gate + layer.gate_bias[..., None, :] >= 0]
    z = H @ layer.weight + layer.bias[..., None, :]
    return [z >= 0 if not ACTIVATIONS[layer.activation].zero_at_zero else z > 0]


def _gate_values(gates: GateNetwork, paths: Paths, X: Matrix) -> Iterator[Matrix]:
    """(n, m) for each layer of gates: the pre-activations of its units on the paths."""
    H: Matrix = X
    for weight, bias, units in zip(gates.weights, gates.biases, paths[1:], strict=True):
        Z = H @ weight + bias[:, None, :]
        yield Z[paths[0], :, units].T
        H = np.maximum(Z, 0.0)


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

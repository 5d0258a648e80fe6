"""What every architecture promises."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Architecture, Neurons, Patterns, PiecewiseLinear
from bidual.architectures.patterns import first_of_each
from bidual.errors import RefusedError
from bidual.testing.examples import SIZES, random_dual, random_network, random_neurons, require
from bidual.typing import Outputs, Rows


def check_architecture(architecture: Architecture, seed: int = 0) -> None:
    """Raise AssertionError if the architecture breaks a promise of :class:`~bidual.architectures.Architecture`.

    Random networks judge the neuron bounds: ``|<V, f(X)>| <= bound(V) size(f)`` must hold for every V and f.
    """
    rng = np.random.default_rng(seed)
    for n, d, c in SIZES:
        d = architecture.n_features or d
        X = rng.standard_normal((n, d))
        Xl = architecture.lift(X)
        seen = X if architecture.patches is None else architecture.patches(X)
        require(np.array_equal(Xl[:, : seen.shape[1]], seen), f"{architecture!r}.lift changes the features")
        _network_map(architecture, X, Xl, c, rng)
        patterns = _all_patterns(architecture, Xl, rng)
        for _ in range(3):
            V = random_dual(np.empty((n, c)), True, rng)
            _bounds(architecture, X, Xl, patterns, V, rng)
            _prices(architecture, X, Xl, patterns, V)


def _network_map(architecture: Architecture, X: Rows, Xl: Rows, c: int, rng: np.random.Generator) -> None:
    name, m = repr(architecture), 5
    neurons, t, b = random_neurons(architecture, Xl.shape[1], c, m, rng), rng.exponential(size=m), rng.normal(size=c)
    network = architecture.to_network(neurons, t, b)
    F = (architecture.activations(Xl, neurons) * t) @ neurons.outputs.T + b
    require(np.allclose(network(X), F, atol=1e-12), f"{name}.to_network does not predict what its activations say")
    size = architecture.size(network)
    require(abs(size - t.sum()) <= 1e-12 * t.sum(), f"{name}.size is {size!r}, the amplitudes sum to {t.sum()!r}")
    back, amplitudes = architecture.from_network(network)
    again = architecture.to_network(back, amplitudes, b)
    require(np.allclose(again(X), F, atol=1e-12), f"{name}.from_network and to_network change the function")
    if not isinstance(architecture.units, PiecewiseLinear):
        return
    hidden, last = network.layers
    decay = float(np.sum(hidden.weight**2) + np.sum(last.weight**2))
    decay += float(np.sum(hidden.bias**2)) if architecture.bias == "penalized" else 0.0
    require(abs(0.5 * decay - size) <= 1e-9 * size, f"half the weight decay of {name}.to_network is not its size")


def _all_patterns(architecture: Architecture, Xl: Rows, rng: np.random.Generator) -> Patterns:
    try:
        patterns, rank = architecture.all_patterns(Xl), int(np.linalg.matrix_rank(Xl))
    except RefusedError:
        return architecture.sample(Xl, 500, 0)
    most = architecture.most_patterns(Xl.shape[0], rank)
    require(len(patterns) <= most, f"{architecture!r} lists {len(patterns)} patterns, more than most_patterns={most}")
    require(first_of_each(patterns.masks).size == len(patterns), f"{architecture!r}.all_patterns repeats a pattern")
    drawn = architecture.patterns(Xl, random_neurons(architecture, Xl.shape[1], 1, 500, rng))
    known = {mask.tobytes() for mask in patterns.masks.T}
    missing = sum(mask.tobytes() not in known for mask in drawn.masks.T)
    require(missing == 0, f"{missing} of 500 random neurons have a pattern that {architecture!r}.all_patterns misses")
    return patterns


def _bounds(
    architecture: Architecture, X: Rows, Xl: Rows, patterns: Patterns, V: Outputs, rng: np.random.Generator
) -> None:
    p, c = Xl.shape[1], V.shape[1]
    listed = architecture.on_patterns(Xl, patterns, V, 0.0).bound
    hurried = architecture.on_patterns(Xl, patterns, V, np.inf).bound
    up = np.stack([V.T, -V.T], axis=1) > 0
    touch = np.where(up, 0.1 + rng.exponential(size=up.shape), rng.uniform(-1.0, 1.0, size=up.shape))
    bounds = {
        "norm_bound": architecture.norm_bound(Xl, V),
        "semidefinite_bound": architecture.semidefinite_bound(Xl, V, touch),
        "on_patterns": listed,
        "floor": hurried,
    }
    for label, bound in bounds.items():
        for m in (1, 1, 1, 1, 4):
            network = random_network(architecture, p, c, m, rng)
            reached = abs(float(np.sum(V * network(X))))
            most = bound * architecture.size(network) * (1.0 + 1e-9)
            require(
                reached <= most, f"{architecture!r}: a network reaches {reached:g}, over the bound {most:g} by {label}"
            )
    some = Patterns(patterns.masks[:, ::2], patterns.gates[:, ::2])
    fewer = architecture.on_patterns(Xl, some, V, 0.0).bound
    require(fewer <= listed * (1.0 + 1e-9), f"{architecture!r}: fewer patterns have a larger bound")


def _prices(architecture: Architecture, X: Rows, Xl: Rows, patterns: Patterns, V: Outputs) -> None:
    prices, name = architecture.on_patterns(Xl, patterns, V, 0.0), repr(architecture)
    scores = prices.scores
    require(bool((np.diff(scores) <= 0).all()), f"{name}.on_patterns does not return the best neurons first")
    top = float(scores.max(initial=0.0))
    for j in range(len(prices.neurons)):
        neuron: Neurons = prices.neurons.take(np.array([j]))
        network = architecture.to_network(neuron, np.ones(1), np.zeros(V.shape[1]))
        reached = float(np.sum(V * network(X)))
        require(abs(reached - scores[j]) <= 1e-9 * (1.0 + top), f"{name}: a score is {scores[j]!r}, but {reached!r}")
        require(abs(architecture.size(network) - 1.0) <= 1e-9, f"{name}.on_patterns returns a neuron not of size 1")
    require(top <= prices.bound * (1.0 + 1e-9), f"{name}: a neuron scores more than the proven bound")
    if len(patterns) and (architecture.outputs == "separate" or V.shape[1] == 1):
        require(prices.bound <= top * (1.0 + 1e-6) + 1e-9, f"{name}: the bound {prices.bound!r} is not tight: {top!r}")

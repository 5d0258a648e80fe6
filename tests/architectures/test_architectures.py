"""Every architecture keeps the promises of ``Architecture``; its bounds are judged by networks drawn without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import (
    Architecture,
    Bounded,
    GatedReLU,
    Linear,
    Neurons,
    ParallelGated,
    ParallelReLU3,
    ReLU,
    Tanh,
    no_neurons,
)
from bidual.errors import InvalidParameterError, RefusedError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated, Pricing, SecondMasks
from bidual.penalties import Strength
from bidual.problem import Problem

from .cases import DATA, balanced, every_architecture, every_piecewise, random_network, random_rows, slow_size

seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(DATA)


def random_case(architecture: Architecture, seed: int, kind: str, c: int) -> tuple[Problem, np.ndarray, Network]:
    """A small problem, a dual vector that is feasible for its intercept, and a network of the class."""
    rng = np.random.default_rng(seed)
    n, d, m = int(rng.integers(1, 7)), int(rng.integers(1, 4)), int(rng.integers(0, 6))
    d = architecture.n_features or d
    intercept = architecture.bias == "free" or bool(rng.uniform() < 0.5)
    X, V = random_rows(rng, n, d, kind), rng.normal(size=(n, c))
    V = balanced(V) if intercept else V
    problem = Problem(X, V, Squared(), architecture, Strength(1.0), intercept=intercept)
    return problem, V, random_network(architecture, rng, d, c, m, intercept)


def enumerated(problem: Problem, V: np.ndarray) -> Pricing | None:
    """None where enumeration is refused because gates on hyperplanes have masks that no cell has."""
    nothing = no_neurons(problem.lifted.shape[1], V.shape[1], problem.architecture.gated)
    oracle = SecondMasks() if isinstance(problem.architecture, ParallelReLU3) else Enumerated()
    try:
        return oracle.price(problem, V, nothing, 0.0, np.random.default_rng(0))
    except RefusedError:
        bare = problem.architecture.gated and problem.architecture.bias == "none"
        assert bare or isinstance(problem.architecture, Tanh | ParallelGated)
        return None


@every_architecture
@pytest.mark.parametrize("c", [1, 2])
@given(seed=seeds, kind=kinds)
@settings(max_examples=12, deadline=None)
def test_no_network_scores_more_than_the_bounds(architecture: Architecture, c: int, seed: int, kind: str) -> None:
    problem, V, network = random_case(architecture, seed, kind, c)
    score, size = abs(np.sum(V * network(problem.X))), slow_size(architecture, network)
    assert architecture.size(network) == pytest.approx(size, rel=1e-12)
    if size == 0.0:
        assert score <= 1e-12
        return
    assert score <= architecture.norm_bound(problem.lifted, V) * size * (1 + 1e-9) + 1e-12
    priced = enumerated(problem, V)
    if priced is not None and priced.dual.bound.scope == "global":
        assert score <= priced.dual.bound.value * size * (1 + 1e-9) + 1e-12


@every_architecture
@given(seed=seeds, kind=kinds)
@settings(max_examples=12, deadline=None)
def test_bounds_of_all_cells_are_attained(architecture: Architecture, seed: int, kind: str) -> None:
    problem, V, _ = random_case(architecture, seed, kind, 1)
    priced = enumerated(problem, V)
    if priced is None:
        return
    bound = priced.dual.bound.value
    assert bound <= priced.best_found * (1 + 1e-7) + 1e-8 or not np.isfinite(bound)
    assert architecture.norm_bound(problem.lifted, V) >= priced.best_found * (1 - 1e-9) - 1e-8
    for j, score in enumerate(priced.scores[:5]):
        network = architecture.to_network(priced.neurons.take(np.array([j])), np.ones(1), np.zeros(1))
        assert np.sum(V * network(problem.X)) == pytest.approx(score, abs=1e-9)
        assert slow_size(architecture, network) == pytest.approx(1.0)


@every_architecture
@pytest.mark.parametrize("c", [1, 2])
@given(seed=seeds, kind=kinds, share=st.sampled_from([0.0, 0.5, 0.9, 2.0]))
@settings(max_examples=12, deadline=None)
def test_scores_on_patterns_stay_below_the_bound(
    architecture: Architecture, c: int, seed: int, kind: str, share: float
) -> None:
    problem, V, _ = random_case(architecture, seed, kind, c)
    patterns = architecture.sample(problem.lifted, 6, seed % 1000)
    exact = architecture.on_patterns(problem.lifted, patterns, V, 0.0)
    floor = share * exact.bound if np.isfinite(exact.bound) else share
    prices = architecture.on_patterns(problem.lifted, patterns, V, floor)
    assert (prices.scores <= prices.bound * (1 + 1e-9) + 1e-9).all()
    assert (np.diff(prices.scores) <= 0).all()
    assert prices.bound >= exact.bound * (1 - 1e-7)
    assert prices.bound <= max(exact.bound, floor) * (1 + 1e-7) + 1e-9
    best = max(exact.scores.max(initial=0.0), 0.0)
    assert best <= floor * (1 + 1e-9) or prices.scores.max(initial=0.0) == pytest.approx(best, abs=1e-8)


@every_architecture
@pytest.mark.parametrize("c", [1, 3])
@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_networks_survive_the_round_trip(architecture: Architecture, c: int, seed: int) -> None:
    problem, _, network = random_case(architecture, seed, "gauss", c)
    neurons, t = architecture.from_network(network)
    ones = np.ones(len(neurons))
    np.testing.assert_allclose(
        architecture.input_norm(neurons.inputs) * architecture.output_norm(neurons.outputs), ones
    )
    assert (t > 0).all() and t.sum() == pytest.approx(slow_size(architecture, network))
    b = network.layers[-1].bias.reshape(-1, c).sum(axis=0)
    again = architecture.to_network(neurons, t, b)
    # A unit with a free bias and no weights is a constant, which is the intercept's to give; here none has.
    np.testing.assert_allclose(again(problem.X), network(problem.X), atol=1e-9)
    assert architecture.size(again) == pytest.approx(t.sum())
    H = architecture.activations(problem.lifted, neurons)
    np.testing.assert_allclose(again(problem.X), (H * t) @ neurons.outputs.T + b, atol=1e-9)
    assert architecture.refusal(network, problem.X.shape[1], c, problem.intercept) is None
    if isinstance(architecture, Bounded):
        return
    if isinstance(architecture, ParallelReLU3):
        first, second, last = again.layers
        assert (np.sum(first.weight**2, axis=(1, 2)) + np.sum(first.bias**2, axis=1) <= 1 + 1e-12).all()
        assert (np.sum(second.weight**2) + np.sum(last.weight**2)) / 2 == pytest.approx(t.sum())
        return
    hidden, last = again.layers
    weights = [hidden.weight] if architecture.bias == "free" else [hidden.weight, hidden.bias]
    decay = sum(float(np.sum(W**2)) for W in [*weights, last.weight]) / 2
    assert decay == pytest.approx(t.sum())


@every_architecture
@given(seed=seeds, factor=st.floats(0.01, 100.0))
@settings(max_examples=8, deadline=None)
def test_size_is_the_same_however_a_network_is_balanced(architecture: Architecture, seed: int, factor: float) -> None:
    _, _, network = random_case(architecture, seed, "gauss", 2)
    if isinstance(architecture, Bounded | ParallelReLU3):
        return
    hidden, last = network.layers
    scaled = replace(hidden, weight=factor * hidden.weight, bias=factor * hidden.bias)
    other = Network((scaled, Layer(last.weight / factor, last.bias)))
    assert architecture.size(other) == pytest.approx(architecture.size(network))


@every_architecture
@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_slopes_times_inputs_are_the_activations(architecture: Architecture, seed: int) -> None:
    problem, _, network = random_case(architecture, seed, "gauss", 1)
    if isinstance(architecture, ParallelReLU3):
        return
    neurons, _ = architecture.from_network(network)
    Xl, hidden = problem.lifted, network.layers[0]
    used = np.flatnonzero(network.layers[1].weight[:, 0])
    expected = hidden(problem.X)[:, used]
    lengths = architecture.input_norm(np.vstack([hidden.weight, hidden.bias])[: Xl.shape[1], used])
    np.testing.assert_allclose(architecture.activations(Xl, neurons), expected / lengths, atol=1e-12)


def test_a_gate_through_a_row_is_open_there() -> None:
    architecture, X = GatedReLU(), np.array([[0.0], [1.0], [2.0]])
    Xl, one = architecture.lift(X), np.ones(1)
    neurons = Neurons(np.array([[1.0], [1.0]]), np.ones((1, 1)), np.array([[1.0], [-1.0]]))
    assert architecture.patterns(Xl, neurons).masks[:, 0].tolist() == [False, True, True]
    np.testing.assert_array_equal(architecture.activations(Xl, neurons), [[0.0], [2.0], [3.0]])
    np.testing.assert_allclose(architecture.to_network(neurons, one, 0 * one)(X), [[0.0], [2.0], [3.0]])


@every_piecewise
def test_most_patterns_bounds_their_number(architecture: Architecture) -> None:
    for seed, kind in enumerate(DATA):
        X = architecture.lift(random_rows(np.random.default_rng(seed), 5, architecture.n_features or 2, kind))
        most = architecture.most_patterns(5, int(np.linalg.matrix_rank(X)))
        try:
            cells = architecture.all_patterns(X)
        except RefusedError:
            assert isinstance(architecture, ParallelGated) or architecture.gated and architecture.bias == "none"
            continue
        assert 1 <= len(cells) <= most
        assert len(cells.distinct()) == len(cells)


def test_separate_bound_is_the_largest_of_its_outputs_and_shared_lies_above() -> None:
    rng = np.random.default_rng(3)
    X, V = random_rows(rng, 6, 2), rng.normal(size=(6, 3))
    for kind in (ReLU, GatedReLU, Linear):
        each = [enumerated(Problem(X, v[:, None], Squared(), kind(), Strength(1.0)), balanced(v[:, None])) for v in V.T]
        both = [
            enumerated(Problem(X, V, Squared(), kind(outputs=outputs), Strength(1.0)), balanced(V))
            for outputs in ("separate", "shared")
        ]
        highest = max(one.dual.bound.value for one in each)
        assert both[0].dual.bound.value == pytest.approx(highest)
        assert both[1].best_found >= highest * (1 - 1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReLU(1.0), "slope must lie in"),
        (lambda: ReLU(-1.5), "slope must lie in"),
        (lambda: ReLU(np.nan), "slope must lie in"),
        (lambda: GatedReLU("free"), "bias='free'"),
        (lambda: Linear("free"), "bias='free'"),
    ],
)
def test_refused_parameters(make, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        make()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda hidden, last: Network((hidden,)), "one hidden layer"),
        (lambda hidden, last: Network((hidden, hidden, last)), "one hidden layer"),
        (lambda hidden, last: Network((Layer(hidden.weight, hidden.bias), last)), "units"),
        (lambda hidden, last: Network((Layer(hidden.weight, hidden.bias, "relu", 0.1), last)), "units"),
        (lambda hidden, last: Network((hidden, Layer(last.weight, last.bias, "tanh"))), "units"),
        (lambda hidden, last: Network((Layer(hidden.weight, [1.0, 0.0], "relu"), last)), "biases"),
        (lambda hidden, last: Network((hidden, Layer(last.weight, [1.0]))), "intercept"),
        (lambda hidden, last: Network((hidden, Layer(np.ones((2, 2)), np.zeros(2)))), "outputs"),
        (lambda hidden, last: Network((Layer(np.ones((3, 2)), np.zeros(2), "relu"), last)), "features"),
    ],
)
def test_networks_of_another_class_are_refused(change, message: str) -> None:
    hidden, last = Layer(np.eye(2), np.zeros(2), "relu"), Layer(np.ones((2, 1)), np.zeros(1))
    architecture = ReLU(bias="none")
    assert architecture.refusal(Network((hidden, last)), 2, 1, False) is None
    assert message in str(architecture.refusal(change(hidden, last), 2, 1, False))


def test_neurons_take_and_join() -> None:
    a = Neurons(np.eye(3), np.ones((1, 3)), np.eye(3))
    both = a.take(np.array([0])).join(a.take(np.array([2])))
    np.testing.assert_array_equal(both.inputs, np.eye(3)[:, [0, 2]])
    np.testing.assert_array_equal(both.gates, both.inputs)
    assert len(no_neurons(3, 1).join(Neurons(np.eye(3), np.ones((1, 3))))) == 3

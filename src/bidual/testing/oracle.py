"""What every oracle promises."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bidual.architectures import no_neurons
from bidual.certificate import verify_bound
from bidual.errors import RefusedError
from bidual.oracles import Oracle, Pricing
from bidual.problem import Problem
from bidual.testing.examples import example_problems, random_dual, random_network, require
from bidual.typing import Outputs


def check_oracle(oracle: Oracle, problems: Sequence[Problem] | None = None, seed: int = 0) -> None:
    """Raise AssertionError if the oracle breaks a promise of :class:`~bidual.oracles.Oracle`.

    ``problems`` : those it is made for, by default a variety of small ones; it may refuse some with RefusedError, but
    not all. Random networks judge its bound: ``|<V, f(X)>| <= bound size(f)`` if the scope is global.
    """
    rng, priced = np.random.default_rng(seed), 0
    for problem in example_problems() if problems is None else problems:
        V = random_dual(problem.Y, problem.intercept, rng)
        nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
        try:
            pricing = oracle.price(problem, V, nothing, 0.0, np.random.default_rng(seed))
        except RefusedError as refusal:
            require(len(str(refusal)) > 20, f"{type(oracle).__name__} refuses without a sentence: {refusal}")
            continue
        priced += 1
        _scores(oracle, problem, V, pricing)
        _bound(oracle, problem, V, pricing, rng)
        again = oracle.price(problem, V, nothing, 0.0, np.random.default_rng(seed))
        same = abs(again.best_found - pricing.best_found) <= 1e-12 * (1.0 + pricing.best_found)
        require(same, f"{type(oracle).__name__} does not repeat its answer with the same random numbers")
    require(priced > 0, f"{type(oracle).__name__} refuses every problem of the check; pass problems it is made for")


def _scores(oracle: Oracle, problem: Problem, V: Outputs, pricing: Pricing) -> None:
    architecture, scores = problem.architecture, pricing.scores
    require(scores.shape == (len(pricing.neurons),), f"{type(oracle).__name__} returns not one score for each neuron")
    require(bool((np.diff(scores) <= 0).all()), f"{type(oracle).__name__} does not return the best neurons first")
    for j in range(len(pricing.neurons)):
        neuron = pricing.neurons.take(np.array([j]))
        network = architecture.to_network(neuron, np.ones(1), np.zeros(problem.n_outputs))
        reached = float(np.sum(V * network(problem.X)))
        fine = abs(reached - scores[j]) <= 1e-6 * (1.0 + abs(reached))
        require(fine, f"{type(oracle).__name__} states the score {scores[j]!r} for a neuron that reaches {reached!r}")


def _bound(oracle: Oracle, problem: Problem, V: Outputs, pricing: Pricing, rng: np.random.Generator) -> None:
    point = pricing.dual
    if point is None:
        return
    bound, architecture = point.bound, problem.architecture
    require(
        np.array_equal(point.V, V),
        f"{type(oracle).__name__} proves a bound of another dual vector than it was asked about",
    )
    require(
        pricing.best_found <= bound.value * (1.0 + 1e-9),
        f"{type(oracle).__name__} found a neuron above its proven bound",
    )
    verify_bound(problem, point)
    if bound.scope == "patterns":
        require(bound.patterns is not None, f"{type(oracle).__name__} proves a bound over patterns it does not list")
        return
    for m in (1,) * 20 + (5,):
        network = random_network(architecture, problem.lifted.shape[1], problem.n_outputs, m, rng)
        reached, most = abs(float(np.sum(V * network(problem.X)))), bound.value * architecture.size(network)
        require(
            reached <= most * (1.0 + 1e-9),
            f"{type(oracle).__name__}: a network reaches {reached:g}, over the bound {most:g}",
        )

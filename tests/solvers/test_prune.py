"""Merging and the simplex: fewer neurons, the same predictions, no larger size."""

from __future__ import annotations

import numpy as np
import pytest
from architectures.cases import every_piecewise, random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import Architecture, Neurons, ReLU
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.prune import merge, prune
from bidual.typing import Outputs, Vector


def random_neurons(architecture: Architecture, c: int, seed: int, m: int = 30) -> tuple[Problem, Neurons, Vector]:
    """More neurons than predictions, many of them on the same patterns."""
    rng = np.random.default_rng(seed)
    d = architecture.n_features or 2
    X = rng.normal(size=(4, d))
    problem = Problem(X, np.zeros((4, c)), Squared(), architecture, Strength(1.0))
    return problem, *architecture.from_network(random_network(architecture, rng, d, c, m, False))


def predictions(problem: Problem, neurons: Neurons, t: Vector) -> Outputs:
    return (problem.architecture.activations(problem.lifted, neurons) * t) @ neurons.outputs.T


@every_piecewise
@pytest.mark.parametrize("c", [1, 2])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=5, deadline=None)
def test_fewer_neurons_are_the_same_function_and_no_larger(architecture: Architecture, c: int, seed: int) -> None:
    problem, neurons, t = random_neurons(architecture, c, seed)
    F = predictions(problem, neurons, t)
    for fewer in (merge, prune):
        kept, amplitudes = fewer(problem, neurons, t)
        np.testing.assert_allclose(predictions(problem, kept, amplitudes), F, atol=1e-6 * np.abs(F).max())
        assert (amplitudes > 0).all() and amplitudes.sum() <= t.sum() * (1 + 1e-9)
        np.testing.assert_allclose(problem.architecture.input_norm(kept.inputs), 1.0)
        if fewer is prune:
            assert len(kept) <= problem.Y.size < len(neurons)


def test_neurons_of_one_cell_become_one_for_each_sign() -> None:
    inputs = np.array([[3.0, 4.0, 0.0], [4.0, 3.0, 5.0]]) / 5
    problem = Problem(np.eye(2), np.zeros((2, 1)), Squared(), ReLU(bias="none"), Strength(1.0), intercept=False)
    merged, t = merge(problem, Neurons(inputs, np.array([[1.0, 1.0, -1.0]])), np.array([5.0, 10.0, 2.0]))
    np.testing.assert_allclose(t, [np.hypot(11.0, 10.0), 2.0])
    np.testing.assert_allclose(merged.outputs, [[1.0, -1.0]])
    np.testing.assert_allclose(merged.inputs[:, 0] * t[0], [11.0, 10.0])

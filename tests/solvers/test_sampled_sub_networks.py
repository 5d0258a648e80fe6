"""Three-layer ReLU networks on sampled patterns of both layers: they lie on them, and are proven there."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import ParallelReLU3, ReLU
from bidual.losses import Huber, Squared
from bidual.oracles import Sampled
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Status, Stop, WideProgram


def posed(first: int, penalty: Penalty, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(15, 2))
    y = np.maximum(np.abs(X[:, :1]) - 1.0, 0.0) + 0.1 * rng.normal(size=(15, 1))
    return Problem(X, y, Huber() if seed else Squared(), ParallelReLU3(first=first, seed=seed), penalty)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("penalty", [Strength(0.15), Ball(1.0)], ids=repr)
def test_the_network_lies_on_the_listed_patterns(penalty: Penalty, seed: int) -> None:
    problem = posed(20, penalty, seed)
    solution = WideProgram(Sampled(6)).solve(problem, Stop(1e-5))
    assert (solution.status, solution.certificate.scope) == (Status.OPTIMAL_ON_PATTERNS, "patterns")
    solution.certificate.verify(problem, solution.network)
    architecture, Xl = problem.architecture, problem.lifted
    neurons, _ = architecture.from_network(solution.network)
    patterns = architecture.sample(Xl, 6, 0)
    assert architecture.lies_on(Xl, neurons, patterns).any(axis=1).all() and len(neurons) > 0


def test_two_layers_are_in_the_class() -> None:
    problem = posed(12, Strength(0.02))
    masks = problem.architecture.sample(problem.lifted, 8, 0)
    assert masks.masks[:, 0].all() and len(masks) <= 8
    two = Problem(problem.X, problem.Y, problem.loss, ReLU(), problem.penalty)
    first = problem.architecture.first_patterns(problem.lifted)
    shallow = FixedPatterns(first).solve(two, Stop(1e-6)).certificate
    values = [WideProgram(Sampled(k)).solve(problem, Stop(1e-5)).certificate for k in (1, 12)]
    assert values[0].primal == pytest.approx(shallow.primal, rel=1e-4)
    assert values[1].primal < values[0].dual


@pytest.mark.parametrize("seed", [4, 5])
def test_rounding_takes_no_sub_network_off_its_patterns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(22, 3))
    y = np.maximum(np.abs(X[:, :1]) - 1.0, 0.0) + 0.1 * rng.normal(size=(22, 1))
    problem = Problem(X, y, Squared(), ParallelReLU3(first=30, seed=seed), Strength(0.03))
    solution = WideProgram(Sampled(8)).solve(problem, Stop(1e-6))
    assert solution.status == Status.OPTIMAL_ON_PATTERNS
    solution.certificate.verify(problem, solution.network)

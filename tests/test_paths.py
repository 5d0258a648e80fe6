"""The regularisation path: every strength certified, with the answers of a cold start, at a fraction of the work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.architectures import GatedReLU, ReLU
from bidual.architectures.patterns import sample
from bidual.errors import InvalidParameterError
from bidual.losses import LOSSES, Logistic, Loss, Squared
from bidual.oracles import Enumerated, Listed
from bidual.paths import falling_strengths, path
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import FixedPatterns, Stop, WorkingSet
from bidual.solvers.inner.group_newton import group_newton
from bidual.testing.examples import random_targets

SMOOTH = [loss() for loss in LOSSES.values() if loss.smooth]


def gated(loss: Loss, n: int = 40) -> Problem:
    rng = np.random.default_rng(0)
    return Problem(rng.normal(size=(n, 3)), random_targets(loss, n, 2, rng), loss, GatedReLU(), Strength(1.0))


@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_certified_from_no_neuron_on(loss: Loss) -> None:
    problem = gated(loss)
    patterns = sample(problem.lifted, 20, 0)
    strengths = falling_strengths(problem, Listed(patterns), 5, 0.03)
    solutions = list(path(problem, FixedPatterns(patterns), strengths, Stop(1e-6)))
    neurons = [solution.network.n_neurons for solution in solutions]
    assert neurons[0] == 0 < neurons[1]
    for beta, solution in zip(strengths, solutions, strict=True):
        at = Problem(problem.X, problem.Y, loss, problem.architecture, Strength(beta))
        solution.certificate.verify(at, solution.network)
        assert solution.certificate.relative_gap <= 1e-6
        cold = FixedPatterns(patterns).solve(at, Stop(1e-6))
        assert solution.certificate.primal == pytest.approx(cold.certificate.primal, rel=2e-6)


def test_of_exact_networks() -> None:
    X = np.linspace(-1.0, 1.0, 12).reshape(-1, 1)
    problem = Problem(X, np.abs(X), Squared(), ReLU(), Strength(1.0))
    strengths = falling_strengths(problem, Enumerated(), 4, 0.01)
    solutions = list(path(problem, WorkingSet(), strengths))
    assert all(solution.status.value == "optimal" for solution in solutions)
    assert solutions[0].network.n_neurons == 0 < solutions[1].network.n_neurons


@pytest.mark.parametrize("loss", [Squared(), Logistic()], ids=repr)
def test_a_strength_costs_fewer_than_50_passes(loss: Loss) -> None:
    """On average over 20 strengths down to a thousandth, each to a gap of 1e-6."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(500, 9)), np.ones(500)])
    Y = np.maximum(X @ rng.normal(size=(10, 10)), 0) @ rng.normal(size=(10, 1))
    Y = (Y - Y.mean()) / Y.std() + 0.1 * rng.normal(size=(500, 1))
    Y = np.sign(Y) if loss.targets == "signs" else Y
    patterns = sample(X, 200, 1)
    problem = Problem(X, Y, loss, GatedReLU(bias="none"), Strength(1.0), None, False)
    program = Program(problem, patterns)
    blocks, b, flops = program.blocks(), np.zeros(1), 0.0
    for beta in falling_strengths(problem, Listed(patterns)):
        program = Program(Problem(X, Y, loss, GatedReLU(bias="none"), Strength(beta), None, False), patterns)
        step = next(step for step in group_newton(program, blocks, b) if step.gap <= 1e-6)
        blocks, b, flops = replace(blocks, weight=program.dense(step.U)[:, :, 0]), step.b, flops + program.data.flops
    assert flops / 20 <= 50 * 4 * 500 * 10 * len(patterns)


def test_refusals() -> None:
    problem = gated(Squared())
    with pytest.raises(InvalidParameterError, match="strengths must be positive finite numbers, got -1"):
        next(path(problem, FixedPatterns(), [1.0, -1.0]))
    with pytest.raises(InvalidParameterError, match="least in"):
        falling_strengths(problem, Listed(sample(problem.lifted, 5, 0)), least=0.0)
    constant = Problem(problem.X, np.ones((40, 2)), Squared(), GatedReLU(), Strength(1.0))
    with pytest.raises(InvalidParameterError, match="no neuron scores"):
        falling_strengths(constant, Listed(sample(problem.lifted, 5, 0)))

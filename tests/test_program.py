"""The finite program against its own definition, written out pattern by pattern."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import Architecture, GatedReLU, Linear, Patterns, ReLU
from bidual.errors import InvalidDataError, RefusedError
from bidual.losses import Squared
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.program import Program

PARTS: list[Architecture] = [
    ReLU(),
    ReLU(bias="none"),
    ReLU(bias="free"),
    ReLU(slope=0.1),
    ReLU(slope=-1.0, bias="free"),
    GatedReLU(),
    GatedReLU(outputs="shared"),
    Linear(),
    Linear(bias="none", outputs="shared"),
]
every_part = pytest.mark.parametrize("architecture", PARTS, ids=repr)


def random_program(architecture: Architecture, seed: int = 0, c: int = 2) -> tuple[Program, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X, Y, weights = rng.normal(size=(7, 2)), rng.normal(size=(7, c)), rng.uniform(0.5, 2.0, size=7)
    problem = Problem(X, Y, Squared(), architecture, Strength(0.3), weights)
    return Program(problem, architecture.all_patterns(problem.lifted)), rng


def random_point(program: Program, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(U, b) inside the cones: every block is a nonnegative mixture of gates of its own pattern."""
    b = rng.normal(size=program.problem.n_outputs)
    if not program.coned:
        return rng.normal(size=program.shape), b
    draws = rng.normal(size=(program.problem.lifted.shape[1], 20_000))
    masks = program.problem.lifted @ draws >= 0
    U = np.zeros(program.shape)
    for i, mask in enumerate(program.patterns.masks.T):
        own = draws[:, (masks == mask[:, None]).all(axis=0)]
        if own.shape[1]:
            U[i] = np.einsum("pm,smc->spc", own, rng.exponential(size=(2, own.shape[1], program.shape[-1])))
    return U / max(np.abs(U).max(), 1.0), b


@every_part
def test_forward_is_the_sum_over_patterns(architecture: Architecture) -> None:
    program, rng = random_program(architecture)
    U, b = rng.normal(size=program.shape), rng.normal(size=2)
    slope = architecture.slope or 0.0
    F = np.tile(b, (7, 1))
    for i, mask in enumerate(program.patterns.masks.T):
        block = U[i, 0] - U[i, 1] if program.coned else U[i]
        F = F + np.diag(np.where(mask, 1.0, slope)) @ program.problem.lifted @ block
    np.testing.assert_allclose(program.forward(U, b), F, atol=1e-12)


@every_part
def test_adjoint_is_the_transpose(architecture: Architecture) -> None:
    program, rng = random_program(architecture, seed=1)
    U, R = rng.normal(size=program.shape), rng.normal(size=(7, 2))
    assert np.sum(program.forward(U, np.zeros(2)) * R) == pytest.approx(np.sum(U * program.adjoint(R)))


@every_part
def test_norms(architecture: Architecture) -> None:
    program, rng = random_program(architecture, seed=2)
    U = rng.normal(size=program.shape)
    norms = program.norms(U)
    if program.shared:
        assert norms == pytest.approx([np.linalg.norm(block, "nuc") for block in U])
    else:
        first = U[0, 0, :, 1] if program.coned else U[0, :, 1]
        assert (norms[0, 0, 1] if program.coned else norms[0, 1]) == pytest.approx(
            np.linalg.norm(first[:-1] if architecture.bias == "free" else first)
        )
        assert norms.shape == U.shape[:-2] + (2,)


@every_part
def test_the_network_has_the_value_of_the_program(architecture: Architecture) -> None:
    program, rng = random_program(architecture, seed=3)
    U, b = random_point(program, rng)
    assert program.violation(U) <= 1e-12
    network = program.to_network(U, b)
    np.testing.assert_allclose(network(program.problem.X), program.forward(U, b), atol=1e-9)
    assert architecture.size(network) == pytest.approx(program.norms(U).sum())
    assert program.problem.objective(network) == pytest.approx(program.objective(U, b))


@every_part
def test_negligible_blocks_are_no_neurons(architecture: Architecture) -> None:
    program, rng = random_program(architecture, seed=4)
    U, b = random_point(program, rng)
    kept = int(np.argmax(program.norms(U).reshape(len(U), -1).sum(axis=1)))
    tiny = 1e-11 * U
    tiny[kept] = U[kept]
    neurons = program.to_network(tiny, b).n_neurons
    assert 0 < neurons <= 2 * program.problem.n_outputs
    assert program.to_network(0 * U, b).n_neurons == 0


def test_violation_is_the_distance_to_the_wrong_side() -> None:
    program, _ = random_program(ReLU(bias="none"), seed=5, c=1)
    U = np.zeros(program.shape)
    i = 3
    U[i, 1, :, 0] = -program.patterns.gates[:, i]
    assert program.violation(U) == pytest.approx(np.abs(program.problem.X @ program.patterns.gates[:, i]).max())


def test_a_constant_of_a_free_bias_goes_to_the_intercept() -> None:
    program, _ = random_program(ReLU(bias="free"), c=1)
    everywhere = int(np.flatnonzero(program.patterns.masks.all(axis=0))[0])
    U, b = np.zeros(program.shape), np.array([-5.0])
    U[everywhere, 0, :, 0] = [1e-13, 0.0, 7.0]  # nearly no weight, a large bias
    U[everywhere, 1, :, 0] = [1.0, 0.0, 1e3]
    network = program.to_network(U, b)
    np.testing.assert_allclose(network(program.problem.X), program.forward(U, b), rtol=1e-9)
    assert network.n_neurons == 1 and np.abs(network.layers[0].bias).max() < 10.0


def test_a_ball_has_no_price() -> None:
    program, rng = random_program(GatedReLU())
    problem = Problem(program.problem.X, program.problem.Y, Squared(), GatedReLU(), Ball(1.0))
    program = Program(problem, program.patterns)
    U = rng.normal(size=program.shape)
    small = U / program.norms(U).sum()
    assert program.objective(U, np.zeros(2)) == np.inf
    assert program.objective(small, np.zeros(2)) == problem.loss_value(program.forward(small, np.zeros(2)))


def test_shared_relu_is_refused_with_the_remedy() -> None:
    rng = np.random.default_rng(0)
    problem = Problem(
        rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), Squared(), ReLU(outputs="shared"), Strength(1.0)
    )
    patterns = problem.architecture.all_patterns(problem.lifted)
    with pytest.raises(RefusedError, match="separate.*GatedReLU"):
        Program(problem, patterns)
    single = Problem(problem.X, problem.Y[:, :1], Squared(), ReLU(outputs="shared"), Strength(1.0))
    assert not Program(single, patterns).shared  # one output is nothing to share


def test_patterns_of_other_rows_are_refused() -> None:
    program, _ = random_program(ReLU())
    with pytest.raises(InvalidDataError, match="of 6 rows, X has 7"):
        Program(program.problem, Patterns(program.patterns.masks[:6], program.patterns.gates))

"""Parallel gated networks: the product masks of their paths are all that matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import GatedReLU, ParallelGated, Patterns
from bidual.architectures.patterns import sample
from bidual.certificate import certify
from bidual.errors import CertificateError, InvalidDataError, InvalidParameterError, RefusedError
from bidual.gates import GateNetwork
from bidual.losses import Loss, Multinomial, Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated, Sampled
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import Conic, FixedPatterns, Solution, Status, Stop, WorkingSet

ALL = 10**6


def small_problem(loss: Loss, widths: tuple[int, ...] = (3,), bias: str = "penalized", seed: int = 0) -> Problem:
    """Forty branches on few rows: many paths share their mask."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(5, 2))
    Y = np.eye(2)[[0, 1, 1, 0, 1]] if isinstance(loss, Multinomial) else rng.normal(size=(5, 2))
    gates = GateNetwork.sample(X, 40, widths, seed, bias=bias != "none")
    return Problem(X, Y, loss, ParallelGated(gates, bias), Strength(0.1))


def products(gates: GateNetwork, X: np.ndarray) -> set[bytes]:
    """The nonempty masks of all paths, layer by layer."""
    found = set()
    for branch in range(gates.n_branches):
        H, masks = X, [np.ones(len(X), dtype=bool)]
        for W, b in zip(gates.weights, gates.biases, strict=True):
            Z = H @ W[branch] + b[branch]
            masks, H = [mask & (z >= 0) for mask in masks for z in Z.T], np.maximum(Z, 0.0)
        found |= {mask.tobytes() for mask in masks if mask.any()}
    return found


@pytest.mark.parametrize("widths", [(3,), (2, 2)])
@pytest.mark.parametrize("bias", ["penalized", "none"])
@pytest.mark.parametrize("loss", [Squared(), Multinomial()], ids=repr)
def test_the_program_is_that_of_the_distinct_masks(loss: Loss, bias: str, widths: tuple[int, ...]) -> None:
    problem = small_problem(loss, widths, bias)
    patterns = problem.architecture.sample(problem.lifted, ALL, 0)
    masks = products(problem.architecture.gates, problem.X)
    assert {mask.tobytes() for mask in patterns.masks.T} == masks and len(patterns) == len(masks) < 40
    solved = FixedPatterns(n_patterns=ALL).solve(problem, Stop(1e-8))
    reference = Conic(patterns).solve(problem, Stop(1e-6))
    assert solved.status == Status.OPTIMAL_ON_PATTERNS and solved.certificate.scope == "patterns"
    assert solved.certificate.primal == pytest.approx(reference.certificate.primal, rel=1e-6)
    solved.certificate.verify(problem, solved.network)
    assert "gated by GateNetwork(40 branches" in repr(solved.network)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([(3,), (2, 2)]), st.sampled_from(["penalized", "none"]))
def test_the_network_predicts_what_the_program_does(seed: int, widths: tuple[int, ...], bias: str) -> None:
    problem, rng = small_problem(Squared(), widths, bias, seed), np.random.default_rng(seed)
    program = Program(problem, problem.architecture.sample(problem.lifted, 9, seed))
    U, b = rng.normal(size=program.shape), rng.normal(size=2)
    network = program.to_network(U, b)
    np.testing.assert_allclose(network(problem.X), program.forward(U, b), atol=1e-12)
    assert problem.objective(network) == pytest.approx(program.objective(U, b))


def test_its_size_is_that_of_the_deep_network() -> None:
    """The branches of the docstring, with the gates of their layers, compute the same and weigh as much."""
    problem = small_problem(Squared())
    gates, rng = problem.architecture.gates, np.random.default_rng(1)
    u, Xl = rng.normal(size=(3, 3)), problem.lifted  # three paths of branch 7, one output
    paths = np.array([[7, 7, 7], [0, 1, 2], [0, 0, 0]])
    size, root = np.linalg.norm(u, axis=0), np.sqrt(np.linalg.norm(u, axis=0))
    hidden = Layer(u[:2] / root, u[2] / root, "gated", gates=gates, paths=paths)
    network = Network((hidden, Layer(root[:, None] * np.array([[1.0, 0.0]]), np.zeros(2))))
    Z = problem.X @ gates.weights[0][7] + gates.biases[0][7]
    D1, d2 = Z >= 0, np.maximum(Z, 0.0) @ gates.weights[1][7] >= 0
    W1, w2 = u / root, root[:, None]
    np.testing.assert_allclose(network(problem.X)[:, :1], ((Xl @ W1) * D1) @ w2 * d2, atol=1e-12)
    assert problem.architecture.size(network) == pytest.approx(size.sum())
    assert np.linalg.norm(W1) * np.linalg.norm(w2) == pytest.approx(size.sum())


def solution() -> tuple[Problem, Solution]:
    problem = small_problem(Squared())
    return problem, FixedPatterns(n_patterns=ALL).solve(problem, Stop(1e-4))


def test_gates_of_another_network_are_another_architecture() -> None:
    problem, solved = solution()
    other = ParallelGated(GateNetwork.sample(problem.X, 40, (3,), seed=9))
    hidden, last = solved.network.layers
    for architecture in (other, GatedReLU()):
        assert "gates are" in (architecture.refusal(solved.network, 2, 2, True) or "")
    with pytest.raises(CertificateError, match="gates are"):
        solved.certificate.verify(replace(problem, architecture=other), solved.network)
    moved = Network((replace(hidden, paths=np.roll(hidden.paths, 1, axis=1)), last))
    with pytest.raises(CertificateError, match="primal"):
        solved.certificate.verify(problem, moved)
    plain = GatedReLU().layer(hidden.weight, hidden.bias, GatedReLU().from_network(gated_network())[0])
    assert "gates are" in (problem.architecture.refusal(Network((plain, last)), 2, 2, True) or "")


def gated_network() -> Network:
    problem, solved = solution()
    m = solved.network.n_neurons
    hidden = Layer(np.ones((2, m)), np.ones(m), "gated", gate=np.ones((2, m)))
    return Network((hidden, Layer(np.ones((m, 1)), np.zeros(1))))


@pytest.mark.parametrize("paths", [np.zeros((3, 1)), np.array([[40], [0], [0]]), np.zeros((2, 1), int)])
def test_listed_gates_that_are_no_paths(paths: np.ndarray) -> None:
    problem, solved = solution()
    point = solved.certificate.point
    masks = point.bound.patterns.bits.take(np.array([0]))
    forged = replace(point, bound=replace(point.bound, patterns=Patterns(masks, paths)))
    with pytest.raises(CertificateError, match="gates of shape"):
        replace(solved.certificate, point=forged).verify(problem, solved.network)
    with pytest.raises(InvalidDataError, match="gates are not of"):
        Program(problem, forged.bound.patterns)


def test_a_mask_that_is_left_out_is_missed() -> None:
    problem, solved = solution()
    bound = solved.certificate.point.bound
    fewer = replace(bound, patterns=bound.patterns.take(np.arange(1)), value=1e9)
    assert certify(problem, solved.network, listed=fewer.patterns).scope == "patterns"
    point = replace(solved.certificate.point, bound=fewer)
    forged = replace(solved.certificate, point=point, dual=point.value(problem), priced_gap=0.0)
    with pytest.raises(CertificateError, match="lies on none of the listed patterns"):
        forged.verify(problem, solved.network)


def test_other_solvers_find_the_same() -> None:
    problem, solved = solution()
    found = WorkingSet(oracle=Sampled(ALL)).solve(problem, Stop(1e-4))
    assert found.status == Status.OPTIMAL_ON_PATTERNS
    assert found.certificate.primal == pytest.approx(solved.certificate.primal, rel=2e-4)
    again = FixedPatterns(n_patterns=ALL).solve(problem, Stop(1e-4), start=solved.network)
    assert again.history[1].primal == pytest.approx(solved.certificate.primal, rel=1e-3)


def test_what_is_refused_and_why() -> None:
    problem, _ = solution()
    architecture = problem.architecture
    with pytest.raises(RefusedError, match="no cells to enumerate"):
        WorkingSet(oracle=Enumerated()).solve(problem)
    assert "no cells to enumerate" in (Conic(limit=10**9).accepts(problem) or "")
    with pytest.raises(InvalidDataError, match="networks on 2 features, X has 3"):
        replace(problem, X=np.ones((5, 3)))
    with pytest.raises(InvalidParameterError, match="antithetic"):
        FixedPatterns(antithetic=True).solve(problem)
    with pytest.raises(InvalidParameterError, match="free"):
        ParallelGated(architecture.gates, "free")
    with pytest.raises(InvalidParameterError, match="GateNetwork.sample"):
        ParallelGated(architecture.gates.weights)  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match="gates are not of"):
        Program(problem, sample(problem.lifted, 4, 0))

"""The regularisation path: every strength certified, with the answers of a cold start, at a fraction of the work."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bidual.architectures import GatedReLU, Linear, ParallelReLU3, ReLU
from bidual.architectures.patterns import sample
from bidual.certificate import Certificate, DualPoint
from bidual.errors import CertificateError, InvalidParameterError, RefusedError
from bidual.losses import LOSSES, Hinge, Logistic, Loss, Squared
from bidual.network import Network
from bidual.oracles import Listed, LocalSearch
from bidual.paths import RegularizationPath, Span, at_strength, falling_strengths, path
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import FixedPatterns, Solver, Stop, WorkingSet
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
    found = path(problem, FixedPatterns(patterns), strengths, math.inf, Stop(1e-6))
    solutions = [knot.solution for knot in found.knots]
    neurons = [solution.network.n_neurons for solution in solutions]
    assert neurons[0] == 0 < neurons[1]
    for beta, solution in zip(strengths, solutions, strict=True):
        at = Problem(problem.X, problem.Y, loss, problem.architecture, Strength(beta))
        solution.certificate.verify(at, solution.network)
        assert solution.certificate.relative_gap <= 1e-6
        cold = FixedPatterns(patterns).solve(at, Stop(1e-6))
        assert solution.certificate.primal == pytest.approx(cold.certificate.primal, rel=2e-6)


@cache
def solved(case: str) -> tuple[Problem, RegularizationPath]:
    """A path at 5 %, over a hundredfold range where neurons are found fast, else a tenfold one."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(12, 1 if case in ("enumerated", "hinge") else 4))
    Y = np.abs(X[:, :1]) + 0.2 * rng.normal(size=(12, 1))
    loss: Loss = {"logistic": Logistic(), "hinge": Hinge()}.get(case, Squared())
    architecture = GatedReLU() if case == "gated" else ReLU()
    problem = Problem(X, np.sign(Y - 0.5) if loss.targets == "signs" else Y, loss, architecture, Strength(1.0))
    patterns = sample(problem.lifted, 20, 0)
    few = None if case in ("enumerated", "hinge") else LocalSearch(5)
    solver: Solver = FixedPatterns(patterns) if case == "gated" else WorkingSet(few)
    largest = 4.0 if case == "hinge" else falling_strengths(problem, Listed(patterns), 1)[0]
    return problem, path(problem, solver, [largest, (0.01 if few is None else 0.1) * largest])


SCOPES = {"enumerated": "global", "gated": "patterns", "several features": "patterns", "logistic": "patterns"}
CASES = [*SCOPES, "hinge"]


@pytest.mark.parametrize("case", CASES)
def test_every_strength_is_certified(case: str) -> None:
    problem, found = solved(case)
    assert found.complete and found.worst <= 0.05 and 3 <= len(found.knots) <= 12
    assert found.scope == SCOPES.get(case, found.scope)
    for beta in found.least * 100 ** np.random.default_rng(0).uniform(-0.1, 1.1, 20):
        network, certificate = found.at(beta)
        certificate.verify(at_strength(problem, beta), network)
        if found.least <= beta <= found.largest:
            assert certificate.relative_gap <= found.span(beta).worst * (1 + 1e-9)
            assert certificate.scope == "global" or found.span(beta).scope == "patterns"


def test_the_optimum_of_every_strength_is_enclosed() -> None:
    problem, found = solved("enumerated")
    for beta in np.geomspace(found.largest, found.least, 7):
        optimum = WorkingSet().solve(at_strength(problem, beta), Stop(1e-9)).certificate
        _, certificate = found.at(beta)
        assert certificate.dual <= optimum.primal * (1 + 1e-12) and optimum.dual <= certificate.primal * (1 + 1e-12)


def test_a_linear_path_has_no_gap_between_its_ends() -> None:
    """One feature: the solution is soft thresholding, linear in the strength (Tibshirani 1996)."""
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    problem = Problem(x, 2.0 * x, Squared(), Linear(bias="none"), Strength(1.0))
    found = path(problem, WorkingSet(), [6.0, 1.5], stop=Stop(1e-10))
    assert len(found.spans) == 1 and found.worst < 1e-2  # the price of a piece's chord
    for beta in (5.0, 2.0):
        network, certificate = found.at(beta)
        assert certificate.relative_gap < 1e-9
        slope = 2.0 - beta / float((x**2).sum())
        np.testing.assert_allclose(network(x), slope * x, atol=1e-6)


def test_a_gap_that_the_ends_have_is_told() -> None:
    problem, found = solved("gated")
    coarse = path(problem, FixedPatterns(sample(problem.lifted, 20, 0)), [1.0, 0.5], 1e-2, Stop(0.3))
    assert not coarse.complete and 1e-2 < coarse.worst < 0.4 and (coarse.largest, coarse.least) == (1.0, 0.5)


def test_time_that_runs_out_leaves_a_covered_range() -> None:
    problem, found = solved("several features")
    cut = path(problem, WorkingSet(), [found.largest, 0.01 * found.largest], stop=Stop(time_limit=0.0))
    assert not cut.complete and cut.least == cut.largest == found.largest
    network, certificate = cut.at(0.5 * cut.largest)
    certificate.verify(at_strength(problem, 0.5 * cut.largest), network)


def test_one_strength() -> None:
    problem, found = solved("enumerated")
    one = path(problem, WorkingSet(), [0.1])
    assert len(one.knots) == 1 and one.complete and one.at(0.1)[1].scope == "global"


def between(case: str) -> tuple[Problem, Network, Certificate, Span]:
    problem, found = solved(case)
    span = found.spans[-1]
    beta = 0.5 * (span.upper.beta + span.lower.beta)
    return at_strength(problem, beta), span.network(beta), span.certificate(beta), span


def test_forged_combinations_are_rejected() -> None:
    problem, network, certificate, span = between("several features")
    point = certificate.point
    (w, first), (v, last) = point.bound.parts
    assert point.bound.method == "convex combination"

    def forged(sentence: str, V: np.ndarray = point.V, **changes: object) -> None:
        tampered = DualPoint(V, replace(point.bound, **changes))
        dual = tampered.value(problem)
        with pytest.raises(CertificateError, match=sentence):
            replace(certificate, point=tampered, dual=dual, scope=tampered.bound.scope).verify(problem, network)

    forged("not the combination of its parts", V=1.01 * point.V)
    forged("proves nothing of scope 'patterns'", parts=())
    forged("positive weights", parts=((w, first), (-v, last)))
    forged("proves nothing of scope 'global'", scope="global")
    forged("neuron bound is stated as", value=0.99 * point.bound.value)
    listed = point.bound.patterns
    assert listed is not None
    forged("another list", patterns=listed.take(np.arange(len(listed) - 1)))
    smaller = DualPoint(first.V, replace(first.bound, value=0.9 * first.bound.value))
    forged("neuron bound is stated as", parts=((w, smaller), (v, last)))


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
        path(problem, FixedPatterns(), [1.0, -1.0])
    with pytest.raises(InvalidParameterError, match="strengths is empty"):
        path(problem, FixedPatterns(), [])
    with pytest.raises(InvalidParameterError, match="eps must be a positive number, got 0"):
        path(problem, FixedPatterns(), [1.0], eps=0)
    with pytest.raises(InvalidParameterError, match="a strength must be a positive finite number, got 0"):
        solved("enumerated")[1].at(0)
    with pytest.raises(RefusedError, match="one hidden layer"):
        path(replace(problem, Y=problem.Y[:, :1], architecture=ParallelReLU3()), FixedPatterns(), [1.0])
    with pytest.raises(InvalidParameterError, match="least in"):
        falling_strengths(problem, Listed(sample(problem.lifted, 5, 0)), least=0.0)
    constant = Problem(problem.X, np.ones((40, 2)), Squared(), GatedReLU(), Strength(1.0))
    with pytest.raises(InvalidParameterError, match="no neuron scores"):
        falling_strengths(constant, Listed(sample(problem.lifted, 5, 0)))

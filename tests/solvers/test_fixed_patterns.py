"""All blocks of a list of patterns, against the interior point and the closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from bidual.architectures import GatedReLU, Linear, ReLU
from bidual.architectures.patterns import sample
from bidual.errors import InvalidParameterError
from bidual.losses import LOSSES, Hinge, Loss, Multinomial, Squared
from bidual.oracles import Listed
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import Budget, Conic, FixedPatterns, Status, Stop, WorkingSet
from bidual.solvers.inner.proximal_gradient import shrink
from bidual.testing.examples import random_targets

SMOOTH = [loss() for loss in LOSSES.values() if loss.smooth]


def gated_problem(loss: Loss, outputs: str, n: int = 12, seed: int = 0, intercept: bool = True) -> Problem:
    rng = np.random.default_rng(seed)
    Y = random_targets(loss, n, 2, rng)
    weights = rng.uniform(0.5, 2.0, size=n)
    return Problem(rng.normal(size=(n, 3)), Y, loss, GatedReLU("penalized", outputs), Strength(0.5), weights, intercept)


@pytest.mark.parametrize("outputs", ["separate", "shared"])
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_agrees_with_the_interior_point(loss: Loss, outputs: str) -> None:
    problem = gated_problem(loss, outputs)
    patterns = sample(problem.lifted, 12, seed=1)
    solution = FixedPatterns(patterns).solve(problem, Stop(tol=1e-8))
    reference = Conic(patterns).solve(problem, Stop(tol=1e-7))
    assert solution.status == reference.status == Status.OPTIMAL_ON_PATTERNS
    assert solution.certificate.primal == pytest.approx(reference.certificate.primal, rel=1e-7)
    solution.certificate.verify(problem, solution.network)


def test_agrees_with_the_working_set_on_the_same_list() -> None:
    problem = gated_problem(Squared(), "separate", n=40)
    patterns = sample(problem.lifted, 50, seed=1)
    solution = FixedPatterns(patterns).solve(problem, Stop(tol=1e-7))
    other = WorkingSet(oracle=Listed(patterns)).solve(problem, Stop(tol=1e-7))
    assert solution.certificate.primal == pytest.approx(other.certificate.primal, rel=1e-6)


def test_sampled_patterns_are_those_of_the_seed() -> None:
    problem = gated_problem(Squared(), "separate")
    drawn = FixedPatterns(n_patterns=20, seed=3).solve(problem, Stop(tol=1e-6))
    listed = FixedPatterns(sample(problem.lifted, 20, seed=3)).solve(problem, Stop(tol=1e-6))
    assert drawn.network == listed.network
    assert drawn.certificate.scope == "patterns"


def test_antithetic_patterns_cost_half_and_prove_as_much() -> None:
    problem = gated_problem(Squared(), "separate", n=60)
    patterns = sample(problem.lifted, 40, 3, antithetic=True)
    drawn = FixedPatterns(n_patterns=40, seed=3, antithetic=True).solve(problem, Stop(tol=1e-6))
    order = np.random.default_rng(0).permutation(len(patterns))
    listed = FixedPatterns(patterns.take(order)).solve(problem, Stop(tol=1e-6))
    assert drawn.status == listed.status == Status.OPTIMAL_ON_PATTERNS
    assert drawn.certificate.primal == pytest.approx(listed.certificate.primal, rel=2e-6)
    drawn.certificate.verify(problem, drawn.network)


def test_torch_proves_the_same() -> None:
    problem = gated_problem(Squared(), "separate", n=60)
    one, other = (FixedPatterns(device=device).solve(problem, Stop(tol=1e-6)) for device in ("cpu", "cpu:0"))
    assert one.status == other.status == Status.OPTIMAL_ON_PATTERNS
    assert one.certificate.primal == pytest.approx(other.certificate.primal, rel=2e-6)
    program = Program(problem, sample(problem.lifted, 200, 0))
    again = replace(program, device="cpu:0")
    U, b = np.random.default_rng(0).normal(size=program.shape), np.ones(2)
    assert again.objective(U, b) == pytest.approx(program.objective(U, b), rel=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_answer_bit_for_bit(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bidual.solvers.threads.SMALL", 0)
    problem = gated_problem(Squared(), "separate", n=300)
    with threadpool_limits(threads, "blas"):
        one, other = (FixedPatterns(n_patterns=50).solve(problem, Stop(tol=0.1)) for _ in range(2))
    assert one.network == other.network and one.certificate.dual == other.certificate.dual


def test_a_linear_network_is_the_ridge_path() -> None:
    """``min 1/2 ||Xw - y||^2 + beta ||w||``: w = nu X'lambda with ``||X'lambda|| = beta`` (duality.md 3.2)."""
    rng = np.random.default_rng(0)
    X, y, beta = rng.normal(size=(20, 5)), rng.normal(size=20), 2.0
    problem = Problem(X, y[:, None], Squared(), Linear(bias="none"), Strength(beta), intercept=False)
    solution = FixedPatterns().solve(problem, Stop(tol=1e-12))
    assert solution.status == Status.OPTIMAL and solution.certificate.method == "closed form"
    residual = y - solution.network(X)[:, 0]
    assert np.linalg.norm(X.T @ residual) == pytest.approx(beta, rel=1e-6)


def test_a_start_from_the_solution_is_the_solution() -> None:
    problem = gated_problem(Squared(), "separate")
    patterns = sample(problem.lifted, 12, seed=1)
    solver = FixedPatterns(patterns, steps=1)
    first = solver.solve(problem, Stop(tol=1e-8))
    again = solver.solve(problem, Stop(tol=1e-6), start=first.network)
    assert again.history[1].primal == pytest.approx(first.certificate.primal, rel=1e-7)
    assert len(again.history) < len(first.history)


def test_neurons_of_a_start_on_other_patterns_are_left_out() -> None:
    problem = gated_problem(Squared(), "separate")
    many = FixedPatterns(n_patterns=50).solve(problem, Stop(tol=1e-6))
    few = FixedPatterns(sample(problem.lifted, 3, seed=5)).solve(problem, Stop(tol=1e-6), start=many.network)
    assert few.status == Status.OPTIMAL_ON_PATTERNS


def test_the_steps_end() -> None:
    problem = gated_problem(Squared(), "separate")
    iterates = list(FixedPatterns(n_patterns=5, steps=100).iterates(problem, None, Budget(1e-9)))
    values = [problem.objective(iterate.network) for iterate in iterates]
    assert 1 < len(values) < 500 and values[-1] == pytest.approx(min(values), rel=1e-12)


@pytest.mark.parametrize("shared", [False, True])
def test_shrink_is_the_proximal_point(shared: bool) -> None:
    rng = np.random.default_rng(0)
    U, amount = rng.normal(size=(3, 4, 2)), 0.8

    def objective(Z: np.ndarray) -> float:
        norms = np.linalg.norm(Z, "nuc", axis=(1, 2)) if shared else np.linalg.norm(Z, axis=1)
        return 0.5 * float(np.sum((Z - U) ** 2)) + amount * float(norms.sum())

    best = shrink(U, amount, shared)
    for scale in (1e-3, 0.1, 1.0):
        for _ in range(50):
            assert objective(best) <= objective(best + scale * rng.normal(size=U.shape))
    assert not shrink(U, 100.0, shared).any()


def test_what_is_refused_and_what_to_do_instead() -> None:
    problem = gated_problem(Squared(), "separate")
    shared = replace(problem, architecture=ReLU(outputs="shared"))
    free = replace(problem, architecture=ReLU(bias="free"))
    coupled = replace(problem, architecture=ReLU(), loss=Multinomial(), Y=np.eye(2)[(problem.Y[:, 0] > 0).astype(int)])
    assert "outputs='separate'" in (FixedPatterns().accepts(shared) or "")
    assert "memory_limit=None" in (FixedPatterns(memory_limit=1e9).accepts(replace(problem, architecture=ReLU())) or "")
    for refused in (free, coupled):
        assert "WorkingSet(oracle=Listed(patterns))" in (FixedPatterns().accepts(refused) or "")
    assert "Strength" in (FixedPatterns().accepts(replace(problem, penalty=Ball(1.0))) or "")
    signs = replace(problem, loss=Hinge(), Y=np.sign(problem.Y))
    assert "squared_hinge" in (FixedPatterns().accepts(signs) or "")
    with pytest.raises(InvalidParameterError, match="n_patterns"):
        FixedPatterns(n_patterns=0)
    with pytest.raises(InvalidParameterError, match="steps"):
        FixedPatterns(steps=0)

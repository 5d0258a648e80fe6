"""The cone-penalised program against the interior point, its two limits, and what it is read as."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from bidual.architectures import GatedReLU, Patterns, ReLU
from bidual.architectures.patterns import sample
from bidual.certificate import certify
from bidual.errors import InvalidParameterError, RefusedError
from bidual.losses import Hinge, Logistic, Squared
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import ConePenalized, FixedPatterns, Stop, cone_penalized

RNG = np.random.default_rng(0)
PROBLEM = Problem(RNG.normal(size=(15, 3)), RNG.normal(size=(15, 2)), Squared(), ReLU(), Strength(0.5))
PATTERNS = sample(PROBLEM.lifted, 6, 0)


def reference(rho: float, problem: Problem = PROBLEM, patterns: Patterns = PATTERNS) -> float:
    """The squared loss, by the interior point."""
    Xl, n = problem.lifted, len(problem.X)
    F, cost = cp.Variable((1, 2)), 0.0
    predictions = np.ones((n, 1)) @ F
    for mask in patterns.masks.T:
        for sign in (1.0, -1.0):
            u = cp.Variable((Xl.shape[1], 2))
            predictions += sign * (Xl * mask[:, None]) @ u
            side = Xl * np.where(mask, 1.0, -1.0)[:, None]
            cost += 0.5 * cp.sum(cp.norm(u, 2, axis=0)) + rho / n * cp.sum(cp.pos(-side @ u))
    return cp.Problem(cp.Minimize(0.5 * cp.sum_squares(predictions - problem.Y) + cost)).solve(solver=cp.CLARABEL)


@pytest.mark.parametrize("rho", [0.01, 1.0, 5.0])
def test_it_is_the_program_it_says(rho: float) -> None:
    solved, optimum = cone_penalized(PROBLEM, PATTERNS, rho, 1e-3), reference(rho)
    assert solved.dual <= optimum * (1 + 1e-7) and optimum <= solved.objective * (1 + 1e-7)
    assert solved.relative_gap <= 1e-3


def test_no_price_is_gated_and_a_high_one_keeps_to_the_cones() -> None:
    gated = FixedPatterns(PATTERNS).solve(replace(PROBLEM, architecture=GatedReLU()), Stop(1e-6)).certificate.primal
    coned = FixedPatterns(PATTERNS).solve(PROBLEM, Stop(1e-6)).certificate.primal
    free, steep = cone_penalized(PROBLEM, PATTERNS, 1e-6), cone_penalized(PROBLEM, PATTERNS, 30.0, 1e-2)
    assert free.objective == pytest.approx(gated, rel=2e-3) and steep.objective == pytest.approx(coned, rel=2e-2)
    assert free.violation > 1.0 > 0.05 > steep.violation
    assert gated * (1 - 1e-6) <= free.objective <= steep.objective <= coned * 1.02


def test_each_network_is_certified_as_what_it_is() -> None:
    solved = cone_penalized(PROBLEM, PATTERNS, 1.0)
    for network, architecture in ((solved.gated, GatedReLU()), (solved.relu, ReLU())):
        problem = replace(PROBLEM, architecture=architecture)
        certificate = certify(problem, network, listed=PATTERNS)
        certificate.verify(problem, network)
        assert certificate.primal == problem.objective(network) and certificate.relative_gap > 1e-3
    gated = replace(PROBLEM, architecture=GatedReLU())
    assert gated.objective(solved.gated) <= solved.objective < PROBLEM.objective(solved.relu)


def test_other_losses_and_weights() -> None:
    Y, weights = np.sign(PROBLEM.Y[:, :1]), RNG.uniform(0.5, 2.0, size=15)
    problem = Problem(PROBLEM.X, Y, Logistic(), ReLU(bias="none"), Strength(0.3), weights, intercept=False)
    solved = cone_penalized(problem, sample(problem.lifted, 6, 0), 0.5)
    assert isinstance(solved, ConePenalized) and 0.0 < solved.dual <= solved.objective <= solved.dual / (1 - 1e-3)


def test_what_is_refused() -> None:
    signs = replace(PROBLEM, loss=Hinge(), Y=np.sign(PROBLEM.Y))
    changes = [replace(PROBLEM, architecture=kind) for kind in (GatedReLU(), ReLU(0.1), ReLU(bias="free"))]
    for problem in [*changes, replace(PROBLEM, architecture=ReLU(outputs="shared")), signs]:
        with pytest.raises(RefusedError, match="cone_penalized"):
            cone_penalized(problem, PATTERNS)
    with pytest.raises(RefusedError, match="Strength"):
        cone_penalized(replace(PROBLEM, penalty=Ball(1.0)), PATTERNS)
    with pytest.raises(InvalidParameterError, match="rho"):
        cone_penalized(PROBLEM, PATTERNS, -1.0)

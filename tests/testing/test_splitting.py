"""Operator splitting and Newton's method, which share no step, agree."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from bidual.architectures import GatedReLU, ReLU
from bidual.architectures.patterns import sample
from bidual.errors import RefusedError
from bidual.losses import LOSSES, Hinge, Loss, Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import Conic, FixedPatterns, Stop
from bidual.testing import graph_splitting
from bidual.testing.examples import random_targets


def gated(loss: Loss, outputs: str) -> Problem:
    rng = np.random.default_rng(0)
    Y, weights = random_targets(loss, 40, 3, rng), rng.uniform(0.5, 2.0, size=40)
    return Problem(rng.normal(size=(40, 4)), Y, loss, GatedReLU(outputs=outputs), Strength(1.0), weights)


@pytest.mark.parametrize("outputs", ["separate", "shared"])
@pytest.mark.parametrize("loss", [loss() for loss in LOSSES.values()], ids=repr)
def test_agrees_with_the_solvers(loss: Loss, outputs: str) -> None:
    problem = gated(loss, outputs)
    patterns = sample(problem.lifted, 30, 0)
    program = Program(problem, patterns)
    solver = Conic(patterns) if isinstance(loss, Hinge) else FixedPatterns(patterns)
    optimum = solver.solve(problem, Stop(1e-7)).certificate
    U, b, V = next(islice(graph_splitting(program), 3000, None))
    assert program.objective(U, b) == pytest.approx(optimum.primal, rel=1e-6)
    V = problem.feasible(V)
    C = program.adjoint(V)
    kappa = np.linalg.svd(C, compute_uv=False)[:, 0].max() if program.shared else np.linalg.norm(C, axis=1).max()
    assert problem.dual(V, float(kappa)) == pytest.approx(optimum.primal, rel=1e-6)


def test_refuses_cones_and_many_rows() -> None:
    problem = gated(Squared(), "separate")
    coned = Problem(problem.X, problem.Y, Squared(), ReLU(), Strength(1.0))
    with pytest.raises(RefusedError, match="without cones"):
        next(graph_splitting(Program(coned, sample(coned.lifted, 5, 0))))

"""More features than rows: the same networks as without the short cut, proven for the features themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual import program as programs
from bidual.architectures import GatedReLU, Linear, ParallelGated, ReLU
from bidual.architectures.base import Architecture, Bias
from bidual.gates import GateNetwork
from bidual.losses import Squared
from bidual.oracles import LocalSearch
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Status, Stop, WorkingSet
from bidual.solvers.row_space import RowSpace

n, d = 12, 30


def posed(architecture: Architecture) -> Problem:
    rng = np.random.default_rng(0)
    return Problem(rng.normal(size=(n, d)), rng.normal(size=(n, 2)), Squared(), architecture, Strength(0.5))


@pytest.mark.parametrize("bias", ["penalized", "none"])
@pytest.mark.parametrize("slope", [0.0, 0.01, -1.0])
def test_searching_in_the_row_space_loses_nothing(slope: float, bias: Bias) -> None:
    problem = posed(ReLU(bias=bias, slope=slope))
    few = RowSpace.of(problem)
    assert few is not None and few.inner.X.shape == (n, n)
    solver = WorkingSet(oracle=LocalSearch())
    found, inner = solver.solve(problem, Stop(1e-4)), solver.solve(few.inner, Stop(1e-4))
    assert found.status == inner.status == Status.OPTIMAL_ON_PATTERNS
    assert found.certificate.primal == pytest.approx(inner.certificate.primal, rel=1e-3)
    found.certificate.verify(problem, found.network)
    again = solver.solve(problem, Stop(1e-4), start=found.network)
    assert again.history[1].primal == pytest.approx(found.certificate.primal, rel=1e-3)


@pytest.mark.parametrize("architecture", [ReLU(bias="free"), GatedReLU(), Linear()], ids=repr)
def test_where_it_does_not_apply(architecture: Architecture) -> None:
    assert RowSpace.of(posed(architecture)) is None
    few_features = replace(posed(ReLU()), X=posed(ReLU()).X[:, :5])
    assert RowSpace.of(few_features) is None


@pytest.mark.parametrize("outputs", ["separate", "shared"])
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("bias", ["penalized", "none"])
def test_free_blocks_are_those_of_the_features(
    bias: Bias, large: bool, outputs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A memory limit keeps the features."""
    monkeypatch.setattr(programs, "LARGE", 0.0 if large else np.inf)
    problem = posed(GatedReLU(bias=bias, outputs=outputs))
    few, many = (FixedPatterns(n_patterns=50, memory_limit=limit) for limit in (None, 1e9))
    found, other = few.solve(problem, Stop(1e-5)), many.solve(problem, Stop(1e-5))
    assert found.status == other.status == Status.OPTIMAL_ON_PATTERNS
    assert found.certificate.primal == pytest.approx(other.certificate.primal, rel=2e-5)
    found.certificate.verify(problem, found.network)
    again = few.solve(problem, Stop(1e-5), start=other.network)
    assert again.history[1].primal == pytest.approx(found.certificate.primal, rel=1e-3)


def test_paths_of_gates() -> None:
    problem = posed(Linear())
    problem = replace(problem, architecture=ParallelGated(GateNetwork.sample(problem.X, 5, (4,))))
    found = FixedPatterns(n_patterns=20).solve(problem, Stop(1e-5))
    assert found.status == Status.OPTIMAL_ON_PATTERNS
    found.certificate.verify(problem, found.network)

"""The working set of blocks: the same optimum as all blocks at once, certified over all of them, for less work."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual import program as programs
from bidual.architectures import GatedReLU, ParallelGated
from bidual.architectures.patterns import sample
from bidual.gates import GateNetwork
from bidual.losses import Loss, Multinomial, Squared
from bidual.operators import masked
from bidual.operators.masked import MaskedData
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import FixedPatterns, Status, Stop
from bidual.solvers.inner import working_blocks as blocks


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "LARGE", 0.0)
    monkeypatch.setattr(masked, "LENGTHS", 100)
    monkeypatch.setattr(blocks, "FIRST", 3)


def make_problem(loss: Loss, gates: GateNetwork | None = None, n: int = 80) -> Problem:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 5))
    F = np.maximum(X @ rng.normal(size=(5, 6)), 0.0) @ rng.normal(size=(6, 3))
    Y = np.eye(3)[F.argmax(axis=1)] if isinstance(loss, Multinomial) else F
    return Problem(X, Y, loss, GatedReLU() if gates is None else ParallelGated(gates), Strength(3.0))


@pytest.mark.parametrize("antithetic", [False, True])
@pytest.mark.parametrize("loss", [Squared(), Multinomial()], ids=repr)
def test_few_blocks_at_a_time_reach_the_optimum_of_all(
    loss: Loss, antithetic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, solver = make_problem(loss), FixedPatterns(n_patterns=120, antithetic=antithetic)
    few = solver.solve(problem, Stop(1e-5))
    monkeypatch.setattr(programs, "LARGE", np.inf)
    everything = solver.solve(problem, Stop(1e-5))
    assert few.status == everything.status == Status.OPTIMAL_ON_PATTERNS
    assert few.certificate.primal == pytest.approx(everything.certificate.primal, rel=2e-5)
    assert len(few.certificate.point.bound.patterns) == len(everything.certificate.point.bound.patterns)
    few.certificate.verify(problem, few.network)


def test_paths_of_deep_gates_and_a_start() -> None:
    gates = GateNetwork.sample(make_problem(Squared()).X, 10, (6, 5))
    problem, solver = make_problem(Squared(), gates), FixedPatterns(n_patterns=1000)
    first = solver.solve(problem, Stop(1e-4))
    assert first.status == Status.OPTIMAL_ON_PATTERNS and len(first.certificate.point.bound.patterns) > 100
    again = solver.solve(problem, Stop(1e-4), start=first.network)
    assert again.history[1].primal == pytest.approx(first.certificate.primal, rel=1e-3)
    again.certificate.verify(problem, again.network)


def test_no_neuron_where_none_pays() -> None:
    problem = make_problem(Squared())
    zero = FixedPatterns(n_patterns=30).solve(Problem(problem.X, problem.Y, Squared(), GatedReLU(), Strength(1e6)))
    assert zero.network.n_neurons == 0 and zero.certificate.gap <= 1e-9 * zero.certificate.primal


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([1e-30, 1.0, 1e30]))
def test_the_price_is_the_longest_column_in_double_precision(seed: int, antithetic: bool, unit: float) -> None:
    rng = np.random.default_rng(seed)
    problem = make_problem(Squared(), n=int(rng.integers(2, 60)))
    program = Program(problem, sample(problem.lifted, 30, seed, antithetic))
    V = unit * rng.normal(size=problem.Y.shape) * rng.uniform(size=problem.Y.shape) ** 9
    prices = program.prices(V)
    lengths = np.linalg.norm(program.data.adjoint(V), axis=1)
    assert prices.bound == prices.scores[0] == pytest.approx(lengths.max(), rel=1e-12)
    H = problem.architecture.activations(problem.lifted, prices.neurons)
    assert np.sum(V * (H @ prices.neurons.outputs.T)) == pytest.approx(prices.bound, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_single_precision_is_off_by_no_more_than_it_says(seed: int, antithetic: bool) -> None:
    """Columns that all but cancel, where rounding is all there is."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 4)) + 100.0 * rng.integers(0, 2, size=(200, 1))
    V = rng.normal(size=(200, 2))
    V -= X @ np.linalg.lstsq(X, V, rcond=None)[0]
    data = MaskedData(X, sample(X, 20, seed, antithetic).bits)
    off = np.abs(data.lengths(V.astype(np.float32)) - np.linalg.norm(data.adjoint(V), axis=1))
    assert (off <= data.single_error(V)).all() and off.max() > 0.0
    np.testing.assert_allclose(data.lengths(V), np.linalg.norm(data.adjoint(V), axis=1), rtol=1e-9, atol=1e-9)


def test_what_single_precision_cannot_tell_is_computed_in_double() -> None:
    problem = make_problem(Squared())
    program, V = Program(problem, sample(problem.lifted, 30, 0)), np.array(problem.Y)
    longest = np.linalg.norm(program.data.adjoint(V), axis=1).max()
    program.data.lengths = lambda R: np.full((len(program.patterns), 3), np.inf)  # type: ignore[method-assign]
    assert program.prices(V).bound == pytest.approx(longest, rel=1e-12)

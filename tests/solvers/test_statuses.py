"""Every status is reached, says no more than what was proven, and comes with a bound that holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bidual.architectures import GatedReLU, Linear, ReLU, no_neurons
from bidual.errors import InvalidParameterError, RefusedError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated, LocalSearch, Pricing, Sampled
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Budget, Iterate, Record, Solution, Solver, Status, Stop, WorkingSet
from bidual.solvers.base import unpriced


def make_problem(n: int = 7, d: int = 2, c: int = 1, **changes: object) -> Problem:
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, c))
    return replace(Problem(X, Y, Squared(), ReLU(), Strength(0.3)), **changes)


PROBLEM = make_problem()
BEST = WorkingSet().solve(PROBLEM, Stop(1e-10))


def check(problem: Problem, solution: Solution, best: float = BEST.certificate.primal) -> None:
    """Whatever ended it: the certificate verifies, its global dual is below the optimum, the history agrees."""
    certificate = solution.certificate
    certificate.verify(problem, solution.network)
    assert certificate.global_dual <= best * (1 + 1e-9) <= certificate.primal * (1 + 2e-9)
    primals, duals = [r.primal for r in solution.history], [r.dual for r in solution.history]
    assert primals == sorted(primals, reverse=True) and duals == sorted(duals)
    assert primals[-1] == certificate.primal == problem.objective(solution.network)
    assert [r.iteration for r in solution.history] == list(range(len(primals)))


@dataclass(frozen=True)
class Fake(Solver):
    """Yields what it is given."""

    make: Callable[[Problem, Budget], Iterator[Iterate]]

    def accepts(self, problem: Problem) -> str | None:
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        return self.make(problem, budget)


def priced(problem: Problem, network: Network, limited: bool = False) -> Iterate:
    V = problem.dual_vector(network(problem.X))
    nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    pricing = Enumerated().price(problem, V, nothing, 0.0, np.random.default_rng(0))
    return Iterate(network, V, pricing, limited)


def shrunk(network: Network, factor: float) -> Network:
    hidden, last = network.layers
    return Network((hidden, Layer(factor * last.weight, last.bias)))


def zero_network() -> Network:
    return Network((Layer(np.zeros((2, 0)), np.zeros(0), "relu"), Layer(np.zeros((0, 1)), np.zeros(1))))


def test_optimal() -> None:
    solution = WorkingSet().solve(PROBLEM, Stop(1e-9))
    assert solution.status == Status.OPTIMAL
    assert solution.certificate.scope == "global" and solution.certificate.relative_gap <= 1e-9
    check(PROBLEM, solution)


def test_optimal_from_the_driver_alone() -> None:
    strong = replace(PROBLEM, penalty=Strength(100.0))
    solution = Fake(lambda problem, budget: iter(())).solve(strong)
    assert solution.status == Status.OPTIMAL and solution.network.n_neurons == 0
    assert Fake(lambda problem, budget: iter([priced(problem, BEST.network)])).solve(PROBLEM).status == Status.OPTIMAL


@pytest.mark.parametrize("oracle", [Sampled(8), LocalSearch()], ids=repr)
def test_optimal_on_patterns(oracle: Sampled | LocalSearch) -> None:
    solution = WorkingSet(oracle=oracle).solve(PROBLEM, Stop(1e-6))
    certificate = solution.certificate
    assert solution.status == Status.OPTIMAL_ON_PATTERNS and certificate.scope == "patterns"
    assert certificate.relative_gap <= 1e-6 and certificate.relative_priced_gap <= 1e-6
    assert certificate.global_relative_gap > 1e-3
    check(PROBLEM, solution)


def test_almost_optimal() -> None:
    near = shrunk(BEST.network, 1.003)
    iterate = priced(PROBLEM, near)
    gap = PROBLEM.objective(near) - iterate.pricing.dual.value(PROBLEM)
    stop = Stop(gap / PROBLEM.objective(near) / 10)
    solution = Fake(lambda problem, budget: iter([iterate])).solve(PROBLEM, stop)
    assert solution.status == Status.ALMOST_OPTIMAL
    assert stop.tol < solution.certificate.relative_gap <= 100 * stop.tol
    check(PROBLEM, solution)


def test_no_better_found() -> None:
    """Shared outputs of ReLU units: the best units of a cell are searched, their bound is a spectral norm."""
    problem = make_problem(c=2, architecture=ReLU(outputs="shared"))
    solution = WorkingSet().solve(problem, Stop(1e-6))
    certificate = solution.certificate
    assert solution.status == Status.NO_BETTER_FOUND
    assert certificate.relative_priced_gap <= 1e-6 < 1e-4 < certificate.relative_gap
    check(problem, solution, certificate.primal)


def test_neuron_limit() -> None:
    assert BEST.network.n_neurons > 1
    solution = WorkingSet(max_neurons=1).solve(PROBLEM, Stop(1e-9))
    assert solution.status == Status.NEURON_LIMIT and solution.network.n_neurons <= 1
    assert solution.certificate.relative_priced_gap > 1e-3
    check(PROBLEM, solution)


@pytest.mark.parametrize("max_iter", [0, 1, 2])
def test_iteration_limit(max_iter: int) -> None:
    solution = WorkingSet(width=0).solve(PROBLEM, Stop(1e-12, max_iter=max_iter))
    assert solution.status == Status.ITERATION_LIMIT and len(solution.history) == max_iter + 1
    check(PROBLEM, solution)


def test_time_limit() -> None:
    solution = WorkingSet().solve(PROBLEM, Stop(1e-9, time_limit=0.0))
    assert solution.status == Status.TIME_LIMIT
    check(PROBLEM, solution)


def test_time_limit_of_a_solver_that_returns_when_time_is_spent() -> None:
    def until_expired(problem: Problem, budget: Budget) -> Iterator[Iterate]:
        while not budget.expired():
            pass
        yield unpriced(problem, shrunk(BEST.network, 0.5))

    solution = Fake(until_expired).solve(PROBLEM, Stop(1e-9, time_limit=0.05))
    assert solution.status == Status.TIME_LIMIT and solution.history[-1].seconds >= 0.05
    assert solution.network == shrunk(BEST.network, 0.5)  # the last iterate counts
    check(PROBLEM, solution)


def test_a_search_cut_short_by_the_limit_is_no_success() -> None:
    def late(problem: Problem, budget: Budget) -> Iterator[Iterate]:
        V = problem.dual_vector(BEST.network(problem.X))
        current = problem.architecture.from_network(BEST.network)[0]
        while not budget.expired():
            pass
        yield Iterate(
            BEST.network, V, LocalSearch().price(problem, V, current, 0.0, np.random.default_rng(0), budget.expired)
        )

    solution = Fake(late).solve(PROBLEM, Stop(1e-3, time_limit=0.05))
    assert solution.status == Status.TIME_LIMIT and solution.certificate.relative_priced_gap <= 1e-3
    check(PROBLEM, solution)


def test_optimal_although_time_is_spent() -> None:
    def late(problem: Problem, budget: Budget) -> Iterator[Iterate]:
        while not budget.expired():
            pass
        yield priced(problem, BEST.network)

    assert Fake(late).solve(PROBLEM, Stop(1e-9, time_limit=0.01)).status == Status.OPTIMAL


@pytest.mark.parametrize("by", ["callback", "solver"])
def test_interrupted(by: str) -> None:
    def interrupt(record: Record) -> None:
        if by == "callback" and record.iteration == 1:
            raise KeyboardInterrupt

    def iterates(problem: Problem, budget: Budget) -> Iterator[Iterate]:
        yield unpriced(problem, shrunk(BEST.network, 0.5))
        if by == "solver":
            raise KeyboardInterrupt
        yield priced(problem, BEST.network)

    solution = Fake(iterates).solve(PROBLEM, Stop(1e-9), interrupt)
    assert solution.status == Status.INTERRUPTED and solution.network == shrunk(BEST.network, 0.5)
    check(PROBLEM, solution)


def test_interrupted_for_real() -> None:
    def interrupt(record: Record) -> None:
        if record.iteration == 1:
            raise KeyboardInterrupt

    solution = WorkingSet(width=0).solve(PROBLEM, Stop(1e-12), interrupt)
    assert solution.status == Status.INTERRUPTED and len(solution.history) == 2
    check(PROBLEM, solution)


def test_callback_stopped() -> None:
    seen: list[Record] = []

    def stop_at_one(record: Record) -> bool:
        seen.append(record)
        return record.iteration == 1

    solution = WorkingSet(width=0).solve(PROBLEM, Stop(1e-12), stop_at_one)
    assert solution.status == Status.CALLBACK_STOPPED and tuple(seen) == solution.history and len(seen) == 2
    check(PROBLEM, solution)


def test_a_callback_that_returns_nothing_stops_nothing() -> None:
    assert WorkingSet().solve(PROBLEM, Stop(1e-9), lambda record: None).status == Status.OPTIMAL


def test_what_was_not_priced_has_no_priced_dual() -> None:
    near = shrunk(BEST.network, 0.999)
    solution = Fake(lambda problem, budget: iter([unpriced(problem, near)])).solve(PROBLEM, Stop(1e-2, max_iter=1))
    last = solution.history[-1]
    assert last.priced_dual == last.dual < last.primal * (1 - 1e-2)
    check(PROBLEM, solution)


@pytest.mark.parametrize(
    "iterates",
    [
        lambda problem: [],
        lambda problem: [unpriced(problem, zero_network())],
        lambda problem: [priced(problem, zero_network())],
        lambda problem: [priced(problem, shrunk(BEST.network, 3.0))],
    ],
)
def test_numerical_error(iterates: Callable[[Problem], list[Iterate]]) -> None:
    solution = Fake(lambda problem, budget: iter(iterates(problem))).solve(PROBLEM, Stop(1e-9))
    assert solution.status == Status.NUMERICAL_ERROR and solution.certificate.gap > 1e-3
    check(PROBLEM, solution)


def test_there_are_no_other_statuses() -> None:
    tested = {name.removeprefix("test_").upper() for name in globals() if name.startswith("test_")}
    assert {status.name for status in Status} <= tested


def test_worse_iterates_and_weaker_bounds_change_nothing() -> None:
    good, worse = priced(PROBLEM, BEST.network), priced(PROBLEM, shrunk(BEST.network, 0.3))
    stop = Stop(1e-12)
    one = Fake(lambda problem, budget: iter([good])).solve(PROBLEM, stop)
    two = Fake(lambda problem, budget: iter([good, worse, unpriced(problem, zero_network())])).solve(PROBLEM, stop)
    assert (one.network, one.certificate.dual) == (two.network, two.certificate.dual)
    assert one.certificate.primal == two.certificate.primal


def test_a_search_that_claims_to_have_found_nothing_is_no_proof() -> None:
    """A lazy oracle: the driver prices the network's own neurons, and calls nothing optimal."""
    half = shrunk(BEST.network, 0.5)
    best = priced(PROBLEM, half).pricing.neurons.take(np.array([0]))
    lazy = Iterate(half, PROBLEM.dual_vector(half(PROBLEM.X)), Pricing(best, np.array([1e-9])))
    solution = Fake(lambda problem, budget: iter([lazy])).solve(PROBLEM, Stop(1e-6))
    assert solution.status == Status.NUMERICAL_ERROR
    check(PROBLEM, solution)


class Refusing(Solver):
    def accepts(self, problem: Problem) -> str | None:
        return None if isinstance(problem.architecture, Linear) else "only linear networks; use WorkingSet"

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        return iter(())


def test_refused_problems_raise_the_sentence() -> None:
    with pytest.raises(RefusedError, match="only linear networks; use WorkingSet"):
        Refusing().solve(PROBLEM)
    Refusing().solve(replace(PROBLEM, architecture=Linear()))
    with pytest.raises(RefusedError, match="LocalSearch looks for units"):
        WorkingSet(oracle=LocalSearch()).solve(replace(PROBLEM, architecture=GatedReLU()))
    with pytest.raises(RefusedError, match="limit=3"):
        WorkingSet(oracle=Enumerated(limit=3)).solve(PROBLEM)


@pytest.mark.parametrize("tol", [0.0, -1.0, math.nan, math.inf])
def test_tol_must_be_positive_and_finite(tol: float) -> None:
    with pytest.raises(InvalidParameterError, match="tol must be a positive finite number"):
        Stop(tol)


def test_limits_must_not_be_negative() -> None:
    with pytest.raises(InvalidParameterError, match="max_iter must be at least 0"):
        Stop(max_iter=-1)
    for bad in (-1.0, math.nan):
        with pytest.raises(InvalidParameterError, match="time_limit must be at least 0 seconds"):
            Stop(time_limit=bad)
    with pytest.raises(InvalidParameterError, match="max_neurons must be at least 1"):
        WorkingSet(max_neurons=0)
    with pytest.raises(InvalidParameterError, match="width must be at least 0"):
        WorkingSet(width=-1)


def test_budget_is_the_drivers_clock() -> None:
    now = [0.0]
    budget = Budget(1e-3, 1.0, lambda: now[0])
    assert not budget.expired()
    now[0] = 1.0
    assert budget.expired() and not Budget(1e-3).expired()

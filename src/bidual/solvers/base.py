"""What a solver is, and the one driver that judges all of them."""

from __future__ import annotations

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from bidual.architectures import no_neurons
from bidual.certificate import SWEEP_WORK, Certificate, DualPoint, certify, norm_point, relaxed_point, sweep_point
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.oracles.base import Pricing
from bidual.problem import Problem
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.threads import suitable_threads
from bidual.typing import Expired, Outputs

logger = logging.getLogger("bidual")


class Status(StrEnum):
    """Why a solve ended. Only the first two are success, and each names its proof."""

    OPTIMAL = "optimal"
    """Scope global, gap <= tol."""
    OPTIMAL_ON_PATTERNS = "optimal_on_patterns"
    """Scope patterns, gap <= tol, and the search found no better neuron (priced gap <= tol)."""
    ALMOST_OPTIMAL = "almost_optimal"
    """No progress left, gap and priced gap <= 10 tol."""
    NO_BETTER_FOUND = "no_better_found"
    """No progress left and the search found no better neuron (priced gap <= tol), but nothing as tight is proven."""
    NEURON_LIMIT = "neuron_limit"
    ITERATION_LIMIT = "iteration_limit"
    TIME_LIMIT = "time_limit"
    INTERRUPTED = "interrupted"
    CALLBACK_STOPPED = "callback_stopped"
    NUMERICAL_ERROR = "numerical_error"
    """No progress left, and the gap is larger than that."""


@dataclass(frozen=True)
class Stop:
    """When to stop: ``gap <= tol * max(|primal|, 1e-6 * objective of the zero network)``, or a limit."""

    tol: float = 1e-3
    max_iter: int = 1000
    time_limit: float = math.inf

    def __post_init__(self) -> None:
        if not (self.tol > 0 and math.isfinite(self.tol)):
            raise InvalidParameterError(f"tol must be a positive finite number, got {self.tol!r}")
        if self.max_iter < 0:
            raise InvalidParameterError(f"max_iter must be at least 0, got {self.max_iter!r}")
        if not self.time_limit >= 0:
            raise InvalidParameterError(f"time_limit must be at least 0 seconds, got {self.time_limit!r}")


@dataclass(frozen=True)
class Budget:
    """What a solver may still spend, as the driver sees it."""

    tol: float
    deadline: float = math.inf
    clock: Callable[[], float] = time.monotonic

    def expired(self) -> bool:
        """True once the time is spent; inner loops ask and return what they have."""
        return self.clock() >= self.deadline


@dataclass(frozen=True)
class Iterate:
    """A network, the dual vector (n, c) at its predictions, and what pricing that vector found.

    ``limited`` says that the solver holds back neurons because of its own limit on their number; ``searching`` that it
    has more to try even if this search found no better neuron. A pricing without neurons says that none was looked for.
    """

    network: Network
    V: Outputs
    pricing: Pricing
    limited: bool = False
    searching: bool = False

    def priced_dual(self, problem: Problem) -> float:
        """What the dual would be if no neuron scored more than the best one found; -inf if none was."""
        if len(self.pricing.neurons) == 0:
            return -math.inf
        return problem.dual(self.V, self.pricing.best_found)


def without_neurons(problem: Problem) -> Network:
    """The network of the best intercept alone, that of the smoothed loss."""
    empty = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    b, _ = intercept_only(problem.smoothed(1e-2))
    return problem.architecture.to_network(empty, np.zeros(0), b)


def unpriced(problem: Problem, network: Network) -> Iterate:
    """A network that is proposed for its value alone."""
    nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    return Iterate(network, problem.dual_vector(network(problem.X)), Pricing(nothing, np.zeros(0)))


@dataclass(frozen=True)
class Record:
    """One line of the history. ``dual`` is the best global bound so far; ``priced_dual`` proves nothing."""

    iteration: int
    seconds: float
    primal: float
    dual: float
    priced_dual: float
    n_neurons: int


@dataclass(frozen=True)
class Solution:
    """What came out: the best network, its certificate, why the solver stopped, and how it went.

    V : (n, c), the solver's dual vector at the network; best_found : the largest score that a search found against it,
    inf without one.
    """

    network: Network
    certificate: Certificate
    status: Status
    history: tuple[Record, ...]
    V: Outputs
    best_found: float


Callback = Callable[[Record], bool | None]


class Solver(ABC):
    """Proposes iterates; knows no clock, computes no certificate and sets no status."""

    @abstractmethod
    def accepts(self, problem: Problem) -> str | None:
        """None, or the sentence that says why this solver cannot solve the problem and what can."""

    @abstractmethod
    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        """Networks of falling objective, the last with a priced dual vector; ends when it can do no more."""

    def solve(
        self,
        problem: Problem,
        stop: Stop | None = None,
        callback: Callback | None = None,
        start: Network | None = None,
    ) -> Solution:
        """Run until the certified gap meets the tolerance or a limit is reached.

        Raises RefusedError if :meth:`accepts` does. ``callback`` sees every record; returning True stops the solve.
        """
        reason = self.accepts(problem)
        if reason is not None:
            raise RefusedError(reason)
        with suitable_threads(problem.lifted.size):
            return drive(self, problem, stop or Stop(), callback, start)


ROUNDING = 1e-12
"""Relative rounding error of an objective: as good as the best is good enough, for the bound that comes with it."""


@dataclass
class _State:
    """The best iterate so far, and the best global bound."""

    problem: Problem
    iterate: Iterate
    primal: float
    priced: float
    whole: DualPoint
    whole_dual: float
    searching: bool = False
    relaxed: bool = False

    def take(self, iterate: Iterate) -> None:
        V, self.searching = iterate.V, iterate.searching
        for point in (norm_point(self.problem, V), iterate.pricing.dual):
            self._offer(point)
        primal = self.problem.objective(iterate.network)
        if primal <= self.primal + ROUNDING * abs(self.primal):
            self.iterate, self.primal = iterate, min(primal, self.primal)
            self.priced = iterate.priced_dual(self.problem)
        self.priced = max(self.priced, self.whole_dual)

    def relax(self, expired: Expired, enough: float) -> None:
        """Solve the semidefinite relaxation, which does not depend on the iterate, or sweep, once, unless the gap is
        ``enough`` already."""
        if not self.relaxed and self.primal - self.whole_dual > enough:
            self.relaxed = True
            self._offer(relaxed_point(self.problem, expired))
            self._offer(sweep_point(self.problem, self.iterate.V, SWEEP_WORK))
            self.priced = max(self.priced, self.whole_dual)

    def _offer(self, point: DualPoint | None) -> None:
        """Keep the better global bound."""
        if point is not None and point.bound.scope == "global":
            value = point.value(self.problem)
            if value > self.whole_dual:
                self.whole, self.whole_dual = point, value

    def proposes_to_end(self, allowed: float) -> bool:
        """True if the search found no better neuron and the solver would not search on."""
        found = self.iterate.pricing.best_found > 0 and not self.searching
        return found and self.primal - self.priced <= allowed

    def certificate(self, hurry: bool = False, enough: float = 0.0) -> Certificate:
        """Prove the best iterate, on its own patterns and those its oracle listed."""
        dual = self.iterate.pricing.dual
        proven = dual if dual is not None and dual.bound.scope == "patterns" else None
        found = self._found()
        return certify(
            self.problem, self.iterate.network, self.iterate.V, found, None, self.whole, hurry, enough, proven
        )

    def solution(self, certificate: Certificate, status: Status, history: list[Record]) -> Solution:
        """The best iterate with its certificate."""
        found = self._found()
        best = math.inf if found is None else found
        return Solution(self.iterate.network, certificate, status, tuple(history), self.iterate.V, best)

    def _found(self) -> float | None:
        """The largest score that was found, None if no neuron was looked for."""
        return self.iterate.pricing.best_found if len(self.iterate.pricing.neurons) else None


def drive(
    solver: Solver, problem: Problem, stop: Stop, callback: Callback | None = None, start: Network | None = None
) -> Solution:
    """Ask the solver for iterates and judge each: the only place with a clock, a certificate and a status."""
    began = time.monotonic()
    budget = Budget(stop.tol, began + stop.time_limit)
    state = _begin(problem)
    target = stop.tol * 1e-6 * problem.loss_value(np.zeros_like(problem.Y))
    history: list[Record] = []
    iterates = solver.iterates(problem, start, budget)
    status: Status | None = None
    try:
        while status is None:
            allowed = max(stop.tol * abs(state.primal), target)
            if state.proposes_to_end(allowed):
                state.relax(budget.expired, allowed)
            record = _record(state, len(history), time.monotonic() - began)
            history.append(record)
            logger.info("%s", record)
            if callback is not None and callback(record):
                status = Status.CALLBACK_STOPPED
            elif state.primal - state.whole_dual <= allowed:
                status = Status.OPTIMAL
            elif state.proposes_to_end(allowed):
                certificate = state.certificate()
                if max(certificate.gap, certificate.priced_gap) <= allowed:
                    return state.solution(certificate, Status.OPTIMAL_ON_PATTERNS, history)
            if status is None and len(history) > stop.max_iter:
                status = Status.ITERATION_LIMIT
            if status is None and budget.expired():
                status = Status.TIME_LIMIT
            if status is None:
                iterate = next(iterates, None)
                if iterate is None:
                    status = _exhausted(state, budget, allowed)
                else:
                    # A search that ends when time is up may have been cut short: it found nothing, or had no time to.
                    cut = iterate.pricing.dual is None and budget.expired()
                    state.take(replace(iterate, searching=iterate.searching or cut))
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    hurry = status in (Status.TIME_LIMIT, Status.INTERRUPTED)
    if not hurry and status != Status.OPTIMAL:
        state.relax(budget.expired, 0.0)
    certificate = state.certificate(hurry, allowed if status == Status.OPTIMAL else 0.0)
    return state.solution(certificate, status, history)


def _begin(problem: Problem) -> _State:
    """The network without neurons, whose objective and bounds are known at once."""
    smooth = problem.smoothed(1e-2)
    iterate = unpriced(smooth, without_neurons(problem))
    point = norm_point(problem, iterate.V)
    dual = point.value(problem)
    return _State(problem, iterate, problem.objective(iterate.network), dual, point, dual)


def _record(state: _State, iteration: int, seconds: float) -> Record:
    return Record(iteration, seconds, state.primal, state.whole_dual, state.priced, state.iterate.network.n_neurons)


def _exhausted(state: _State, budget: Budget, allowed: float) -> Status:
    """The solver can do no more: never a success."""
    if budget.expired():
        return Status.TIME_LIMIT
    state.relax(budget.expired, allowed)
    if state.primal - state.whole_dual <= allowed:
        return Status.OPTIMAL
    if state.iterate.limited:
        return Status.NEURON_LIMIT
    certificate = state.certificate()
    if max(certificate.gap, certificate.priced_gap) <= 10 * allowed:
        return Status.ALMOST_OPTIMAL
    return Status.NO_BETTER_FOUND if certificate.priced_gap <= allowed else Status.NUMERICAL_ERROR


__all__ = ["Budget", "Callback", "Iterate", "Record", "Solution", "Solver", "Status", "Stop", "drive"]

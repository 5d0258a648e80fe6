"""Column generation: the solver that finds its own neurons from the dual."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from bidual.architectures import Grouped, Neurons, Sign, Tanh, no_neurons
from bidual.architectures.pieces import bent_refusal
from bidual.certificate import sweep_point
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.oracles import Enumerated, Groupwise, LineSearch, LocalSearch, Oracle, Sampled, Swept, TanhAscent
from bidual.oracles.enumerated import all_patterns, most_patterns
from bidual.problem import Problem
from bidual.solvers.base import Budget, Iterate, Solver, unpriced
from bidual.solvers.first_neurons import first_width, random_descent
from bidual.solvers.inner.cell_newton import slide_in_cells
from bidual.solvers.inner.descent import descend
from bidual.solvers.inner.master import Amplitudes, intercept_only, solve_master
from bidual.solvers.prune import merge, prune
from bidual.solvers.refuting import least_score, refuting_score
from bidual.solvers.row_space import RowSpace

NARROWEST = 1e-12
"""The width below which a smoothed loss is its limit in float64."""

FINE = (0.03, 0.01, 0.003, 0.001)
"""How wide kinks are rounded when a network that is nearly optimal slides."""

IDLE = 10
"""Rounds without any progress after which the solver gives up."""

MOST_CELLS = 2_000
"""Enumerate where there are no more cells than this, and"""

ENUMERATION_WORK = 20_000
"""where rows times cells do not exceed this, unless the data span a plane."""

MOST_SWEPT = 5e7
"""Sweep in every round where it takes no more work than this, half a second or so."""


@final
@dataclass(frozen=True)
class WorkingSet(Solver):
    """Repeat: price the dual vector, add the neurons that violate it, let all neurons slide, re-solve, drop and merge.

    The first neurons come from a wide random network after a joint descent with rounded kinks. A loss with kinks is
    approached by smooth ones of shrinking width. ``oracle`` defaults to Enumerated where all cells can be listed, else
    Groupwise (units of groups of features), LocalSearch (others that gate themselves) or Sampled (gated units).
    ``max_neurons`` limits the network; ``width`` is that of the random network (None: by the size of the data);
    ``device`` is where LocalSearch multiplies. It works in the space of the rows where these are fewer than the
    features.
    """

    oracle: Oracle | None = None
    max_neurons: int | None = None
    width: int | None = None
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.max_neurons is not None and self.max_neurons < 1:
            raise InvalidParameterError(f"max_neurons must be at least 1, got {self.max_neurons!r}")
        if self.width is not None and self.width < 0:
            raise InvalidParameterError(f"width must be at least 0, got {self.width!r}")

    def accepts(self, problem: Problem) -> str | None:
        return bent_refusal(problem.architecture)

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        oracle = self.oracle or default_oracle(problem, self.seed, self.device)
        few = RowSpace.of(problem) if isinstance(oracle, LocalSearch) else None
        if few is None:
            yield from self._iterates(problem, oracle, start, budget)
            return
        for iterate in self._iterates(few.inner, oracle, None if start is None else few.start(start), budget):
            yield few.back(iterate)

    def _iterates(self, problem: Problem, oracle: Oracle, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        rng = np.random.default_rng(self.seed)
        width, best, idle = 1.0, np.inf, 0
        smooth = problem.smoothed(width)
        may_leave = not oracle.closed or problem.architecture.gated
        neurons, solved = yield from self._first(
            smooth, start, rng, budget, may_leave and not isinstance(oracle, Enumerated)
        )
        while width > NARROWEST:
            neurons, solved, limited = self._settle(smooth, neurons, solved, budget, may_leave)
            network = problem.architecture.to_network(neurons, solved.t, solved.b)
            target = refuting_score(problem, network, solved.V, solved.price, budget.tol)
            pricing = oracle.price(problem, solved.V, neurons, target, rng, budget.expired)
            worth = max(solved.price * (1 + 1e-11), least_score(problem, solved.V))
            added = pricing.neurons.take(pricing.scores > worth)
            proven = isinstance(oracle, Groupwise) and pricing.dual is not None  # globally, unless it has more to add
            yield Iterate(network, solved.V, pricing, limited, searching=proven and len(added) > 0 and not limited)
            value = smooth.objective(network)
            neurons = neurons.join(added)
            if smooth is not problem and _smoothing_dominates(problem, smooth, network, solved, pricing.best_found):
                width, best, idle = width / 10, np.inf, 0
                smooth = problem.smoothed(width)
            else:
                idle = 0 if value < best - (0.1 * budget.tol if limited else 1e-14) * abs(best) else idle + 1
                best = min(best, value)
                if len(added) == 0 or idle >= (1 if limited else IDLE):
                    return
            neurons, solved = self._grow(smooth, neurons, solved, budget, may_leave)

    def _first(
        self, problem: Problem, start: Network | None, rng: np.random.Generator, budget: Budget, random: bool
    ) -> Generator[Iterate, None, tuple[Neurons, Amplitudes]]:
        """The neurons of ``start``, or (``random``) of a random network after a descent, with the best amplitudes.

        Proposes the network on its way down, as it has no limit on its neurons yet.
        """
        architecture = problem.architecture
        neurons, t = no_neurons(problem.lifted.shape[1], problem.n_outputs, architecture.gated), np.zeros(0)
        b, _ = intercept_only(problem)
        width = first_width(problem, self.width) if random else 0
        if start is not None:
            neurons, t = architecture.from_network(start)
            b = start.layers[-1].bias
        elif width:
            for neurons, t, b in random_descent(
                problem, width if self.width is None else self.width, rng, budget.expired
            ):
                if self.max_neurons is None:
                    yield unpriced(problem, architecture.to_network(neurons, t, b))
            neurons, t = merge(problem, neurons, t)
        return neurons, solve_master(problem, neurons, t, b)

    def _grow(
        self, problem: Problem, neurons: Neurons, solved: Amplitudes, budget: Budget, may_leave: bool
    ) -> tuple[Neurons, Amplitudes]:
        """Take the new neurons in, and let all of them slide if that lowers the objective."""
        solved = solve_master(
            problem, neurons, np.append(solved.t, np.zeros(len(neurons) - solved.t.size)), solved.b, solved.price
        )
        if budget.expired():
            return neurons, solved
        kept = solved.t > 0
        neurons, solved = neurons.take(kept), replace(solved, t=solved.t[kept])
        moved = slide_in_cells(problem, neurons, solved)
        if moved is None and may_leave:
            moved = descend(problem, neurons, solved, 50, budget.expired, FINE)
        if moved is None:
            return neurons, solved
        slid, t, b = moved
        after = solve_master(problem, slid, t, b, solved.price)
        if _value(problem, slid, after) <= _value(problem, neurons, solved):
            return slid, after
        return neurons, solved

    def _settle(
        self, problem: Problem, neurons: Neurons, solved: Amplitudes, budget: Budget, may_leave: bool
    ) -> tuple[Neurons, Amplitudes, bool]:
        """Drop what has no weight, merge, prune; and keep the largest ``max_neurons`` if there are more."""
        neurons, t = merge(problem, neurons, solved.t)
        if len(neurons) > problem.Y.size:
            neurons, t = prune(problem, neurons, t)
        b = solved.b
        limited = self.max_neurons is not None and len(neurons) > self.max_neurons
        if limited:
            largest = np.sort(np.argsort(-t, kind="stable")[: self.max_neurons])
            neurons, t = neurons.take(largest), t[largest]
            if may_leave:
                neurons, t, b = descend(problem, neurons, replace(solved, t=t), 100, budget.expired)
        solved = solve_master(problem, neurons, t, b, solved.price)
        kept = solved.t > 0
        return neurons.take(kept), replace(solved, t=solved.t[kept]), limited


def default_oracle(problem: Problem, seed: int = 0, device: str = "cpu") -> Oracle:
    """The strongest oracle that is affordable. (A sweep prices sign units with separate outputs exactly.)"""
    architecture = problem.architecture
    if isinstance(architecture, Grouped):
        return Groupwise()
    if isinstance(architecture, Tanh):
        return TanhAscent(limit=MOST_SWEPT)
    if isinstance(architecture, Sign) and (architecture.outputs == "separate" or not _listable(problem)):
        return Swept() if sweep_point(problem, np.zeros_like(problem.Y), MOST_SWEPT) else LineSearch()
    if _listable(problem):
        with suppress(RefusedError):  # rows too close to tell their cells
            all_patterns(problem)
            return Enumerated()
    if problem.architecture.slope is not None:
        return LocalSearch(max(100, 400 // problem.n_outputs), device=device)
    return Sampled(seed=seed)


def _listable(problem: Problem) -> bool:
    """Whether all cells can be listed and priced in seconds; in the plane, listing them is a sort."""
    cells, rank = most_patterns(problem), int(np.linalg.matrix_rank(problem.lifted))
    return cells <= MOST_CELLS and (rank <= 2 or cells * problem.X.shape[0] <= ENUMERATION_WORK)


def _smoothing_dominates(problem: Problem, smooth: Problem, network: Network, solved: Amplitudes, found: float) -> bool:
    """True if most of the gap comes from the smoothing and not from missing neurons."""
    score = max(found, solved.price)
    gap = problem.objective(network) - problem.dual(solved.V, score)
    own = smooth.objective(network) - smooth.dual(solved.V, score)
    return own <= 0.5 * gap


def _value(problem: Problem, neurons: Neurons, solved: Amplitudes) -> float:
    return problem.objective(problem.architecture.to_network(neurons, solved.t, solved.b))

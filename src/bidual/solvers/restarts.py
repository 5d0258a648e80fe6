"""Searching on when a search has found nothing: the best network, shaken, is a new beginning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.problem import Problem
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.first_neurons import random_neurons
from bidual.solvers.inner.descent import descend
from bidual.solvers.inner.master import Amplitudes
from bidual.solvers.prune import merge
from bidual.solvers.working_set import WorkingSet

LOOSE = 1e-4
"""Runs whose network is only a beginning end at this relative gap."""


@final
@dataclass(frozen=True)
class Restarts(Solver):
    """``inner`` again and again, and at last from the best network found to the end.

    Each of the ``restarts`` runs after the first starts from the best network joined with random neurons of the same
    total size, after a joint descent: a single neuron that improves a network can be hard to find where several
    together are not.
    """

    inner: WorkingSet
    restarts: int = 1

    def __post_init__(self) -> None:
        if self.restarts < 1:
            raise InvalidParameterError(f"restarts must be at least 1, got {self.restarts!r}")

    def accepts(self, problem: Problem) -> str | None:
        if problem.architecture.gated:
            return "Restarts joins a network with random neurons, which have no gates; use the solver alone"
        return self.inner.accepts(problem)

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        loose = replace(budget, tol=max(budget.tol, LOOSE))
        rng = np.random.default_rng([self.inner.seed, self.restarts])
        best: Iterate | None = None
        for run in range(self.restarts + 1):
            begin = start if best is None else shaken(problem, best, rng, budget)
            for iterate in replace(self.inner, seed=self.inner.seed + run).iterates(problem, begin, loose):
                primal = problem.objective(iterate.network)
                priced = iterate.priced_dual(problem)
                if priced > -np.inf and (best is None or primal <= problem.objective(best.network)):
                    best = iterate
                yield replace(iterate, searching=True)
                if primal - priced <= loose.tol * abs(primal):
                    break
        yield from self.inner.iterates(problem, None if best is None else best.network, budget)


def shaken(problem: Problem, iterate: Iterate, rng: np.random.Generator, budget: Budget) -> Network:
    """The iterate's network and random neurons of the same total size, after a joint descent."""
    neurons, t = problem.architecture.from_network(iterate.network)
    width = max(50, 500 // problem.n_outputs) * problem.n_outputs
    price = iterate.pricing.best_found
    both = neurons.join(random_neurons(problem, width, rng))
    begun = Amplitudes(np.append(t, np.full(width, t.sum() / width)), iterate.network.layers[-1].bias, iterate.V, price)
    neurons, t, b = descend(problem, both, begun, 100, budget.expired)
    neurons, t = merge(problem, neurons, t)
    return problem.architecture.to_network(neurons, t, b)

"""Convex programs on images, with their accuracy on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

import numpy as np

from bidual.architectures import Patterns, no_neurons
from bidual.experiments.base import Data
from bidual.experiments.three_layer2021.image_rows import ImageRows
from bidual.experiments.three_layer2021.stopwatch import Stopwatch
from bidual.network import Network
from bidual.oracles import Listed
from bidual.problem import Problem
from bidual.solvers import Budget, Solver, Stop
from bidual.solvers.base import Iterate

TOL = 1e-3


def largest_score(problem: Problem, patterns: Patterns) -> float:
    """The price at and above which no unit on the patterns enters the network."""
    nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    V = problem.dual_vector(0.0 * problem.Y)
    return Listed(patterns).price(problem, V, nothing, 0.0, np.random.default_rng(0)).best_found


@final
@dataclass(frozen=True, eq=False)
class Watched(Solver):
    """A solver with a time of its own, and the networks it proposed, each with the second when."""

    solver: Solver
    seconds: float
    watch: Stopwatch
    seen: list[tuple[float, Network]] = field(default_factory=list)

    def accepts(self, problem: Problem) -> str | None:
        return self.solver.accepts(problem)

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        own = Budget(budget.tol, self.seconds, lambda: self.watch.seconds)
        for iterate in self.solver.iterates(problem, start, own):
            self.seen.append((self.watch.seconds, iterate.network))
            yield iterate
            if own.expired():
                raise KeyboardInterrupt  # the driver keeps the best network, with bounds that take no time of their own


def solve_for(
    rows: ImageRows, problem: Problem, solver: Solver, seconds: float, device: str = "cpu"
) -> tuple[Data, Network]:
    """Objective and test accuracy of each network on the way, the certificate of the best one, and this network; no
    step is begun after ``seconds``."""
    watched = Watched(solver, seconds, Stopwatch(device))
    solution = watched.solve(problem, Stop(TOL))
    spent, certificate = watched.watch.seconds, solution.certificate
    found = {
        "seconds": [each for each, _ in watched.seen],
        "objective": [problem.objective(network) for _, network in watched.seen],
        "accuracy": [rows.accuracy(network(rows.test_X)) for _, network in watched.seen],
        "spent": spent,
        "primal": certificate.primal,
        "dual": certificate.dual,
        "scope": certificate.scope,
        "neurons": solution.network.n_neurons,
        "final_accuracy": rows.accuracy(solution.network(rows.test_X)),
    }
    return found, solution.network

"""ConvexNN: hidden units are added one by one, until none improves the network (Bengio et al. 2006)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, final

import numpy as np

from bidual.architectures import Bounded, Neurons, Tanh, no_neurons
from bidual.architectures.pieces import deep_refusal
from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.oracles import Oracle
from bidual.oracles.tanh_ascent import SATURATED
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.inner.boosting import boost
from bidual.solvers.inner.descent import descend
from bidual.solvers.inner.hinge_master import solve_hinge_master
from bidual.solvers.inner.master import Amplitudes, intercept_only, solve_master
from bidual.solvers.inner.tuning import tune_tanh
from bidual.solvers.prune import prune
from bidual.solvers.refuting import refuting_score
from bidual.solvers.working_set import FINE, default_oracle
from bidual.typing import Vector

STEPS = 50
"""Of a joint descent."""

IDLE = 50
"""Rounds without a fall of the objective after which the solver gives up."""


@final
@dataclass(frozen=True)
class Incremental(Solver):
    """Repeat: re-optimise the output weights, ask the oracle for the units that score most, take them in.

    Algorithm 1 of the paper with a duality gap as its stopping test: at the exact minimum over the output weights the
    best unit's score equals the price of size, so the paper's own test (score < price) could never fire. Bounded units
    with a bias start with the constant unit, unless there is an output intercept.

    oracle : the weighted linear classifier; by default the strongest affordable one of the architecture.
    columns : units taken in at a time, at most; the paper's 1 needs several times as many rounds.
    corrective : ``"totally"`` re-optimises all output weights in each round, ``"boosting"`` one of them, the new one or
    an old one, whichever promises most (a smooth loss and a Strength).
    tune : let all weights of the network slide after each round where that lowers the objective (not for sign units).
    """

    oracle: Oracle | None = None
    columns: int = 20
    corrective: Literal["totally", "boosting"] = "totally"
    tune: bool = False
    max_neurons: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("columns", "max_neurons"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidParameterError(f"{name} must be at least 1, got {value!r}")
        if self.corrective not in ("totally", "boosting"):
            raise InvalidParameterError(f"corrective must be 'totally' or 'boosting', got {self.corrective!r}")

    def accepts(self, problem: Problem) -> str | None:
        deep = deep_refusal(problem.architecture)
        if deep is not None:
            return deep
        if not problem.loss.smooth and problem.loss.name != "hinge":
            return f"Incremental knows smooth losses and the hinge, not {problem.loss.name!r}; use WorkingSet"
        if self.corrective == "boosting" and not (problem.loss.smooth and isinstance(problem.penalty, Strength)):
            return "corrective='boosting' needs a smooth loss and a Strength; use 'squared_hinge', or 'totally'"
        if self.tune and not problem.loss.smooth:
            return f"tune=True needs a smooth loss, not {problem.loss.name!r}; use 'squared_hinge', or tune=False"
        if self.tune and isinstance(problem.architecture, Bounded) and not isinstance(problem.architecture, Tanh):
            return f"{type(problem.architecture).__name__} units have no slope to tune along; set tune=False"
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        rng, architecture = np.random.default_rng(self.seed), problem.architecture
        oracle = self.oracle or default_oracle(problem, self.seed)
        neurons, t, b = _begin(problem, start)
        best, idle = np.inf, 0
        while True:
            solved = self._corrected(problem, neurons, t, b)
            used, amplitudes = _used(problem, neurons, solved)
            if self.tune and len(used) and not budget.expired():
                used, amplitudes, solved = self._tuned(problem, used, amplitudes, solved, budget)
            limited = self.max_neurons is not None and len(used) >= self.max_neurons
            network = architecture.to_network(used, amplitudes, solved.b)
            target = refuting_score(problem, network, solved.V, solved.price, budget.tol)
            pricing = oracle.price(problem, solved.V, used, target, rng, budget.expired)
            yield Iterate(network, solved.V, pricing, limited)
            improving = np.flatnonzero(pricing.scores > solved.price * (1 + 1e-11))
            value = problem.objective(network)
            idle = 0 if value < best else idle + 1
            if limited or idle > IDLE or (improving.size == 0 and (idle or self.corrective == "totally")):
                return
            if idle == 0:  # otherwise the program is degenerate: what it has seen, it keeps
                neurons, solved, best = used, replace(solved, t=amplitudes), value
            room = self.columns if self.max_neurons is None else min(self.columns, self.max_neurons - len(neurons))
            added = pricing.neurons.take(improving[: max(room, 0)])
            neurons, t, b = neurons.join(added), np.append(solved.t, np.zeros(len(added))), solved.b

    def _corrected(self, problem: Problem, neurons: Neurons, t: Vector, b: Vector) -> Amplitudes:
        """New output weights."""
        if not problem.loss.smooth:
            return solve_hinge_master(problem, neurons)
        if self.corrective == "totally" or len(neurons) == 0:
            return solve_master(problem, neurons, t, b)
        return boost(problem, neurons, t, b)

    def _tuned(
        self, problem: Problem, neurons: Neurons, t: Vector, solved: Amplitudes, budget: Budget
    ) -> tuple[Neurons, Vector, Amplitudes]:
        """All weights after a joint descent, if that lowers the objective."""
        begun = replace(solved, t=t)
        if isinstance(problem.architecture, Bounded):
            moved, *rest = tune_tanh(problem, neurons, begun, STEPS, budget.expired)
        else:
            moved, *rest = descend(problem, neurons, begun, STEPS, budget.expired, FINE)
        after = self._corrected(problem, moved, *rest)
        used, amplitudes = _used(problem, moved, after)
        before = problem.objective(problem.architecture.to_network(neurons, t, solved.b))
        value = problem.objective(problem.architecture.to_network(used, amplitudes, after.b))
        return (used, amplitudes, after) if value < before else (neurons, t, solved)


def _used(problem: Problem, neurons: Neurons, solved: Amplitudes) -> tuple[Neurons, Vector]:
    """The neurons with an amplitude, as many as there are targets at most."""
    used, t = neurons.take(solved.t > 0), solved.t[solved.t > 0]
    return prune(problem, used, t) if len(used) > problem.Y.size else (used, t)


def _begin(problem: Problem, start: Network | None) -> tuple[Neurons, Vector, Vector]:
    """The neurons, amplitudes and intercept of ``start``; else the constant unit of bounded units, both its signs."""
    architecture, p, c = problem.architecture, problem.lifted.shape[1], problem.n_outputs
    if start is not None:
        return *architecture.from_network(start), start.layers[-1].bias.copy()
    b = intercept_only(problem)[0] if problem.loss.smooth else np.zeros(c)
    if problem.intercept or architecture.bias == "none" or not isinstance(architecture, Bounded):
        return no_neurons(p, c, architecture.gated), np.zeros(0), b
    constant = np.zeros((p, 2 * c))
    constant[-1] = SATURATED
    return Neurons(constant, np.hstack([np.eye(c), -np.eye(c)])), np.zeros(2 * c), b

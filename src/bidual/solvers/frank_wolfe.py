"""Frank-Wolfe on the ball of networks of bounded size (d'Aspremont & Pilanci 2020)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np

from bidual.architectures import Bounded, Neurons, Patterns, no_neurons
from bidual.architectures.pieces import deep_refusal
from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.operators.bits import Bits
from bidual.oracles import Oracle
from bidual.penalties import Ball
from bidual.problem import Problem
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.inner.atoms import (
    Atoms,
    away,
    blended,
    fully_corrective,
    line_search,
    open_loop,
    pairwise,
)
from bidual.solvers.inner.cells import cell_refusal, solve_cells
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.refuting import refuting_score
from bidual.solvers.working_set import default_oracle
from bidual.typing import Outputs, Vector

Step = Callable[[Atoms, Outputs, int], Atoms]
STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "open_loop": open_loop,
        "line_search": line_search,
        "away": away,
        "pairwise": pairwise,
        "blended": blended,
        "fully_corrective": fully_corrective,
    }
)
PATTERNS = "pattern_corrective"
IDLE = 5
"""Corrective rounds without a fall of the objective after which the solver gives up."""


@final
@dataclass(frozen=True)
class FrankWolfe(Solver):
    """``min L(f)`` over ``size(f) <= radius``: ask the oracle for the neuron that scores most, step towards it, repeat.

    The Frank-Wolfe gap ``<V, radius best - f>`` with the oracle's proven bound in place of the best score is a duality
    gap; the driver's, which scales V too, is never larger. Where the oracle only searches, it is a priced gap.

    variant : ``"open_loop"`` (the paper's step 2/(t+1)), ``"line_search"``, ``"away"``, ``"pairwise"``, ``"blended"``,
    ``"fully_corrective"`` (the best mixture of all atoms found: the least time where the oracle is cheap) or
    ``"pattern_corrective"`` (the best network on the activation patterns of all neurons found, whose neurons may turn
    within their cells: the fewest oracle calls, each followed by a program over cones). oracle : by default the
    strongest affordable one.
    """

    variant: str = "fully_corrective"
    oracle: Oracle | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.variant not in (*STEPS, PATTERNS):
            raise InvalidParameterError(f"variant must be one of {[*STEPS, PATTERNS]}, got {self.variant!r}")

    def accepts(self, problem: Problem) -> str | None:
        deep = deep_refusal(problem.architecture)
        if deep is not None:
            return deep
        if not isinstance(problem.penalty, Ball):
            return "FrankWolfe moves inside a ball; use Ball(radius) in place of a Strength, or WorkingSet"
        if not problem.loss.smooth:
            return f"FrankWolfe needs a smooth loss, not {problem.loss.name!r}; use 'squared_hinge', or WorkingSet"
        if self.variant != PATTERNS or isinstance(problem.architecture, Bounded):
            return None
        reason = cell_refusal(problem)
        return None if reason is None else f"{reason}; or variant='fully_corrective'"

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        if not isinstance(problem.penalty, Ball) or problem.penalty.radius == 0.0:
            return
        oracle = self.oracle or default_oracle(problem, self.seed)
        corrective = self.variant == PATTERNS and not isinstance(problem.architecture, Bounded)
        rounds = self._on_cells if corrective else self._on_atoms
        yield from rounds(problem, problem.penalty.radius, oracle, _begin(problem, start), budget)

    def _on_atoms(
        self, problem: Problem, radius: float, oracle: Oracle, begin: Begin, budget: Budget
    ) -> Iterator[Iterate]:
        step, rng = STEPS.get(self.variant, fully_corrective), np.random.default_rng(self.seed)
        atoms, best, idle, iteration = Atoms.of(problem, *begin, radius), np.inf, 0, 0
        while idle <= IDLE:
            iteration += 1
            V, network = problem.dual_vector(atoms.F), problem.architecture.to_network(atoms.neurons, atoms.t, atoms.b)
            target = refuting_score(problem, network, V, float(atoms.scores(V).max(initial=0.0)), budget.tol)
            pricing = oracle.price(problem, V, atoms.neurons, target, rng, budget.expired)
            yield Iterate(network, V, pricing)
            if len(pricing.neurons) == 0:
                return
            value = problem.loss_value(atoms.F)
            idle = 0 if value < best or step is open_loop else idle + 1
            best = min(best, value)
            atoms = step(atoms.join(pricing.neurons.take(np.arange(1))), V, iteration)

    def _on_cells(
        self, problem: Problem, radius: float, oracle: Oracle, begin: Begin, budget: Budget
    ) -> Iterator[Iterate]:
        architecture, rng = problem.architecture, np.random.default_rng(self.seed)
        network, price, best, idle = architecture.to_network(*begin), 0.0, np.inf, 0
        patterns = cells_of(problem, begin[0])
        while idle <= IDLE:
            V = problem.dual_vector(network(problem.X))
            neurons, _ = architecture.from_network(network)
            target = refuting_score(problem, network, V, price, budget.tol)
            pricing = oracle.price(problem, V, neurons, target, rng, budget.expired)
            yield Iterate(network, V, pricing)
            value = problem.objective(network)
            idle = 0 if value < best else idle + 1
            best = min(best, value)
            if len(pricing.neurons) == 0 or pricing.best_found == 0.0:
                return
            more = cells_of(problem, pricing.neurons.take(np.arange(1)))
            patterns = cells_of(problem, neurons).join(more) if idle == 0 else patterns.join(more)
            network, price = solve_cells(problem, patterns, radius, network, price or pricing.best_found, budget)


Begin = tuple[Neurons, Vector, Vector]


def _begin(problem: Problem, start: Network | None) -> Begin:
    """Neurons, amplitudes and intercept to start from."""
    if start is not None:
        return *problem.architecture.from_network(start), start.layers[-1].bias.copy()
    nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    return nothing, np.zeros(0), intercept_only(problem)[0]


def cells_of(problem: Problem, neurons: Neurons) -> Patterns:
    """The patterns of the neurons; where rows lie on a neuron's hyperplane, open and closed there."""
    architecture, Xl = problem.architecture, problem.lifted
    patterns = architecture.patterns(Xl, neurons)
    if architecture.gated or len(neurons) == 0:
        return patterns.distinct()
    rounding = 1e-9 * np.abs(Xl @ neurons.inputs).max(axis=0, initial=0.0)
    closed = Patterns(Bits.of(Xl @ neurons.inputs > rounding), neurons.inputs)
    open_ = Patterns(Bits.of(Xl @ neurons.inputs >= -rounding), neurons.inputs)
    return patterns.join(closed).join(open_)


def rate(problem: Problem, iteration: int) -> float:
    """``8 R^2 radius^2 / (T + 1)``: how far iterate T = 1, 2, ... of the open loop is above the optimum, at most.

    For exact oracle answers and the squared loss (half the squares); iterate 1 is where it starts, R^2 the largest sum
    of squares of a unit neuron's activations. The curvature of the loss on the ball is at most its squared diameter
    ``(2 R radius)^2``, and Frank-Wolfe is within ``2 curvature / (T + 1)`` (Jaggi 2013). A quarter of that, as has been
    stated for this method, is too little: for one row x = 1 with target -0.99 and radius 1, iterate 3 is farther off.
    """
    assert isinstance(problem.penalty, Ball)
    n = problem.X.shape[0]
    largest = n if isinstance(problem.architecture, Bounded) else float(np.linalg.norm(problem.lifted, 2)) ** 2
    if (patches := problem.architecture.patches) is not None:
        largest *= patches.count * patches.share**2
    return 8.0 * largest * float(problem.weights.max()) * problem.penalty.radius**2 / (iteration + 1)

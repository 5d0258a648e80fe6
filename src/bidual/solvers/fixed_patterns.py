"""The finite program on a fixed list of patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

import numpy as np

from bidual.architectures import Linear, Patterns
from bidual.architectures.base import Witness
from bidual.architectures.gated import Gated
from bidual.architectures.grouped import grouped_refusal
from bidual.architectures.pieces import bent_refusal
from bidual.certificate import Bound, DualPoint, witness_point
from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.operators.row_space import row_basis
from bidual.oracles import Listed
from bidual.oracles.base import Pricing
from bidual.oracles.listed import drawn
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Blocks, Program, shared_refusal
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.inner.cone_newton import cone_newton
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.inner.proximal_gradient import proximal_gradient
from bidual.solvers.inner.proximal_point import Step
from bidual.solvers.inner.working_blocks import working_blocks
from bidual.solvers.memory import spare_memory
from bidual.typing import Matrix, Outputs, Vector

ROUGH = 0.01
"""The relative gap from which on networks are proposed: before, most blocks come and go."""

Proposal = tuple[Any, Vector, Outputs, Witness | None]
"""Blocks, all or a list of them, intercept, dual vector, and multipliers that prove a bound of its scores, if known."""


@final
@dataclass(frozen=True, eq=False)
class FixedPatterns(Solver):
    """All blocks of a fixed list of patterns at once: semismooth Newton on the dual.

    On ``patterns``, or those of ``n_patterns`` Gaussian gates drawn with ``seed``, half of them the opposites of the
    others if ``antithetic``: these share their products. A linear network has one pattern. Needs a smooth loss and a
    strength; its certificate is of the listed patterns. Units that gate themselves (ReLU, leaky ReLU, absolute value)
    have blocks in cones (:func:`~bidual.solvers.inner.cone_newton.cone_newton`): for separate outputs, a loss that does
    not couple them, and a bias that is not free. Gated and linear units have free blocks
    (:func:`~bidual.solvers.inner.group_newton.group_newton`, for separate outputs), of which a working set is at work
    where all are too many (:func:`~bidual.solvers.inner.working_blocks.working_blocks`); shared outputs, and gaps below
    its reach on all blocks, take accelerated proximal gradient steps, with an iterate every ``steps`` steps (Mishkin,
    Sahiner & Pilanci 2022).

    The products run on ``device``: ``"cpu"`` (NumPy) or a torch device such as ``"cuda"``. At most ``memory_limit``
    bytes are used, those of a memory-mapped X not counted: what does not fit is computed again whenever it is needed.
    Raises MemoryLimitError with an estimate where that is not enough. Only gated and linear units keep the limit.
    """

    patterns: Patterns | None = None
    n_patterns: int = 200
    seed: int = 0
    antithetic: bool = False
    steps: int = 20
    device: str = "cpu"
    memory_limit: float | None = None

    def __post_init__(self) -> None:
        for name in ("n_patterns", "steps"):
            if getattr(self, name) < 1:
                raise InvalidParameterError(f"{name} must be at least 1, got {getattr(self, name)!r}")

    def accepts(self, problem: Problem) -> str | None:
        if not problem.loss.smooth:
            return f"FixedPatterns needs a smooth loss, not {problem.loss.name!r}; use 'squared_hinge', or WorkingSet"
        if not isinstance(problem.penalty, Strength):
            return "FixedPatterns needs a Strength; use Strength(beta), or WorkingSet for a Ball"
        grouped = grouped_refusal(problem.architecture)
        if grouped is not None:
            return grouped
        if problem.architecture.slope is None:
            return bent_refusal(problem.architecture)
        if self.memory_limit is not None:
            return "FixedPatterns keeps memory_limit for gated and linear units only; set memory_limit=None"
        return _coned_refusal(problem)

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        n_patterns = self.n_patterns if self.patterns is None else len(self.patterns)
        spare = spare_memory(problem, n_patterns, self.memory_limit)
        free = isinstance(problem.architecture, Gated | Linear)
        basis = row_basis(problem.lifted) if free and self.memory_limit is None else None
        program = Program(problem, self._patterns(problem), self.device, spare, basis)
        for U, b, V, witness in self._proposals(program, start, budget):
            network = program.to_network(U, b)
            yield Iterate(network, V, _price(program, network, V, witness, budget))

    def _proposals(self, program: Program, start: Network | None, budget: Budget) -> Iterator[Proposal]:
        """Newton's method as far as it goes; without cones, then proximal gradient steps."""
        if program.coned:
            yield from _headway(cone_newton(program, *_begin(program, start), budget.expired), budget)
            return
        if program.shared:
            U, b = _begin(program, start)
        else:
            u, b = _begin_blocks(program, start)
            rough = 1.0 if program.large else ROUGH
            for proposal in _headway(working_blocks(program, u, b, budget.tol, budget.expired), budget, rough):
                u, b = proposal[:2]
                yield proposal
            if program.large:
                return
            U = program.dense(u)
        steps = proximal_gradient(program, U, b)
        while group := list(islice(steps, self.steps)):
            U, b, F = group[-1]
            yield U, b, program.problem.dual_vector(F), None

    def _patterns(self, problem: Problem) -> Patterns:
        if self.patterns is not None:
            return self.patterns
        if problem.architecture.most_patterns(*problem.lifted.shape) == 1:
            return problem.architecture.all_patterns(problem.lifted)
        return drawn(problem, self.n_patterns, self.seed, self.antithetic)


def _headway(steps: Iterable[Step[Any]], budget: Budget, rough: float = ROUGH) -> Iterator[Proposal]:
    """The steps that are worth a certificate: from the gap ``rough`` on at a tenth of the one before, and the last."""
    next_gap, last = rough, None
    for step in steps:
        last = step.U, step.b, step.V, step.witness
        if step.gap <= max(next_gap, 0.9 * budget.tol) or budget.expired():
            yield last
            next_gap, last = 0.1 * step.gap, None
    if last is not None:
        yield last


def _price(program: Program, network: Network, V: Outputs, witness: Witness | None, budget: Budget) -> Pricing:
    """Without cones, the best neuron on each pattern; else the network's own with the bound that the witness proves, or
    the best of all patterns if it has none."""
    problem, patterns = program.problem, program.patterns
    if not program.coned:
        prices = program.prices(V)
        bound = Bound(prices.bound, "patterns", "projection", patterns)
        return Pricing(prices.neurons, prices.scores, DualPoint(V, bound))
    neurons, _ = problem.architecture.from_network(network)
    if witness is None or not (len(neurons) or budget.expired()):
        rng = np.random.default_rng(0)  # which a list of patterns does not use
        return Listed(patterns).price(problem, V, neurons, 0.0, rng, budget.expired)
    scores = np.einsum("nm,nm->m", V @ neurons.outputs, problem.architecture.activations(problem.lifted, neurons))
    order = np.argsort(-scores, kind="stable")
    return Pricing(neurons.take(order), scores[order], witness_point(problem, V, patterns, witness))


def _coned_refusal(problem: Problem) -> str | None:
    """Why Newton's method on blocks in cones cannot solve the problem."""
    if problem.architecture.outputs == "shared" and problem.n_outputs > 1:
        return shared_refusal(problem)
    instead = "use WorkingSet(oracle=Listed(patterns))"
    if problem.architecture.bias == "free":
        return f"FixedPatterns charges the bias of ReLU units, so bias='free' is refused; set 'penalized', or {instead}"
    if problem.loss.hessian(np.zeros_like(problem.Y), problem.Y, problem.weights)[1] is not None:
        return f"FixedPatterns has no ReLU units for {problem.loss.name!r}, which couples the outputs; {instead}"
    return None


def _begin(program: Program, start: Network | None) -> tuple[Matrix, Vector]:
    """(U, b): the neurons of ``start`` on the listed patterns; else nothing but the best intercept."""
    problem = program.problem
    U = np.zeros(program.shape)
    if start is None:
        return U, intercept_only(problem)[0]
    neurons, t = problem.architecture.from_network(start)
    places = problem.architecture.lies_on(problem.lifted, neurons, program.patterns)
    inputs = program.coordinates(neurons.inputs)
    for j in np.flatnonzero(places.any(axis=1)):
        a = neurons.outputs[:, j]
        parts = np.stack([np.maximum(a, 0.0), np.maximum(-a, 0.0)]) if program.coned else a
        U[int(np.argmax(places[j]))] += t[j] * np.multiply.outer(inputs[:, j], parts).swapaxes(0, -2)
    return U, start.layers[-1].bias.copy()


def _begin_blocks(program: Program, start: Network | None) -> tuple[Blocks, Vector]:
    """The same as a list of the blocks that are not 0."""
    problem, p = program.problem, program.shape[1]
    if start is None:
        nowhere = np.zeros(0, dtype=np.intp)
        return Blocks(nowhere, nowhere, np.zeros((0, p))), intercept_only(problem)[0]
    neurons, t = problem.architecture.from_network(start)
    places = problem.architecture.lies_on(problem.lifted, neurons, program.patterns)
    j = np.flatnonzero(places.any(axis=1))
    output = np.argmax(np.abs(neurons.outputs[:, j]), axis=0)
    weight = (program.coordinates(neurons.inputs[:, j]) * t[j] * neurons.outputs[output, j]).T
    blocks = Blocks(np.argmax(places[j], axis=1), output, weight)
    return blocks.merged(problem.n_outputs), start.layers[-1].bias.copy()

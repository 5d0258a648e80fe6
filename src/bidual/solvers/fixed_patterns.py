"""The finite program of gated and linear networks, on a fixed list of patterns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import final

import numpy as np

from bidual.architectures import Patterns, ReLU
from bidual.architectures.patterns import sample
from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.oracles import Listed
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.inner.group_newton import group_newton
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.inner.proximal_gradient import proximal_gradient
from bidual.solvers.memory import spare_memory
from bidual.typing import Matrix, Outputs, Vector

Proposal = tuple[Matrix, Vector, Outputs]
"""Blocks, intercept and dual vector."""


@final
@dataclass(frozen=True, eq=False)
class FixedPatterns(Solver):
    """All blocks of a fixed list of patterns at once: semismooth Newton on the dual, then proximal gradient steps.

    For gated networks: ``patterns``, or those of ``n_patterns`` Gaussian gates drawn with ``seed``, half of them the
    opposites of the others if ``antithetic``: these share their products. A linear network has one pattern. Needs a
    smooth loss and a strength; its certificate is of the listed patterns. Newton's method
    (:func:`~bidual.solvers.inner.group_newton.group_newton`) is for separate outputs; shared outputs, and gaps below
    its reach, take accelerated proximal gradient steps, with an iterate every ``steps`` steps (Mishkin, Sahiner &
    Pilanci 2022).

    The products run on ``device``: ``"cpu"`` (NumPy) or a torch device such as ``"cuda"``. At most ``memory_limit``
    bytes are used, those of a memory-mapped X not counted: what does not fit is computed again whenever it is needed.
    Raises MemoryLimitError with an estimate where that is not enough.
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
        if isinstance(problem.architecture, ReLU):
            return "FixedPatterns is for blocks without cones; for ReLU units use WorkingSet(oracle=Listed(patterns))"
        if not problem.loss.smooth:
            return f"FixedPatterns needs a smooth loss, not {problem.loss.name!r}; use 'squared_hinge', or WorkingSet"
        if not isinstance(problem.penalty, Strength):
            return "FixedPatterns needs a Strength; use Strength(beta), or WorkingSet for a Ball"
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        n_patterns = self.n_patterns if self.patterns is None else len(self.patterns)
        spare = spare_memory(problem, n_patterns, self.memory_limit)
        program = Program(problem, self._patterns(problem), self.device, spare)
        oracle, rng = Listed(program.patterns), np.random.default_rng(self.seed)
        for U, b, V in self._proposals(program, *_begin(program, start), budget):
            network = program.to_network(U, b)
            neurons, _ = problem.architecture.from_network(network)
            yield Iterate(network, V, oracle.price(problem, V, neurons, 0.0, rng, budget.expired))

    def _proposals(self, program: Program, U: Matrix, b: Vector, budget: Budget) -> Iterator[Proposal]:
        """Newton's method as far as it goes, then proximal gradient steps."""
        problem = program.problem
        if not program.shared:
            next_gap = np.inf
            for step in group_newton(program, U, b, budget.expired):
                if step.gap <= max(next_gap, 0.5 * budget.tol) or budget.expired():
                    U, b, next_gap = step.U, step.b, 0.1 * step.gap
                    yield U, b, step.V
        steps = proximal_gradient(program, U, b)
        while group := list(islice(steps, self.steps)):
            U, b, F = group[-1]
            yield U, b, problem.dual_vector(F)

    def _patterns(self, problem: Problem) -> Patterns:
        if self.patterns is not None:
            return self.patterns
        if not problem.architecture.gated:
            return problem.architecture.all_patterns(problem.lifted)
        return sample(problem.lifted, self.n_patterns, self.seed, self.antithetic)


def _begin(program: Program, start: Network | None) -> tuple[Matrix, Vector]:
    """(U, b): the neurons of ``start`` on the listed patterns; else nothing but the best intercept."""
    problem = program.problem
    U = np.zeros(program.shape)
    if start is None:
        return U, intercept_only(problem)[0]
    neurons, t = problem.architecture.from_network(start)
    place = {mask.tobytes(): i for i, mask in enumerate(program.patterns.bits.packed)}
    for j, mask in enumerate(problem.architecture.patterns(problem.lifted, neurons).bits.packed):
        i = place.get(mask.tobytes())
        if i is not None:
            U[i] += t[j] * np.outer(neurons.inputs[:, j], neurons.outputs[:, j])
    return U, start.layers[-1].bias.copy()

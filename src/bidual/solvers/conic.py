"""Small reference solutions: the finite program, handed to an interior-point method."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.sparse import block_diag, csr_array

from bidual.architectures import Patterns, no_neurons
from bidual.errors import InvalidParameterError, MissingDependencyError
from bidual.network import Network
from bidual.oracles import Enumerated, Listed, Oracle, most_patterns
from bidual.problem import Problem
from bidual.program import Program, shared_refusal
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.inner.conic_losses import CONIC_LOSSES, clipped, expression
from bidual.typing import Matrix, Outputs, Vector

logger = logging.getLogger("bidual")


@final
@dataclass(frozen=True, eq=False)
class Conic(Solver):
    """:class:`Program` on ``patterns`` (None: all cells, by enumeration), solved by Clarabel through cvxpy.

    One iterate. Its dual vector is the solver's multiplier of ``F = sum_i D_i X U_i + 1 b'``, moved into the domain
    of the conjugate, and priced over the same patterns. For problems with at most ``limit`` variables; needs
    ``pip install 'bidual[conic]'``. (Goulart & Chen 2024, Clarabel; Agrawal et al. 2018, cvxpy.)
    """

    patterns: Patterns | None = None
    tol: float = 1e-10
    limit: int = 20_000

    def __post_init__(self) -> None:
        if not 0.0 < self.tol < 1.0:
            raise InvalidParameterError(f"tol must lie between 0 and 1, got {self.tol!r}")
        if self.limit < 1:
            raise InvalidParameterError(f"limit must be at least 1, got {self.limit!r}")

    def accepts(self, problem: Problem) -> str | None:
        few = Program(_scalar(problem), problem.architecture.all_patterns(problem.lifted[:1]))
        if few.coned and problem.architecture.outputs == "shared" and problem.n_outputs > 1:
            return shared_refusal(problem)
        if problem.loss.name not in CONIC_LOSSES:
            return f"Conic knows the losses {[*CONIC_LOSSES]}, not {problem.loss.name!r}; use WorkingSet"
        cells = most_patterns(problem) if self.patterns is None else len(self.patterns)
        size = cells * (2 if few.coned else 1) * problem.lifted.shape[1] * problem.n_outputs
        if size > self.limit:
            return (
                f"up to {cells} activation patterns make a conic program of {size} variables, more than "
                f"limit={self.limit}; use WorkingSet, pass fewer patterns, or raise limit"
            )
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        oracle: Oracle = Enumerated() if self.patterns is None else Listed(self.patterns)
        patterns = problem.architecture.all_patterns(problem.lifted) if self.patterns is None else self.patterns
        program = Program(problem, patterns)
        solved = _solve(program, self.tol)
        if solved is None:
            return
        U, b, V = solved
        nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
        pricing = oracle.price(problem, V, nothing, 0.0, np.random.default_rng(0))
        yield Iterate(program.to_network(U, b), V, pricing)

"""Small reference solutions: the finite program, handed to an interior-point method."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.sparse import block_diag, csr_array

from bidual.architectures import Patterns, no_neurons
from bidual.architectures.grouped import grouped_refusal
from bidual.architectures.pieces import bent_refusal
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.oracles import Enumerated, Listed, Oracle, most_patterns
from bidual.penalties import Ball
from bidual.problem import Problem
from bidual.program import Program, shared_refusal
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.inner.conic_losses import CONIC_LOSSES, clipped, expression
from bidual.solvers.inner.interior_point import load_cvxpy, solve_conic
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
        coned = problem.architecture.slope is not None
        bent = bent_refusal(problem.architecture) or grouped_refusal(problem.architecture)
        if bent is not None:
            return bent
        if coned and problem.architecture.outputs == "shared" and problem.n_outputs > 1:
            return shared_refusal(problem)
        if problem.loss.name not in CONIC_LOSSES:
            return f"Conic knows the losses {[*CONIC_LOSSES]}, not {problem.loss.name!r}; use WorkingSet"
        cells = most_patterns(problem) if self.patterns is None else len(self.patterns)
        size = cells * (2 if coned else 1) * problem.lifted.shape[1] * problem.n_outputs
        if size > self.limit:
            return (
                f"up to {cells} activation patterns make a conic program of {size} variables, more than "
                f"limit={self.limit}; use WorkingSet, pass fewer patterns, or raise limit"
            )
        try:
            self._patterns(problem)
        except RefusedError as refusal:
            return str(refusal)
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        oracle: Oracle = Enumerated() if self.patterns is None else Listed(self.patterns)
        program = Program(problem, self._patterns(problem))
        solved = _solve(program, self.tol)
        if solved is None:
            return
        U, b, V = solved
        nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
        pricing = oracle.price(problem, V, nothing, 0.0, np.random.default_rng(0))
        yield Iterate(program.to_network(U, b), V, pricing)

    def _patterns(self, problem: Problem) -> Patterns:
        return problem.architecture.all_patterns(problem.lifted) if self.patterns is None else self.patterns


def _solve(program: Program, tol: float) -> tuple[Matrix, Vector, Outputs] | None:
    """(U, b, V): U in the shape of the program, b (c,), V (n, c) in the domain of the conjugate; None if it fails."""
    cp = load_cvxpy()
    problem, columns = program.problem, _features(program)
    (n, c), coned = problem.Y.shape, program.coned
    F, b = cp.Variable((n, c)), cp.Variable((1, c))
    blocks = [cp.Variable((columns.shape[1], c)) for _ in range(2 if coned else 1)]
    predictions = columns @ (blocks[0] - blocks[1] if coned else blocks[0])
    link = F == (predictions + np.ones((n, 1)) @ b if problem.intercept else predictions)
    constraints = [link] + ([_cones(program) @ U >= 0 for U in blocks] if coned else [])
    size, loss = sum(_norm(cp, program, U) for U in blocks), expression(cp, problem, F)
    if isinstance(problem.penalty, Ball):
        task = cp.Problem(cp.Minimize(loss), [*constraints, size <= problem.penalty.radius])
    else:
        task = cp.Problem(cp.Minimize(loss + problem.penalty.value(1.0) * size), constraints)
    solve_conic(task, tol)
    if link.dual_value is None or F.value is None:
        logger.warning("Clarabel ended without a solution: %s", task.status)
        return None
    P, p, _ = shape = len(program.patterns), problem.lifted.shape[1], c
    U = np.stack([block.value.reshape(shape) for block in blocks], axis=1) if coned else blocks[0].value.reshape(shape)
    if isinstance(problem.penalty, Ball):
        U = U * min(1.0, problem.penalty.radius / max(float(program.norms(U).sum()), 1e-300))
    return U, b.value[0] if problem.intercept else np.zeros(c), clipped(problem, link.dual_value)


def _features(program: Program) -> Matrix:
    """(n, P p): ``[D_1 X, ..., D_P X]``, pooled."""
    Xl, patches = program.problem.lifted, program.problem.architecture.patches
    features = (program.slopes[:, :, None] * Xl[:, None, :]).reshape(Xl.shape[0], -1)
    return features if patches is None else patches.pool(features)


def _cones(program: Program) -> csr_array:
    """(rows, P p): one scaled row of every ``S_i X``; rows of zeros, which constrain nothing, are left out."""
    Xl, masks = program.problem.lifted, program.patterns.masks
    lengths = np.linalg.norm(Xl, axis=1)
    unit, masks = Xl[lengths > 0] / lengths[lengths > 0, None], masks[lengths > 0]
    return csr_array(block_diag([np.where(mask[:, None], unit, -unit) for mask in masks.T]))


def _norm(cp: Any, program: Program, U: Any) -> Any:
    """The penalty norm of stacked blocks U (P p, c)."""
    problem, P = program.problem, len(program.patterns)
    p = problem.lifted.shape[1]
    if program.shared:
        return sum(cp.normNuc(U[i * p : (i + 1) * p]) for i in range(P))
    kept = p - 1 if problem.architecture.bias == "free" else p
    columns = [cp.reshape(U[:, k], (P, p), order="C")[:, :kept] for k in range(problem.n_outputs)]
    return sum(cp.sum(cp.norm(column, 2, axis=1)) for column in columns)

"""Accelerated proximal gradient for finite programs without cones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bidual.penalties import Strength
from bidual.program import Program
from bidual.typing import Matrix, Outputs, Vector

REST = 1e-14
"""A step below this share of the variables is rounding: the method is at rest."""


def proximal_gradient(program: Program, U: Matrix, b: Vector) -> Iterator[tuple[Matrix, Vector, Outputs]]:
    """Steps (U, b, F) of ``U+ = prox(U - grad/L)``, ``b+ = b - grad/L`` for ``loss + beta sum of norms``.

    Nesterov's extrapolation is restarted whenever it points uphill; L adapts by backtracking on the curvature
    ``<grad L(F+) - grad L(F), F+ - F> <= L (||dU||^2 + ||db||^2)``, which has no cancellation near the solution. Ends
    when the steps are rounding. Each step costs one forward and one adjoint product.

    U (P, p, c), b (c,), F (n, c). The loss must be smooth and the penalty a Strength. Sources: Beck & Teboulle 2009;
    O'Donoghue & Candes 2015 (restart).
    """
    problem = program.problem
    assert isinstance(problem.penalty, Strength)
    beta, lipschitz = problem.penalty.beta, _first_lipschitz(program)
    F = program.forward(U, b)
    ahead, momentum = (U, b, F), 1.0
    while True:
        U_at, b_at, F_at = ahead
        R = _loss_gradient(program, F_at)
        gU, gb = program.adjoint(R), R.sum(axis=0) if problem.intercept else np.zeros_like(b)
        while True:
            U_new = shrink(U_at - gU / lipschitz, beta / lipschitz, program.shared)
            b_new = b_at - gb / lipschitz
            F_new = program.forward(U_new, b_new)
            moved = float(np.sum((U_new - U_at) ** 2) + np.sum((b_new - b_at) ** 2))
            curvature = float(np.sum((_loss_gradient(program, F_new) - R) * (F_new - F_at)))
            rounding = REST**2 * float(np.sum(U_at**2) + b_at @ b_at)
            if curvature <= lipschitz * (moved * (1.0 + 1e-9) + rounding):
                break
            lipschitz *= 2.0
        dU, db = U_new - U, b_new - b
        uphill = float(np.sum((U_at - U_new) * dU) + (b_at - b_new) @ db) > 0.0
        following = 1.0 if uphill else (1.0 + (1.0 + 4.0 * momentum**2) ** 0.5) / 2.0
        push = 0.0 if uphill else (momentum - 1.0) / following
        ahead = (U_new + push * dU, b_new + push * db, F_new + push * (F_new - F))
        U, b, F, momentum, lipschitz = U_new, b_new, F_new, following, 0.95 * lipschitz
        yield U, b, F
        if moved <= rounding:
            return


def shrink(U: Matrix, amount: float, shared: bool) -> Matrix:
    """(P, p, c): the proximal point of ``amount`` times the sum of the blocks' norms.

    Separate outputs: every column is shortened by ``amount``, or becomes 0. Shared outputs: every singular value is.
    """
    if shared:
        left, size, right = np.linalg.svd(U, full_matrices=False)
        return (left * np.maximum(size - amount, 0.0)[:, None, :]) @ right
    length = np.linalg.norm(U, axis=1, keepdims=True)
    return U * np.maximum(1.0 - amount / np.where(length > 0.0, length, 1.0), 0.0)


def _loss_gradient(program: Program, F: Outputs) -> Outputs:
    return program.problem.loss.gradient(F, program.problem.Y, program.problem.weights)


def _first_lipschitz(program: Program) -> float:
    """The curvature along the gradient at 0; backtracking corrects it."""
    problem = program.problem
    R = _loss_gradient(program, np.zeros_like(problem.Y))
    U, b = program.adjoint(R), R.sum(axis=0) if problem.intercept else np.zeros(problem.n_outputs)
    size = float(np.sum(U**2) + b @ b)
    if size == 0.0:
        return 1.0
    F = program.forward(U, b)
    return max(float(np.sum(problem.weights[:, None] * F**2)) / size, 1e-12)

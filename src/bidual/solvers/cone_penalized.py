"""Blocks that pay for leaving their cones, as in the public code of Ergen & Pilanci (2021)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from typing import final

import numpy as np

from bidual.architectures import GatedReLU, Patterns, ReLU
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.operators.blocks import row_blocks
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.inner.proximal_gradient import shrink
from bidual.typing import Expired, Matrix, Outputs, Vector, never

CHECK = 10
"""Steps from one bound to the next."""

SHARE = 0.25
"""Of the gap that rounding may be."""


@final
@dataclass(frozen=True, eq=False)
class ConePenalized:
    """A solution of the cone-penalised program, and the two networks it can be read as.

    gated : its blocks ``V_j - W_j`` behind the gates of the patterns. It predicts what the program does, and it is a
    gated network: it is not a ReLU network, and not the best gated network either.
    relu : a ReLU neuron for every column of V and W. Outside the cones it predicts something else.
    objective, dual : the value of the program, and a proven lower bound of its optimum. They say nothing of the optimum
    over ReLU networks: :func:`~bidual.certificate.certify` does, of each network in its own problem.
    violation : the mean over the rows of the summed cone violations ``(-S_j X u)_+``.
    """

    gated: Network
    relu: Network
    objective: float
    dual: float
    violation: float

    @property
    def relative_gap(self) -> float:
        """``(objective - dual) / |objective|``."""
        return (self.objective - self.dual) / max(abs(self.objective), 1e-300)


def cone_penalized(
    problem: Problem,
    patterns: Patterns,
    rho: float = 0.01,
    tol: float = 1e-3,
    max_iter: int = 10_000,
    expired: Expired = never,
) -> ConePenalized:
    """Minimise ``L(sum_j D_j X (V_j - W_j) + 1 b') + beta sum (||V_jk|| + ||W_jk||) + rho violation`` over the listed
    patterns: the program of ReLU units (:class:`~bidual.program.Program`) with a price on leaving its cones.

    The authors' code charges the sum of the blocks over the outputs; here each output's column pays for itself, so that
    for large ``rho`` the program is that of ReLU units. Accelerated proximal gradient steps on rounded hinges end at a
    proven relative gap of ``tol`` or after ``max_iter``. The bound: scaling the gradient's dual vector and multipliers,
    which are at most ``rho / n``, until no block's gradient is longer than beta.

    problem : ReLU of slope 0 whose bias is not free, separate outputs, a smooth loss, a Strength.

    Raises RefusedError for another problem, InvalidParameterError for rho, tol or max_iter that are not positive.
    """
    refusal = _refusal(problem)
    if refusal is not None:
        raise RefusedError(refusal)
    for name, value in (("rho", rho), ("tol", tol), ("max_iter", max_iter)):
        if not (isfinite(value) and value > 0):
            raise InvalidParameterError(f"{name} must be a positive finite number, got {value!r}")
    penalized = _Penalized(Program(problem, patterns), rho)
    return penalized.solution(*penalized.descend(tol, max_iter, expired))


def _refusal(problem: Problem) -> str | None:
    architecture = problem.architecture
    if not isinstance(architecture, ReLU) or architecture.slope != 0.0 or architecture.bias == "free":
        return f"cone_penalized is for ReLU(bias='penalized') or ReLU(bias='none'), not {architecture!r}"
    if architecture.outputs == "shared" and problem.n_outputs > 1:
        return "cone_penalized charges each output's blocks; use ReLU(outputs='separate')"
    if not problem.loss.smooth or not isinstance(problem.penalty, Strength):
        return "cone_penalized needs a smooth loss and a Strength; use 'squared_hinge', or WorkingSet"
    return None


@final
class _Penalized:
    """The program with its hinges rounded over a width, which shrinks where the rounding is most of the gap."""

    def __init__(self, program: Program, rho: float):
        problem = program.problem
        assert isinstance(problem.penalty, Strength)
        self.program, self.problem, self.beta = program, problem, problem.penalty.beta
        self.signs = np.where(program.patterns.masks, 1.0, -1.0)
        self.price = rho / problem.X.shape[0]
        zero = problem.loss_value(intercept_only(problem)[1])
        self.width = max(abs(zero), 1e-300) / (rho * max(np.prod(program.shape) / program.shape[2], 1.0))

    def descend(self, tol: float, max_iter: int, expired: Expired) -> tuple[Matrix, Vector, float]:
        """(U, b, dual): FISTA with restarts, and with backtracking on the rounded function."""
        U, b = np.zeros(self.program.shape), intercept_only(self.problem)[0]
        ahead, momentum, lipschitz, best = (U, b), 1.0, 1.0, self.dual(U, b)
        for iteration in range(1, max_iter + 1):
            value, gU, gb, _ = self.smooth(*ahead)
            while True:
                new_U, new_b = self._shrink(ahead[0] - gU / lipschitz, lipschitz), ahead[1] - gb / lipschitz
                dU, db = new_U - ahead[0], new_b - ahead[1]
                moved = float(np.vdot(dU, dU) + db @ db)
                bound = value + float(np.vdot(gU, dU) + gb @ db) + 0.5 * lipschitz * moved
                if self.smooth(new_U, new_b)[0] <= bound + 1e-12 * abs(value):
                    break
                lipschitz *= 2.0
            uphill = float(np.vdot(dU, new_U - U) + db @ (new_b - b)) < 0.0
            following = 1.0 if uphill else (1.0 + (1.0 + 4.0 * momentum**2) ** 0.5) / 2.0
            push = 0.0 if uphill else (momentum - 1.0) / following
            ahead = new_U + push * (new_U - U), new_b + push * (new_b - b)
            U, b, momentum, lipschitz = new_U, new_b, following, 0.95 * lipschitz
            if iteration % CHECK == 0:
                value, best = self.objective(U, b), max(best, self.dual(U, b))
                if expired() or value - best <= tol * abs(value):
                    break
                if self.price * self._violations(U) - self._hinges(U)[0] > SHARE * (value - best):
                    self.width, momentum, ahead = 0.5 * self.width, 1.0, (U, b)
        return U, b, best

    def smooth(self, U: Matrix, b: Vector) -> tuple[float, Matrix, Vector, Outputs]:
        """The loss and the rounded hinges: their value, their gradients in U and b, and the dual vector -grad L."""
        problem, F = self.problem, self.program.forward(U, b)
        R = problem.loss.gradient(F, problem.Y, problem.weights)
        hinges, pull = self._hinges(U)
        gb = R.sum(axis=0) if problem.intercept else np.zeros_like(b)
        return problem.loss_value(F) + hinges, self.program.adjoint(R) - pull, gb, -R

    def objective(self, U: Matrix, b: Vector) -> float:
        return self.program.objective(U, b) + self.price * self._violations(U)

    def dual(self, U: Matrix, b: Vector) -> float:
        """``-L*(-t V)``: V and the multipliers, times t, leave no block a gradient longer than beta."""
        V = self.problem.feasible(self.smooth(U, b)[3])
        slopes = self.program.adjoint(-V) - self._hinges(U)[1]
        return self.problem.dual(V, float(np.linalg.norm(slopes, axis=2).max(initial=0.0)))

    def solution(self, U: Matrix, b: Vector, dual: float) -> ConePenalized:
        architecture = GatedReLU(self.problem.architecture.bias)
        gated = Program(replace(self.problem, architecture=architecture), self.program.patterns)
        violation = self._violations(U) / self.problem.X.shape[0]
        networks = gated.to_network(U[:, 0] - U[:, 1], b), self.program.to_network(U, b)
        return ConePenalized(*networks, self.objective(U, b), dual, violation)

    def _shrink(self, U: Matrix, lipschitz: float) -> Matrix:
        P, _, p, c = U.shape
        return shrink(U.reshape(2 * P, p, c), self.beta / lipschitz, False).reshape(U.shape)

    def _hinges(self, U: Matrix) -> tuple[float, Matrix]:
        """The price of the rounded hinges, and minus its gradient, ``X'S_j mu`` with multipliers in [0, rho / n]."""
        value, pull, Xl = 0.0, np.zeros(U.shape), self.problem.lifted
        for rows, out in self._outside(U):
            share = np.minimum(out / self.width, 1.0)
            value += float(np.sum(share * (out - 0.5 * self.width * share)))
            pull += np.einsum("np,njsk->jspk", Xl[rows], share * self.signs[rows, :, None, None], optimize=True)
        return self.price * value, self.price * pull

    def _violations(self, U: Matrix) -> float:
        return sum(float(out.sum()) for _, out in self._outside(U))

    def _outside(self, U: Matrix) -> Iterator[tuple[slice, Matrix]]:
        """Blocks of rows with their (rows, P, 2, c): how far they lie on the wrong side."""
        P, _, p, c = U.shape
        flat = U.transpose(2, 0, 1, 3).reshape(p, -1)
        for rows in row_blocks(self.problem.X.shape[0], 2 * P * c):
            Z = (self.problem.lifted[rows] @ flat).reshape(-1, P, 2, c)
            yield rows, np.maximum(-Z * self.signs[rows, :, None, None], 0.0)

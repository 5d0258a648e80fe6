"""The losses in the language of cvxpy, and the repair of multipliers that are outside their domain by rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bidual.errors import RefusedError
from bidual.problem import Problem
from bidual.typing import Outputs


@dataclass(frozen=True)
class ConicLoss:
    """express(cp, loss, F, Y) : the cvxpy expression (n, c), or (n,), whose weighted sum is the loss.

    clip(loss, V, Y) : the dual vector V (n, c) of unit weights, moved into the domain of the conjugate.
    """

    express: Callable[[Any, Any, Any, Outputs], Any]
    clip: Callable[[Any, Outputs, Outputs], Outputs]


def _signed(low: float, high: float) -> Callable[[Any, Outputs, Outputs], Outputs]:
    return lambda loss, V, Y: Y * np.clip(Y * V, low, high)


def _to_simplex(loss: Any, V: Outputs, Y: Outputs) -> Outputs:
    Q = np.maximum(Y - V, 0.0)
    return Y - Q / Q.sum(axis=1, keepdims=True)


CONIC_LOSSES: dict[str, ConicLoss] = {
    "squared": ConicLoss(lambda cp, loss, F, Y: cp.square(F - Y) / 2, lambda loss, V, Y: V),
    "huber": ConicLoss(
        lambda cp, loss, F, Y: cp.huber(F - Y, loss.delta) / 2,
        lambda loss, V, Y: np.clip(V, -loss.delta, loss.delta),
    ),
    "logistic": ConicLoss(lambda cp, loss, F, Y: cp.logistic(-cp.multiply(Y, F)), _signed(0.0, 1.0)),
    "hinge": ConicLoss(lambda cp, loss, F, Y: cp.pos(1 - cp.multiply(Y, F)), _signed(0.0, 1.0)),
    "squared_hinge": ConicLoss(
        lambda cp, loss, F, Y: cp.square(cp.pos(1 - cp.multiply(Y, F))) / 2, _signed(0.0, np.inf)
    ),
    "smoothed_hinge": ConicLoss(
        lambda cp, loss, F, Y: cp.huber(cp.pos(1 - cp.multiply(Y, F)), loss.width) / (2 * loss.width),
        _signed(0.0, 1.0),
    ),
    "multinomial": ConicLoss(
        lambda cp, loss, F, Y: cp.log_sum_exp(F, axis=1) - cp.sum(cp.multiply(Y, F), axis=1), _to_simplex
    ),
}
"""By the name of the loss."""


def conic_loss(problem: Problem) -> ConicLoss:
    """The entry of the problem's loss; RefusedError if there is none."""
    if problem.loss.name not in CONIC_LOSSES:
        raise RefusedError(
            f"the conic solver knows the losses {[*CONIC_LOSSES]}, not {problem.loss.name!r}; use WorkingSet"
        )
    return CONIC_LOSSES[problem.loss.name]


def expression(cp: Any, problem: Problem, F: Any) -> Any:
    """The loss of the cvxpy expression F (n, c)."""
    rows = conic_loss(problem).express(cp, problem.loss, F, problem.Y)
    return cp.sum(cp.multiply(problem.weights if rows.ndim == 1 else problem.weights[:, None], rows))


def clipped(problem: Problem, V: Outputs) -> Outputs:
    """V in the domain of the conjugate, and balanced if there is an intercept."""
    s = problem.weights[:, None]
    return problem.feasible(s * conic_loss(problem).clip(problem.loss, V / s, problem.Y))

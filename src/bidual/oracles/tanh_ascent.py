"""The oracle of tanh units: many gradient ascents, and the bound that sign units prove."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import minimize

from bidual.architectures import Neurons, Tanh
from bidual.architectures.sweep import sweep_work
from bidual.certificate import SWEEP_WORK
from bidual.errors import InvalidParameterError, RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.swept import priced, swept
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Rows, Vector, never

SATURATED = 20.0
"""tanh of it is 1 in double precision."""


@final
@dataclass(frozen=True)
class TanhAscent(Oracle):
    """The best tanh units that ``n_starts`` gradient ascents find for each output, from the current and random units.

    A tanh unit scores no more than the best sign unit, and comes arbitrarily near as its weights grow. So where a sweep
    (:class:`~bidual.oracles.Swept`) takes no more than ``limit`` work, the best sign units, with weights so large that
    they are tanh units too, are among the answers, and the bound is theirs, of scope ``global``. Else the search proves
    nothing. ``max_weight`` keeps every weight (and bias) of the answers within ``[-max_weight, max_weight]``, which the
    class of networks does not ask for: the bound then still covers all tanh units.
    """

    n_starts: int = 20
    max_weight: float = np.inf
    keep: int = 20
    limit: float = SWEEP_WORK

    def __post_init__(self) -> None:
        if not self.max_weight > 0:
            raise InvalidParameterError(f"max_weight must be positive, got {self.max_weight!r}")
        for name in ("n_starts", "keep"):
            if getattr(self, name) < 1:
                raise InvalidParameterError(f"{name} must be at least 1, got {getattr(self, name)!r}")

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        architecture, Xl = problem.architecture, problem.lifted
        if not isinstance(architecture, Tanh):
            name = type(architecture).__name__
            raise RefusedError(f"TanhAscent finds tanh units, not {name} units; use Swept, Enumerated or LocalSearch")
        steps, point = np.zeros((Xl.shape[1], 0)), None
        with suppress(RefusedError):  # rows too close to tell apart
            if sweep_work(architecture.biased(Xl)) <= self.limit:
                steps, point = swept(architecture, problem, V, self.keep)
                steps = _saturated(Xl, steps) if self.max_weight == np.inf else steps[:, :0]
        scale = np.sqrt(np.mean(Xl**2, axis=0))
        random = rng.standard_normal((Xl.shape[1], self.n_starts)) * rng.choice([0.3, 1.0, 3.0], size=self.n_starts)
        starts = np.hstack([current.inputs, random / np.where(scale > 0, scale, 1.0)[:, None]])
        starts = np.clip(starts, -self.max_weight, self.max_weight)
        risen = [self._risen(Xl, v, u) for v in V.T for u in starts.T if not expired()]
        found = priced(architecture, problem, np.column_stack([steps, *risen, current.inputs]), V, self.keep)
        return Pricing(found.neurons, found.scores, point)

    def _risen(self, X: Rows, v: Vector, u: Vector) -> Vector:
        """(p,): u after an ascent of ``|v'tanh(Xu)|`` (L-BFGS-B)."""
        up = 1.0 if v @ np.tanh(X @ u) >= 0 else -1.0

        def descent(w: Vector) -> tuple[float, Vector]:
            h = np.tanh(X @ w)
            return -up * float(v @ h), -up * (X.T @ (v * (1.0 - h * h)))

        bounds = [(-self.max_weight, self.max_weight)] * u.size if self.max_weight < np.inf else None
        risen: Vector = minimize(descent, u, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100}).x
        return risen


def _saturated(X: Rows, U: Matrix) -> Matrix:
    """Units of the same signs whose inputs are beyond where tanh is 1 in double precision."""
    Z = np.abs(X @ U)
    least = np.where(Z > 0, Z, np.inf).min(axis=0)
    return U * (SATURATED / np.where(np.isfinite(least), least, 1.0))

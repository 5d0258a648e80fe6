"""The best sign unit by mixed-integer programming, where there are too many cells for a sweep."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from bidual.architectures import Neurons, Sign
from bidual.architectures.sweep import merged
from bidual.errors import InvalidParameterError, RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.line_search import searched
from bidual.oracles.swept import priced
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Vector, never

POLISH = 20
"""Line searches from the unit that was found, which matter where HiGHS was stopped."""

logger = logging.getLogger("bidual")


@final
@dataclass(frozen=True)
class MixedInteger(Oracle):
    """One unit for each output: ``max sum_i |c_i| (2 z_i - 1)`` over units ``|w|_inf <= 1`` and binary z with
    ``sign(c_i) h_i'w >= margin`` where ``z_i = 1``, for the distinct hyperplanes h of the data, whitened and of length
    1. Solved by HiGHS, for at most ``time_limit`` seconds and ``node_limit`` nodes an output.

    Exact among the units that are right by the margin, where HiGHS is not stopped. It proves nothing: units of smaller
    margin are left out, and HiGHS computes with tolerances of 1e-6, so no bound of it can be checked afterwards. What
    it states is logged. It pays where a sweep does not: five features or more, and up to five rows or so for each.
    """

    margin: float = 1e-4
    time_limit: float = 60.0
    node_limit: int | None = None

    def __post_init__(self) -> None:
        if not 1e-5 <= self.margin < 1.0:
            raise InvalidParameterError(f"margin must lie in [1e-5, 1), above HiGHS's tolerance, got {self.margin!r}")
        if not self.time_limit > 0:
            raise InvalidParameterError(f"time_limit must be positive, got {self.time_limit!r}")
        if self.node_limit is not None and self.node_limit < 1:
            raise InvalidParameterError(f"node_limit must be at least 1, got {self.node_limit!r}")

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
        if not isinstance(architecture, Sign):
            name = type(architecture).__name__
            raise RefusedError(f"MixedInteger finds sign units, not {name} units; use LocalSearch or TanhAscent")
        H, B, C, _ = merged(Xl, V)
        found = [B @ self._solved(H, c) for c in C.T if H.size and not expired()]
        U = np.column_stack([*found, rng.standard_normal((Xl.shape[1], 1))])
        U = np.hstack([U, searched(Xl, V, U, POLISH, rng, expired)])
        return priced(architecture, problem, U, V, keep=2)

    def _solved(self, H: Matrix, c: Vector) -> Vector:
        """(r,): the best point for c (h,), of either sign: the opposite point has the opposite score."""
        h, r = H.shape
        size, side = np.abs(c), np.where(c < 0, -1.0, 1.0)
        most = np.abs(H).sum(axis=1) + self.margin
        right = LinearConstraint(np.hstack([side[:, None] * H, -np.diag(most)]), self.margin - most, np.inf)
        limits: dict[str, float] = {"time_limit": self.time_limit, "mip_rel_gap": 1e-9}
        if self.node_limit is not None:
            limits["node_limit"] = self.node_limit
        solved = milp(
            np.append(np.zeros(r), -2.0 * size / max(float(size.max()), 1e-300)),
            integrality=np.append(np.zeros(r), np.ones(h)),
            bounds=Bounds(np.append(-np.ones(r), np.zeros(h)), np.ones(r + h)),
            constraints=right,
            options=limits,
        )
        if solved.x is None:
            logger.info("HiGHS stopped without a unit: %s", solved.message)
            return np.ones(r)
        scores = (-np.array([solved.fun, solved.mip_dual_bound]) * size.max()) - size.sum()
        logger.info("HiGHS found a unit of score %.9g, and states that none scores more than %.9g", *scores)
        return np.asarray(solved.x[:r], dtype=float)

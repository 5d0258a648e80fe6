"""The loss and the intercept in a proximal-point step: what its dual vector says of the predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np

from bidual.problem import Problem
from bidual.typing import Outputs, Vector

FIRST = 300.0
"""The first proximal step of the predictions, times the mean weight."""


@final
@dataclass(frozen=True, eq=False)
class Envelope:
    """With centre F (n, c), b (c,) and steps tau and w, the function of theta (n, c)

        ``max over G of (-L(G) - <theta, G> - ||G - F||^2 / (2 tau)) + w/2 sum_k (b_k/w + sum_i theta_ik)^2``,

    whose gradient is ``-G + 1 (b + w sum theta)'`` at the maximiser ``G = prox_{tau L}(F - tau theta)``. There is no
    intercept, and b is 0, where w is 0. A loss that couples the outputs (multinomial) ignores a constant added to a row
    of G: then F, G and theta keep to rows that sum to 0.
    """

    problem: Problem
    F: Outputs
    b: Vector
    tau: float
    w: float
    coupled: bool

    @classmethod
    def around(cls, problem: Problem, F: Outputs, b: Vector, w: float) -> Self:
        """The first one."""
        coupled = problem.loss.hessian(F, problem.Y, problem.weights)[1] is not None
        first = cls(problem, F, b, FIRST / float(np.mean(problem.weights)), w, coupled)
        return replace(first, F=first.centred(F))

    def centred(self, F: Outputs) -> Outputs:
        """F, or with rows that sum to 0."""
        return F - F.mean(axis=1, keepdims=True) if self.coupled else F

    def point(self, theta: Outputs) -> Outputs:
        """(n, c): the maximiser G."""
        return self.problem.loss.proximal(self.F - self.tau * theta, self.problem.Y, self.problem.weights, self.tau)

    def intercept(self, theta: Outputs) -> Vector:
        """(c,): ``b + w sum theta``."""
        return self.b + self.w * theta.sum(axis=0)

    def value(self, theta: Outputs, G: Outputs) -> float:
        """The function, G being its maximiser at theta."""
        moved = G - self.F
        value = -self.problem.loss_value(G) - float(np.vdot(theta, G) + np.vdot(moved, moved) / (2.0 * self.tau))
        return value + (float(np.sum(self.intercept(theta) ** 2)) / (2.0 * self.w) if self.w else 0.0)

    def curvature(self, G: Outputs) -> tuple[Outputs, Outputs | None]:
        """(h, q): row i of ``tau (I + tau L''(G))^-1`` is ``diag(h_i) + q_i q_i'``, by Sherman & Morrison, or
        ``diag(h_i)`` where q is None."""
        curvature, q = self.problem.loss.hessian(G, self.problem.Y, self.problem.weights)
        h = 1.0 / (1.0 / self.tau + curvature)
        return h, None if q is None else h * q / np.sqrt(1.0 - np.sum(h * q * q, axis=1, keepdims=True))

    def recentred(self, theta: Outputs, G: Outputs, growth: float) -> Self:
        """That of the next step."""
        return replace(self, F=G, b=self.intercept(theta), tau=growth * self.tau, w=growth * self.w)

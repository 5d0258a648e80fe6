"""Losses on whose dual Newton's method works."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from bidual.losses.base import Loss
from bidual.typing import Outputs, Weights


class SmoothConjugate(Loss):
    """A loss whose conjugate L* is twice differentiable inside its domain, which has no border or an infinitely steep
    one: minimisers of dual functions lie inside."""

    barrier: ClassVar[bool]
    """True if the domain has a border."""

    @abstractmethod
    def conjugate_slope(self, Z: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """(n, c): the gradient of L* at Z, that is predictions F with ``grad L(F) = Z``; Z inside the domain."""

    @abstractmethod
    def conjugate_curvature(self, Z: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """(n, c): the diagonal of the Hessian of L* at Z, which has no other entries."""

    @abstractmethod
    def conjugate_domain(self, Y: Outputs, s: Weights) -> tuple[Outputs, Outputs]:
        """(lowest, highest): the interval of each entry of Z in the domain."""

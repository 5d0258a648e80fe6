"""How the size of a network is paid for: by a price per unit, or by a budget."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

from bidual.errors import InvalidParameterError


class Penalty(ABC):
    """A convex increasing function r of the network's size (its gauge), and what its conjugate asks of the dual.

    A dual vector with neuron bound kappa, scaled by t, is feasible for ``t <= limit(kappa)`` and pays
    ``t * slope(kappa)``.
    """

    @abstractmethod
    def value(self, size: float) -> float:
        """r(size); inf outside the domain."""

    @abstractmethod
    def limit(self, kappa: float) -> float:
        """The largest scaling of a dual vector whose neurons score at most kappa."""

    @abstractmethod
    def slope(self, kappa: float) -> float:
        """The price of one unit of scaling."""


@final
@dataclass(frozen=True)
class Strength(Penalty):
    """``r(size) = beta * size`` with beta > 0: weight decay ``beta/2 (||W1||^2 + ||w2||^2)`` of a balanced network."""

    beta: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.beta) and self.beta > 0):
            raise InvalidParameterError(f"beta must be a positive finite number, got {self.beta!r}")

    def value(self, size: float) -> float:
        return self.beta * size

    def limit(self, kappa: float) -> float:
        return self.beta / kappa if kappa > 0 else math.inf

    def slope(self, kappa: float) -> float:
        return 0.0


@final
@dataclass(frozen=True)
class Ball(Penalty):
    """``r(size) = 0`` if ``size <= radius`` and inf otherwise (d'Aspremont & Pilanci 2020, eq. 5)."""

    radius: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.radius) and self.radius >= 0):
            raise InvalidParameterError(f"radius must be a nonnegative finite number, got {self.radius!r}")

    def value(self, size: float) -> float:
        return 0.0 if size <= self.radius * (1 + 1e-12) else math.inf

    def limit(self, kappa: float) -> float:
        return math.inf

    def slope(self, kappa: float) -> float:
        return self.radius * kappa

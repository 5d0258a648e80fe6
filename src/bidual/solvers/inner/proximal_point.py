"""The proximal-point method whose steps minimise a function of a dual vector by Newton's method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, final

import numpy as np

from bidual.architectures.base import Witness
from bidual.typing import Expired, Outputs, Vector

Weights = TypeVar("Weights")

GROWTH, BEGUN, SETTLED = 2.5, 0.5, 0.1
"""Growth of the proximal steps, decrease of the gradient that ends the first inner minimisation, and any other."""

INNER, IDLE = 30, 3
"""Newton steps of one inner minimisation; proximal-point steps without a smaller gap after which the method ends."""


@final
@dataclass(frozen=True, eq=False)
class Step(Generic[Weights]):
    """Blocks U, in the program's shape or a list of them, intercept b (c,), a dual vector V (n, c) of the problem,
    their relative gap, and what else proves a bound of V's scores."""

    U: Weights
    b: Vector
    V: Outputs
    gap: float
    witness: Witness | None = None


class DualFunction(ABC, Generic[Weights]):
    """What one proximal-point step minimises over theta (n, c), and the theta in hand."""

    @abstractmethod
    def gradient(self) -> Outputs:
        """(n, c), at theta."""

    @abstractmethod
    def move(self, g: Outputs) -> bool:
        """A Newton step from the gradient g; False if it leads nowhere."""

    @abstractmethod
    def centre(self) -> Step[Weights]:
        """The new centre that theta proposes, certified."""

    @abstractmethod
    def recentre(self, growth: float) -> None:
        """Go on from the new centre, with longer steps."""

    @abstractmethod
    def sharpen(self, gap: float, settled: bool) -> bool:
        """True if from now on the work is done more precisely, as this gap or a minimisation that did not end asks."""


def proximal_point(function: DualFunction[Weights], rounding: float, expired: Expired) -> Iterator[Step[Weights]]:
    """Centres towards the optimum. Stops early when ``expired``, and ends where it makes no more headway; gradients
    below ``rounding`` are 0."""
    best, idle, decrease = np.inf, 0, BEGUN
    while idle < IDLE and not expired():
        settled = _minimise(function, decrease, rounding, expired)
        centre = function.centre()
        yield centre
        idle = 0 if centre.gap < best else idle + 1
        best, decrease = min(best, centre.gap), SETTLED
        if function.sharpen(centre.gap, settled and not idle):
            settled, idle = True, 0
        function.recentre(GROWTH if settled else 1.0)


def _minimise(function: DualFunction[Any], decrease: float, rounding: float, expired: Expired) -> bool:
    """Newton steps until the gradient has fallen to ``decrease`` times the first; False if it does not."""
    g = function.gradient()
    goal = max(decrease * float(np.linalg.norm(g)), rounding)
    for _ in range(INNER):
        if np.linalg.norm(g) <= goal:
            return True
        if expired() or not function.move(g):
            return False
        g = function.gradient()
    return False


Trial = TypeVar("Trial")


def line_search(
    at: Callable[[float], tuple[float, Trial]], value: float, slope: float, dear: bool = False
) -> Trial | None:
    """The first of the steps 1, 1/2, 1/4, ... that decreases enough (Armijo): what ``at(step)`` gives beside the value
    there. None if none does, or if the slope is not negative. Where a look is ``dear``, the next step is where the
    parabola through what is known is least, if that is shorter, down to a tenth of the last."""
    step = 1.0
    while slope < 0.0 and step >= 1e-8:
        there, trial = at(step)
        rise, fall = there - value, -step * slope
        if rise <= -1e-4 * fall + 1e-15 * abs(value):
            return trial
        step *= max(0.1, min(0.5, 0.5 * fall / (rise + fall))) if dear else 0.5
    return None

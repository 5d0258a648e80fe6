"""The losses, one per file. ``LOSSES`` finds a class by its name; another loss is another subclass of ``Loss``."""

from __future__ import annotations

from bidual.losses.base import Loss
from bidual.losses.hinge import Hinge
from bidual.losses.huber import Huber
from bidual.losses.logistic import Logistic
from bidual.losses.multinomial import Multinomial
from bidual.losses.smoothed_hinge import SmoothedHinge
from bidual.losses.squared import Squared
from bidual.losses.squared_hinge import SquaredHinge

LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (Squared, Huber, Logistic, Hinge, SmoothedHinge, SquaredHinge, Multinomial)
}

__all__ = [
    "LOSSES",
    "Hinge",
    "Huber",
    "Logistic",
    "Loss",
    "Multinomial",
    "SmoothedHinge",
    "Squared",
    "SquaredHinge",
]

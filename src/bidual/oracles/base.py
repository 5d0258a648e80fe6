"""Which neuron next, and at most how good is any other: the one question of every solver."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from bidual.architectures import Neurons
from bidual.certificate import DualPoint
from bidual.problem import Problem
from bidual.typing import Expired, Outputs, Vector, never


@dataclass(frozen=True)
class Pricing:
    """Neurons found, best first, their scores against the dual vector, and what was proven of all others.

    ``dual`` is None where the oracle only searches: a search that finds nothing proves nothing.
    """

    neurons: Neurons
    scores: Vector
    dual: DualPoint | None = None

    @property
    def best_found(self) -> float:
        """The largest score found (0 if nothing was)."""
        return float(self.scores.max(initial=0.0))

    def join(self, other: Pricing) -> Pricing:
        """The neurons of both, best first; nothing is proven of others."""
        scores = np.concatenate([self.scores, other.scores])
        order = np.argsort(-scores, kind="stable")
        return Pricing(self.neurons.join(other.neurons).take(order), scores[order])


class Oracle(ABC):
    """The neurons of largest score against a dual vector.

    ``closed`` says that the oracle knows only its own list of patterns, which the network's neurons shall not leave.
    """

    closed: bool = False

    @abstractmethod
    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        """Neurons that score more than ``target``, or the best there are.

        A search may stop as soon as it has found some above ``target`` or its time has ``expired``; a bound it gives is
        valid whenever it stops.
        ``current`` are the neurons of the network in hand, good places to start from; ``rng`` feeds random starts.
        """

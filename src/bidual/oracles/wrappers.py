"""Oracles around oracles: count the calls, remember the last answers, price in pieces."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import final

import numpy as np

from bidual.architectures import Neurons
from bidual.certificate import DualPoint
from bidual.errors import InvalidParameterError
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Outputs, never


@final
@dataclass(eq=False)
class Counted(Oracle):
    """Counts the calls of the oracle inside."""

    inner: Oracle
    calls: int = 0

    def __post_init__(self) -> None:
        self.closed = self.inner.closed

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        self.calls += 1
        return self.inner.price(problem, V, current, target, rng, expired)


@final
@dataclass(eq=False)
class Cached(Oracle):
    """Answers from neurons found before if one of them still scores more than ``target``; else asks the oracle inside.

    Remembers at most ``size`` neurons, the most recently useful ones. An answer from memory carries no bound.
    """

    inner: Oracle
    size: int = 500
    memory: OrderedDict[bytes, Neurons] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.closed = self.inner.closed

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        remembered = self._remembered()
        if remembered is not None:
            activations = problem.architecture.activations(problem.lifted, remembered)
            scores = np.einsum("nm,nm->m", V @ remembered.outputs, activations)
            order = np.argsort(-scores, kind="stable")
            order = order[scores[order] > target]
            if order.size:
                return Pricing(remembered.take(order), scores[order])
        pricing = self.inner.price(problem, V, current, target, rng, expired)
        for j in range(len(pricing.neurons)):
            neuron = pricing.neurons.take(np.array([j]))
            self.memory[neuron.inputs.tobytes() + neuron.outputs.tobytes()] = neuron
        while len(self.memory) > self.size:
            self.memory.popitem(last=False)
        return pricing

    def _remembered(self) -> Neurons | None:
        neurons = list(self.memory.values())
        if not neurons:
            return None
        gates = None if neurons[0].gates is None else np.hstack([u.gates for u in neurons if u.gates is not None])
        return Neurons(np.hstack([u.inputs for u in neurons]), np.hstack([u.outputs for u in neurons]), gates)


@final
@dataclass(frozen=True)
class Split(Oracle):
    """Prices in pieces: the best neurons of all, and a bound only if every piece has one of the same scope.

    The pieces' lists of patterns together are the list of the bound.
    """

    pieces: tuple[Oracle, ...]

    def __post_init__(self) -> None:
        if not self.pieces:
            raise InvalidParameterError("pieces must hold at least one oracle")
        object.__setattr__(self, "closed", all(piece.closed for piece in self.pieces))

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        answers = [piece.price(problem, V, current, target, rng, expired) for piece in self.pieces]
        neurons, scores = answers[0].neurons, [a.scores for a in answers]
        for answer in answers[1:]:
            neurons = neurons.join(answer.neurons)
        together = np.concatenate(scores)
        order = np.argsort(-together, kind="stable")
        return Pricing(neurons.take(order), together[order], _joint([a.dual for a in answers]))


def _joint(points: list[DualPoint | None]) -> DualPoint | None:
    """The bound over what all pieces cover: the largest, on the pieces' patterns one after the other."""
    known = [p for p in points if p is not None]
    if len(known) < len(points):
        return None
    whole = [p for p in known if p.bound.scope == "global"]
    if whole:
        return min(whole, key=lambda p: p.bound.value)
    joint = known[0]
    for point in known[1:]:
        joint = DualPoint(joint.V, joint.bound.join(point.bound))
    return joint

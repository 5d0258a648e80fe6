"""The exact oracle of three-layer sub-networks: branch and bound on the second layer's pattern."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from bidual.architectures import Branches, Neurons, ParallelReLU3
from bidual.architectures.arrangement import most_cells
from bidual.architectures.parallel_relu3 import all_cells
from bidual.architectures.second_layer import leaf_bounds, pairs
from bidual.certificate import branched_point
from bidual.errors import InvalidParameterError, RefusedError
from bidual.operators.rectifier_ball import RectifierBall, Saddle
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Vector, never


@final
@dataclass(frozen=True)
class SecondMasks(Oracle):
    """The sub-networks that score more than the target, and a bound of all others, of scope ``global``.

    A score is ``max of sum_i v_i (z_i)_+`` over z in the unit ball of two-layer networks. Terms with ``v_i <= 0`` are
    concave, the others convex: there z_i is on one side of its kink or on the other, which is branched on, and until
    then a chord bounds the term. A node is one second-order cone program, and its dual vector w proves its bound again
    (:func:`~bidual.architectures.second_layer.leaf_bounds`). So there are at most ``2^m`` leaves for the ``2^n``
    second-layer patterns, m the number of rows with v_i > 0. Once ``keep`` sub-networks above the target were found,
    only better ones are looked for.

    Needs ``pip install 'bidual[conic]'``. Refuses other architectures, and more than ``limit`` first-layer patterns.
    """

    limit: int = 2_000
    keep: int = 20

    def __post_init__(self) -> None:
        for name in ("limit", "keep"):
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
        if not isinstance(architecture, ParallelReLU3):
            name = type(architecture).__name__
            raise RefusedError(f"SecondMasks prices sub-networks of three layers, not {name} units; use Enumerated")
        most = most_cells(len(Xl), int(np.linalg.matrix_rank(Xl)))
        if most > self.limit:
            raise RefusedError(
                f"up to {most} first-layer patterns exceed limit={self.limit}; raise it, or use the oracle Listed with "
                "second-layer patterns and ParallelReLU3(first=...)"
            )
        cells = all_cells(Xl)
        tree = _Tree(RectifierBall(Xl, cells.masks), architecture.width, self.keep, target)
        for k, v in enumerate(V.T):
            for sign in (1, -1):
                tree.search(k, sign, sign * v, expired)
        neurons, scores = architecture.ranked(Xl, V, tree.found)
        return Pricing(neurons, scores, branched_point(problem, V, tree.leaves(), cells))


@dataclass
class _Tree:
    """Leaves so far: output, sign, sides (n,) and touch (n,); and the units, output and sign of sub-networks found."""

    ball: RectifierBall
    width: int | None
    keep: int
    target: float
    closed: list[tuple[int, int, Vector, Vector]] = field(default_factory=list)
    found: list[tuple[Matrix, int, int]] = field(default_factory=list)
    best: float = 0.0

    def search(self, k: int, sign: int, v: Vector, expired: Expired) -> None:
        """Close leaves about one output and sign until none may hold a sub-network that is looked for."""
        open_ = [(np.zeros(v.size), np.zeros(v.size))]
        while open_:
            sides, touch = open_.pop()
            undecided = (v > 0) & (sides == 0)
            if self._settled(v, sides, touch) or expired():
                self.closed.append((k, sign, sides, touch))
                continue
            slope = 0.5 * v * (1.0 + sides)
            saddle = self.ball.saddle(np.where(v > 0, slope, v), np.where(v > 0, slope, 0.0))
            touch, z = saddle.w, saddle.z(self.ball)
            if self.width is None:
                self._offer(saddle, k, sign, v)
            if not undecided.any() or self._settled(v, sides, touch):
                self.closed.append((k, sign, sides, touch))
                if self.width is not None and not self._settled(v, sides, touch):
                    self._narrow(k, sign, v, sides, touch)
                continue
            row = np.argmax(np.where(undecided, v * (0.5 * (z + self.ball.reach) - np.maximum(z, 0.0)), -np.inf))
            for side in (-1.0, 1.0):
                child = sides.copy()
                child[row] = side
                open_.append((child, touch))

    def _offer(self, saddle: Saddle, k: int, sign: int, v: Vector) -> None:
        score = float(v @ np.maximum(saddle.z(self.ball), 0.0))
        if score > self.target:
            self.found.append((saddle.units, k, sign))
            self.best = max(self.best, score)

    def _narrow(self, k: int, sign: int, v: Vector, sides: Vector, touch: Vector) -> None:
        """More leaves of the same sides, until each unit, or pair of opposite units, is bounded by one of them."""
        w = np.where(v > 0, 0.5 * v * (1.0 + sides), touch)
        best = pairs(self.ball.prices(w[None])[0], self.width)
        tried = np.zeros(best.shape, dtype=bool)
        while (open_ := np.where(tried, 0.0, best)).max(initial=0.0) > self._aim():
            place = np.unravel_index(np.argmax(open_), best.shape)
            tried[place], allowed = True, np.zeros(self.ball.shape[:2], dtype=bool)
            allowed[np.arange(len(place)), place] = True
            saddle = self.ball.saddle(np.where(v > 0, w, v), np.where(v > 0, w, 0.0), allowed)
            self._offer(saddle, k, sign, v)
            self.closed.append((k, sign, sides, saddle.w))
            best = np.minimum(best, pairs(self.ball.prices(saddle.w[None])[0], self.width))

    def _aim(self) -> float:
        return self.target if len(self.found) < self.keep else max(self.target, self.best)

    def _settled(self, v: Vector, sides: Vector, touch: Vector) -> bool:
        aim = self._aim()
        return bool(leaf_bounds(self.ball, v, touch[None], sides[None], aim)[0] <= aim)

    def leaves(self) -> Branches:
        """What proves the bound."""
        output, sign, sides, touch = zip(*self.closed, strict=True)
        return Branches(np.array(output), np.array(sign), np.array(sides, dtype=np.int8), np.array(touch))

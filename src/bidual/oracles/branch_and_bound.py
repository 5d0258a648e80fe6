"""The exact oracle of ReLU units where there are too many cells to list: branch and bound on rows or on directions."""

from __future__ import annotations

import heapq
import logging
from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Branches, Neurons, ReLU
from bidual.certificate import branched_point
from bidual.errors import InvalidParameterError, RefusedError
from bidual.operators.enclosures import Enclosures, Variables
from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.directions import best_nearby, directions_are_few, search_directions
from bidual.oracles.local_search import LocalSearch
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Vector, never

NOTHING = 1e-14
"""Rows whose share of all terms is less than this are not branched on."""

SHARE = 0.01
"""Of the way from the best score to a target above it: a bound no higher is as good as the best score."""

PROMISING = 0.99
"""Where a bound is reached by a neuron that scores more than this share of the best, it is worth a climb."""

logger = logging.getLogger("bidual")


@final
@dataclass(frozen=True)
class BranchAndBound(Oracle):
    """The neuron that scores most, and a bound of scope ``global`` that meets it up to ``tol``, or up to a hundredth of
    what is missing to the target.

    ``search`` is asked first: what it finds above the target is the answer, without a bound. Otherwise the rows with
    ``v_i > 0``, whose terms are convex in the neuron, are decided one after the other to be active or not: the other
    terms are concave, and a decided one is linear, so that in the end the bound is exact. The node of the largest bound
    is next; its bound is the least :func:`~bidual.architectures.semidefinite.score_bounds`, its row the one whose
    enclosure is loosest. The bound is valid after any number of nodes: it ends at a neuron above the target, when time
    has expired, or at ``limit`` leaves. Refuses a free bias, and shared outputs if there are several.
    """

    search: Oracle | None = LocalSearch()
    tol: float = 1e-8
    limit: int = 20_000
    boxes: int = 1_000_000

    def __post_init__(self) -> None:
        if not 0.0 < self.tol < 1.0:
            raise InvalidParameterError(f"tol must lie in (0, 1), got {self.tol!r}; 1e-8 is near rounding")
        for name, least, most in (("limit", 2, 10**9), ("boxes", 1, 10**9)):
            if not least <= getattr(self, name) <= most:
                raise InvalidParameterError(f"{name} must lie in [{least}, {most}], got {getattr(self, name)!r}")

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        architecture = problem.architecture
        if not isinstance(architecture, ReLU):
            name = type(architecture).__name__
            raise RefusedError(f"BranchAndBound finds ReLU units, not {name} units; use Enumerated, Swept or Sampled")
        if architecture.bias == "free" or (architecture.outputs == "shared" and V.shape[1] > 1):
            raise RefusedError(
                "BranchAndBound needs a bias inside the norm (or none) and separate outputs; use bias='penalized', "
                "outputs='separate', or LocalSearch"
            )
        found = Pricing(current.take(np.arange(0)), np.zeros(0))
        if self.search is not None:
            found = self.search.price(problem, V, current, target, rng, expired)
            if found.best_found > target:
                return found
        if directions_are_few(problem):
            return search_directions(problem, architecture, V, found, target, self.boxes, expired)
        tree = _Tree(problem, architecture, V, found, target, self.tol, expired)
        tree.grow(self.limit)
        return Pricing(tree.found.neurons, tree.found.scores, branched_point(problem, V, tree.leaves()))


Start = tuple[Vector, Vector, Vector, float]


@dataclass(frozen=True)
class _Node:
    """A choice of sides for one output and sign, with the best enclosures: their variables for all rows."""

    output: int
    sign: int
    sides: Vector
    value: float
    u: Vector
    touch: Vector
    row: int | None
    start: Start


class _Tree:
    """The nodes that are not divided, the one of the largest bound first, for one dual vector."""

    def __init__(
        self,
        problem: Problem,
        architecture: ReLU,
        V: Outputs,
        found: Pricing,
        target: float,
        tol: float,
        expired: Expired,
    ):
        self.problem, self.architecture, self.V = problem, architecture, V
        self.found, self.target, self.tol, self.expired = found, target, tol, expired
        X = problem.lifted
        self.basis = np.linalg.qr(X.T)[0] if X.shape[1] > X.shape[0] else np.eye(X.shape[1])
        self.X = X @ self.basis
        self.nu = np.linalg.norm(self.X, axis=1)
        self.rounding = 1e-12 * float(np.abs(V).sum(axis=1) @ self.nu)
        self.heap: list[tuple[float, int, _Node]] = []
        self.count, self.climbed = 0, set[tuple[int, int, bytes]]()

    @property
    def enough(self) -> float:
        """The bound at which there is nothing left to do."""
        best = self.found.best_found
        missing = self.target - best if self.target < np.inf else 0.0
        return max(self.rounding, best + max(self.tol * best, SHARE * missing))

    def grow(self, limit: int) -> None:
        for output in range(self.V.shape[1]):
            for sign in (1, -1):
                self._add(self._node(output, sign, np.zeros(len(self.X)), None))
        while -self.heap[0][0] > self.enough and len(self.heap) < limit and not self.expired():
            if self.found.best_found > self.target or self.heap[0][2].row is None:
                break
            node = heapq.heappop(self.heap)[2]
            for side in (1.0, -1.0):
                sides = node.sides.copy()
                sides[node.row] = side
                self._add(self._node(node.output, node.sign, sides, node.start))
        logger.info("branch and bound: %d nodes, bound %.9g", self.count, -self.heap[0][0])

    def leaves(self) -> Branches:
        """What the bound rests on."""
        nodes = [node for _, _, node in sorted(self.heap, key=lambda entry: entry[1])]
        return Branches(
            np.array([node.output for node in nodes]),
            np.array([node.sign for node in nodes]),
            np.array([node.sides for node in nodes], dtype=np.int8),
            np.array([node.touch for node in nodes]),
        )

    def _add(self, node: _Node) -> None:
        self.count += 1
        heapq.heappush(self.heap, (-node.value, self.count, node))
        self._climb(node)

    def _node(self, output: int, sign: int, sides: Vector, start: Start | None, enough: float | None = None) -> _Node:
        """The node with its least bound, sought from its parent's enclosures."""
        v, slope = sign * self.V[:, output], self.architecture.slope
        half = 0.5 * (1.0 - slope) * v
        size = np.abs(half) * self.nu
        counts = size > NOTHING * float(size.sum())
        up, down = counts & (v > 0) & (sides == 0), counts & (v < 0)
        c = self.X.T @ (0.5 * (1.0 + slope) * v + np.where(v > 0, half * sides, 0.0))
        sought = Enclosures(self.X[up], half[up], self.X[down], -half[down], self.nu[down], c)
        if start is None:
            begin = sought.first
        else:
            q, g, w, m = start
            begin = Variables(q[up], 0.9 * g[down], 0.9 * w[down] + 0.02, m)
        place = sought.least(begin, self.enough if enough is None else enough, self.expired)
        best = place.variables
        q, g, w = np.ones(len(v)), np.zeros(len(v)), np.full(len(v), 0.5)
        q[up], g[down], w[down] = best.q, best.g, best.w
        touch = np.where(v > 0, np.where(self.nu > 0, self.nu, 1.0), g)
        touch[up] = 0.5 * half[up] / best.q
        loose = np.full(len(v), -1.0)
        loose[up] = half[up] / touch[up] * (np.abs(self.X[up] @ place.u) - touch[up]) ** 2
        row = int(loose.argmax()) if up.any() else None
        return _Node(output, sign, sides, place.value, place.u, touch, row, (q, g, w, best.m))

    def _climb(self, node: _Node) -> None:
        """From where the node's bound is reached, to a local maximum: the convex terms are replaced by their tangents
        until the score rises no more (the convex-concave procedure, Yuille & Rangarajan 2003)."""
        u, score = node.u, self._score(node, node.u)
        worth = score > PROMISING * self.found.best_found
        for _ in range(50):
            sides = np.where(self.X @ u > 0, 1.0, -1.0)
            climbed = (node.output, node.sign, sides.tobytes())
            if not worth or climbed in self.climbed:
                break
            self.climbed.add(climbed)
            higher = self._tangent(node, sides)
            now = self._score(node, higher)
            worth = now > score
            if worth:
                u, score = higher, now
        if not score > self.found.best_found:
            return
        self.found = self.found.join(best_nearby(self.problem, self.V, self.basis @ u, self.found.best_found))

    def _tangent(self, node: _Node, sides: Vector) -> Vector:
        """The best neuron where all rows with ``v_i > 0`` are on the given sides."""
        return self._node(node.output, node.sign, sides, None, -np.inf).u

    def _score(self, node: _Node, u: Vector) -> float:
        length = float(np.linalg.norm(u))
        if length == 0.0:
            return 0.0
        z = self.X @ (u / length)
        H: Matrix = np.where(z > 0, z, self.architecture.slope * z)
        return float(node.sign * self.V[:, node.output] @ H)

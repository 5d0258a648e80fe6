"""Global minimum of a convex loss plus a concave price, in one dimension."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Node:
    """A norm s, and what its dual vector proves: the loss at norm t is at least ``level - slope t`` for every t."""

    s: float
    level: float
    slope: float
    square: float


@final
@dataclass
class Search:
    """Branch and bound for loss plus price over norms; ``lower`` is proven over the interval that was searched."""

    price: Callable[[float], float]
    look: Callable[[float], Node]
    nodes: list[Node]
    lower: float = 0.0

    def value(self, node: Node) -> float:
        """The objective at a node's norm."""
        return 0.5 * node.square + self.price(node.s)

    def run(self, end: float, tol: float, limit: int) -> None:
        """Split the interval of the least bound in the middle, until no bound is below the best value."""
        first, best = self.nodes[0], self.value(self.nodes[0])
        self.lower = best
        if end == 0:
            return
        last = self._visit(end)
        best = min(best, self.value(last))
        heap = [(self.bound(first, last), 0, first, last)]
        while heap[0][0] < best - tol * best and len(self.nodes) < limit:
            _, _, a, b = heapq.heappop(heap)
            middle = self._visit(0.5 * (a.s + b.s))
            best = min(best, self.value(middle))
            for left, right in ((a, middle), (middle, b)):
                heapq.heappush(heap, (self.bound(left, right), 2 * len(self.nodes) + (left is a), left, right))
        self.lower = min(heap[0][0], best)

    def _visit(self, s: float) -> Node:
        self.nodes.append(self.look(s))
        return self.nodes[-1]

    def bound(self, a: Node, b: Node) -> float:
        """The loss is above both lines and the price is concave: least at an end, or where the lines cross."""
        places = [a.s, b.s]
        if a.slope > b.slope:
            cross = (a.level - b.level) / (a.slope - b.slope)
            places += [cross] if a.s < cross < b.s else []
        return min(max(a.level - a.slope * t, b.level - b.slope * t) + self.price(t) for t in places)

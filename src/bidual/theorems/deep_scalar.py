"""Deep linear networks of one output: a nonconvex problem in one dimension, solved to its global optimum."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import brentq

from bidual.network import Network
from bidual.theorems.base import ROUNDING, Theorem, rank
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem
from bidual.theorems.prox import TIE
from bidual.theorems.ridge import RidgePath


@final
@dataclass(frozen=True)
class DeepScalar(Theorem):
    """``min_w 1/2 ||X w - y||^2 + beta (L / 2) ||w||^(2 / L)`` for any data.

    The best w of norm s lies on the ridge path, and its loss is convex in s, while the price is concave: branch and
    bound on s. (Ergen & Pilanci 2020; their condition on t = ||w||^(1/L) is stationarity, which several t satisfy, and
    w = 0 is a local minimum for every L >= 3.)

    tol : relative gap at which the search ends; max_nodes : values of s it may look at.
    """

    tol: float = 1e-13
    max_nodes: int = 10_000

    name = "deep linear, one output"
    about = "linear networks of one output and three layers or more, with weight decay and beta > 0"

    def covers(self, problem: DeepProblem) -> bool:
        deep = problem.order > 2 and problem.beta > 0
        return problem.activation == "linear" and problem.n_outputs == 1 and deep

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        path, search = RidgePath.of(problem), self._search(problem)
        zero, *others = search.nodes
        best = min(others, key=search.value, default=zero)
        nu = _polish(problem, path, search, best)
        w = path.weights(nu)
        norm, off = path.norm(nu), float(np.linalg.norm(problem.Y[:, 0] - problem.design @ w))
        gain = search.value(zero) - 0.5 * off**2 - float(problem.cost(np.array(norm)))
        tie = best is not zero and abs(gain) <= TIE * search.value(zero) and search.value(zero) > 0
        return Paths.of(w[:, None] if gain > 0 and not tie else np.zeros((w.size, 1))), tie

    def bound(self, problem: DeepProblem, network: Network) -> float:
        """That of the search, and beyond the least-norm fit, where the price only grows, that of the loss: it falls by
        rounding only, up to the norm whose price alone is the network's objective; with full column rank, by the square
        of its slope over twice its curvature."""
        search, primal, s = self._search(problem), problem.objective(network), problem.svd[1]
        last = max(search.nodes, key=lambda node: node.s)
        losses = [0.0, last.level - last.slope * problem.longest(primal) if last.slope > 0 else last.level]
        if rank(problem) == problem.design.shape[1]:
            losses.append(0.5 * last.square - 0.5 * (last.slope / float(s[-1])) ** 2)
        return min(search.lower, primal, search.price(last.s) + max(losses))

    def _search(self, problem: DeepProblem) -> Search:
        path = RidgePath.of(problem)

        def node(s: float) -> Node:
            v = problem.Y[:, 0] - problem.design @ path.weights(path.with_norm(s))
            square, slope = float(v @ v), float(np.linalg.norm(problem.design.T @ v))
            inner = float(v @ problem.Y[:, 0]) - ROUNDING * float(np.abs(v) @ np.abs(problem.Y[:, 0]))
            return Node(s, inner - 0.5 * square, slope, square)

        search = Search(lambda s: float(problem.cost(np.array(s))), node, [node(0.0)])
        search.run(path.norm(np.inf) if path.s.size else 0.0, self.tol, self.max_nodes)
        return search


@dataclass(frozen=True)
class Node:
    """A norm s, and what its dual vector proves: the loss at norm t is at least ``level - slope t`` for every t."""

    s: float
    level: float
    slope: float
    square: float


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
        heap = [(self._bound(first, last), 0, first, last)]
        while heap[0][0] < best - tol * best and len(self.nodes) < limit:
            _, _, a, b = heapq.heappop(heap)
            middle = self._visit(0.5 * (a.s + b.s))
            best = min(best, self.value(middle))
            for left, right in ((a, middle), (middle, b)):
                heapq.heappush(heap, (self._bound(left, right), 2 * len(self.nodes) + (left is a), left, right))
        self.lower = min(heap[0][0], best)

    def _visit(self, s: float) -> Node:
        self.nodes.append(self.look(s))
        return self.nodes[-1]

    def _bound(self, a: Node, b: Node) -> float:
        """The loss is above both lines and the price is concave: least at an end, or where the lines cross."""
        places = [a.s, b.s]
        if a.slope > b.slope:
            cross = (a.level - b.level) / (a.slope - b.slope)
            places += [cross] if a.s < cross < b.s else []
        return min(max(a.level - a.slope * t, b.level - b.slope * t) + self.price(t) for t in places)


def _polish(problem: DeepProblem, path: RidgePath, search: Search, best: Node) -> float:
    """nu of the stationary point beside the best node: the slope of the loss is that of the price,
    ``beta s^(2 / q - 1)``."""
    if best.s == 0:
        return 0.0
    norms = sorted(node.s for node in search.nodes)
    place = norms.index(best.s)
    ends = [path.with_norm(norms[max(place - 1, 1)]), path.with_norm(norms[min(place + 1, len(norms) - 1)])]
    low, high = np.log(ends[0]), min(np.log(ends[1]), path.last)

    def excess(t: float) -> float:
        nu = float(np.exp(t))
        return path.slope(nu) / (problem.beta * path.norm(nu) ** (2.0 / problem.order - 1.0)) - 1.0

    if not (low < high and excess(low) > 0 > excess(high)):
        return path.with_norm(best.s)
    return float(np.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-15)))

"""Deep linear networks of one output: a nonconvex problem in one dimension, solved to its global optimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import brentq

from bidual.network import Network
from bidual.theorems.base import ROUNDING, Theorem, rank
from bidual.theorems.branch_and_bound import Node, Search
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
            rounding = ROUNDING * float(np.sqrt(last.square) * np.linalg.norm(problem.Y))
            losses.append(0.5 * last.square - rounding - 0.5 * (last.slope / float(s[-1])) ** 2)
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

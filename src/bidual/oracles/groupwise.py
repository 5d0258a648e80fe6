"""The exact oracle of units that see groups of features: one search of few dimensions for each group."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from bidual.architectures import Grouped, Neurons
from bidual.certificate import Bound, DualPoint
from bidual.errors import InvalidParameterError, RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.directions import search_on
from bidual.oracles.local_search import LocalSearch
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Places, never

PROMISING = 0.9
"""A group is looked at first where a drawn direction scores more than this share of the best score known, and"""

FIRST = 40
"""where no more groups than this are better."""

CELLS = 3
"""Cells of a group that are looked at then, those of its best directions."""

SHARE = 0.3
"""Of the way from the best score to a target above it: a bound no higher is as good as the best score."""

logger = logging.getLogger("bidual")


@final
@dataclass(frozen=True)
class Groupwise(Oracle):
    """The neurons of :class:`~bidual.architectures.Grouped` that score most, and a bound of scope ``global`` where none
    scores more than the target.

    Every group is asked for the scores of the same ``n_directions`` drawn directions; in the most promising ones the
    best neurons of some cells are found exactly. If none is above the target, the directions of every group are
    searched with bounds (:class:`~bidual.architectures.cones.ConeSearch`), up to ``boxes`` boxes a group: what comes up
    above the target is the answer, without a bound; otherwise the largest bound of a group is proven for all neurons.
    Groups of too many features are asked LocalSearch, and nothing is proven.
    """

    n_directions: int = 120
    boxes: int = 100_000

    def __post_init__(self) -> None:
        for name in ("n_directions", "boxes"):
            if not 1 <= getattr(self, name) <= 10**9:
                raise InvalidParameterError(f"{name} must lie in [1, 10^9], got {getattr(self, name)!r}")

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
        if not isinstance(architecture, Grouped):
            raise RefusedError(
                f"Groupwise finds units of groups of features, not {type(architecture).__name__} units; use "
                "LocalSearch, Enumerated or Sampled"
            )
        search = _Search(problem, architecture, V, target, expired)
        search.take(current)
        order = search.look(self.n_directions, rng)
        return search.found if search.found.best_found > target else search.prove(order, self.boxes, current, rng)


class _Search:
    """One dual vector, and the neurons found for it."""

    def __init__(self, problem: Problem, architecture: Grouped, V: Outputs, target: float, expired: Expired):
        self.problem, self.architecture, self.V = problem, architecture, V
        self.target, self.expired = target, expired
        nothing = Neurons(np.zeros((problem.lifted.shape[1], 0)), np.zeros((V.shape[1], 0)))
        self.found = Pricing(nothing, np.zeros(0))

    def take(self, neurons: Neurons) -> None:
        """Join neurons of the class, with their scores."""
        activations = self.architecture.activations(self.problem.lifted, neurons)
        scores = np.einsum("nm,nm->m", self.V @ neurons.outputs, activations)
        self.found = self.found.join(Pricing(neurons, scores))

    def part(self, group: int) -> Problem:
        """The problem of a group alone."""
        mine = list(self.architecture.groups[group])
        return replace(self.problem, X=self.problem.X[:, mine], architecture=self.architecture.inner)

    def look(self, n_directions: int, rng: np.random.Generator) -> Places:
        """Take the best neurons of cells of the most promising groups; returns all groups, the most promising first."""
        architecture, Xl = self.architecture, self.problem.lifted
        drawn = rng.standard_normal((Xl.shape[1], n_directions))
        tops, cells = np.zeros(len(architecture.groups)), []
        for group, members in enumerate(architecture.members):
            U = drawn[: members.sum()] / np.linalg.norm(drawn[: members.sum()], axis=0)
            nothing = Neurons(U, np.zeros((1, n_directions)))
            each = np.abs(self.V.T @ architecture.activations(Xl[:, members], nothing)).max(axis=0)
            best = np.argsort(-each, kind="stable")[:CELLS]
            tops[group] = each[best[0]]
            cells.append(U[:, best])
        order = np.argsort(-tops, kind="stable")
        for group in order[:FIRST]:
            if self.expired() or tops[group] <= PROMISING * self.found.best_found:
                break
            self._price_cells(int(group), cells[group])
        return order

    def _price_cells(self, group: int, U: Matrix) -> None:
        part = self.part(group)
        patterns = part.architecture.patterns(part.lifted, Neurons(U, np.zeros((1, U.shape[1])))).distinct()
        prices = part.architecture.on_patterns(part.lifted, patterns, self.V, self.target)
        self.found = self.found.join(Pricing(self.architecture.embed(prices.neurons, group), prices.scores))

    def prove(self, order: Places, boxes: int, current: Neurons, rng: np.random.Generator) -> Pricing:
        """Search the groups in turn; the bound if none has a neuron above the target."""
        bound, count, settled = 0.0, 0, True
        for group in map(int, order):
            part, search = self.part(group), self.architecture.search(self.problem.lifted, self.V, group)
            if search is None:
                own = Neurons(np.zeros((part.lifted.shape[1], 0)), np.zeros((self.V.shape[1], 0)))
                found, settled = LocalSearch().price(part, self.V, own, self.target, rng, self.expired), False
            else:
                best = min(self.found.best_found, self.target)
                found = search_on(search, part, self.V, best, self.target, boxes, self.expired, SHARE)
                bound, count = max(bound, search.bound), count + search.count
            self.found = self.found.join(Pricing(self.architecture.embed(found.neurons, group), found.scores))
            if self.expired():
                return self.found
        logger.info("groupwise: %d boxes, bound %.9g", count, bound)
        if not settled or self.found.best_found > self.target:
            return self.found
        return replace(self.found, dual=DualPoint(self.V, Bound(bound, "global", "branch and bound", boxes=count)))

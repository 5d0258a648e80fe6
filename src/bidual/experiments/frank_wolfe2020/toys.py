"""The toy problems: targets of ten planted neurons, and the optimum over a ball of networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import final

import numpy as np

from bidual.architectures import Neurons, ReLU
from bidual.losses import Squared
from bidual.oracles import BranchAndBound, LocalSearch, Oracle, Pricing
from bidual.penalties import Ball
from bidual.problem import Problem
from bidual.solvers import Budget, FrankWolfe, Solution, Solver, Stop
from bidual.typing import Expired, Outputs, never

NEURONS = 10
SEARCH = LocalSearch(20)
TOLERANCES = (1e-2, 1e-4, 1e-6)


@final
@dataclass(frozen=True)
class Whole(Oracle):
    """The whole search in every iteration, as Frank-Wolfe in print asks for the best neuron, not for a better one."""

    search: LocalSearch = SEARCH

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        return self.search.price(problem, V, current, np.inf, rng, expired)


@dataclass(frozen=True)
class Case:
    """n rows of d features; the radius of the ball as a share of the planted network's size."""

    n: int
    d: int
    share: float
    whitened: bool = False

    @property
    def title(self) -> str:
        rows = "whitened" if self.whitened else "Gaussian"
        return f"{rows} rows, n = {self.n}, d = {self.d}\nradius {self.share:g} of the planted size"

    def problem(self, seed: int) -> Problem:
        """``y = sum_j c_j (Aw_j)_+`` with standard normal A, w_j and c_j; whitened: all singular values of A are 1."""
        rng = np.random.default_rng(seed)
        A, W = rng.standard_normal((self.n, self.d)), rng.standard_normal((NEURONS, self.d))
        c = rng.standard_normal(NEURONS)
        if self.whitened:
            left, _, right = np.linalg.svd(A, full_matrices=False)
            A = left @ right
        y, size = np.maximum(A @ W.T, 0.0) @ c, float(np.abs(c) @ np.linalg.norm(W, axis=1))
        return Problem(A, y[:, None], Squared(), ReLU(bias="none"), Ball(self.share * size), intercept=False)


def reference(problem: Problem) -> Solution:
    """The best network of the ball, proven over all networks: cones of all neurons found, branch and bound."""
    return FrankWolfe("pattern_corrective", BranchAndBound(SEARCH)).solve(problem, Stop(1e-7, max_iter=100))


@dataclass(frozen=True)
class Course:
    """Iterates 1, 2, ... of a method: loss and Frank-Wolfe gap as shares of the loss of the zero network."""

    losses: list[float]
    gaps: list[float]

    def first_below(self, optimum: float, tolerance: float) -> int | None:
        """The first iterate within the tolerance of the optimum."""
        return next((t for t, loss in enumerate(self.losses, 1) if loss - optimum <= tolerance), None)

    def too_small(self, optimum: float) -> int:
        """How often the gap, whose oracle only searches, is less than the distance from the optimum."""
        return sum(gap < loss - optimum - 1e-9 for loss, gap in zip(self.losses, self.gaps, strict=True))


def course(problem: Problem, solver: Solver, steps: int, enough: float = TOLERANCES[-1]) -> Course:
    """Until ``steps`` iterates or a gap of ``enough``."""
    losses, gaps = [], []
    for loss, gap in islice(_judged(problem, solver), steps):
        losses.append(loss)
        gaps.append(gap)
        if gap <= enough:
            break
    return Course(losses, gaps)


def _judged(problem: Problem, solver: Solver) -> Iterator[tuple[float, float]]:
    assert isinstance(problem.penalty, Ball)
    scale = problem.loss_value(np.zeros_like(problem.Y))
    for iterate in solver.iterates(problem, None, Budget(1e-12)):
        F = iterate.network(problem.X)
        gap = problem.penalty.radius * iterate.pricing.best_found - float(np.sum(iterate.V * F))
        yield problem.loss_value(F) / scale, gap / scale


def shown(steps: int) -> list[int]:
    """The iterates at which curves are kept: all of the first, fewer and fewer later."""
    return sorted({*range(1, 9), *np.geomspace(8, max(steps, 8), 24).astype(int).tolist()} & {*range(1, steps + 1)})


def kept(values: list[float], at: list[int]) -> list[float]:
    """Three digits of the values at the given iterates, those there are."""
    return [float(f"{values[t - 1]:.3g}") for t in at if t <= len(values)]

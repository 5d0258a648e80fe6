"""The semidefinite relaxation of the training problem: a dual vector that is best for the semidefinite bound."""

from __future__ import annotations

from functools import partial

import numpy as np

from bidual.architectures import ReLU
from bidual.architectures.semidefinite import best_unit, fewest_columns
from bidual.operators.relaxed_units import Ends, relaxed_units
from bidual.operators.smooth import minimise
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Vector

WIDTHS = (0.1, 0.01, 0.001)
"""The kinks' widths of a sequence of smooth problems, relative to the spread of the predictions."""

ROUNDS = 4
"""Times the solution is repaired at most, while"""

ENOUGH = 2e-3
"""its duality gap is more than this part of its objective."""

MOST_DIRECTIONS = 10
"""The largest rank of a relaxed unit's second moments."""


def relaxable(problem: Problem) -> bool:
    """True if there is a relaxation: of units with kinks whose bias is inside the norm or absent, of some size."""
    nothing = isinstance(problem.penalty, Ball) and problem.penalty.radius == 0.0
    return isinstance(problem.architecture, ReLU) and problem.architecture.bias != "free" and not nothing


def relaxed_dual(problem: Problem, expired: Expired) -> tuple[Outputs, Matrix]:
    """(V (n, c), touch (c, 2, n)): a dual vector, and enclosures for the scores of its columns and their negatives.

    A network's units are merged into two relaxed units for each output, one for each sign of the output weights
    (:class:`~bidual.operators.relaxed_units.RelaxedUnits`). Predictions may lie anywhere between their ends, which
    makes ``min L + r(size)`` a convex problem of fixed size below the training problem. Its dual is ``max -L*(-V) -
    r*(bound(V))`` with the semidefinite bound in place of the largest score, so its V is the best one for that bound;
    ``-grad L`` at the best network would be far from it wherever the bound is loose. Nothing rests on how well it is
    solved: any V with any enclosures proves what it proves.
    """
    architecture = problem.architecture
    assert isinstance(architecture, ReLU)
    X = fewest_columns(problem.lifted)
    unit = float(np.sqrt(np.mean(X**2))) or 1.0
    relaxed = _Relaxed(problem.smoothed(1e-2), X / unit, unit)

    def best_units(V: Outputs, blocks: Matrix) -> tuple[Matrix, Matrix]:
        signed = np.stack([V.T, -V.T], axis=1).reshape(len(blocks), -1)
        found = [best_unit(X, v, architecture.slope, block, expired) for v, block in zip(signed, blocks, strict=True)]
        return np.array([block for block, _ in found]), np.array([touch for _, touch in found])

    rank = min(X.shape[1] + 1, MOST_DIRECTIONS)
    blocks = np.random.default_rng(0).standard_normal((2 * problem.n_outputs, X.shape[1] + 1, rank))
    b, V = relaxed.constant()
    x = relaxed.join(best_units(V, blocks)[0], np.full(2 * problem.n_outputs, 0.5 / problem.n_outputs), b)
    kept, most = (V, np.zeros((problem.n_outputs, 2, V.shape[0]))), -np.inf
    for widths in (WIDTHS,) + ROUNDS * (WIDTHS[-1:],):
        for width in widths:
            x = minimise(partial(relaxed.objective, width=width), x, 300, expired)
        V = problem.feasible(relaxed.dual_vector(x))
        blocks, touch = best_units(V, relaxed.split(x)[0])
        touch = touch.reshape(problem.n_outputs, 2, -1)
        value = problem.dual(V, architecture.semidefinite_bound(problem.lifted, V, touch))
        if value > most:
            kept, most = (V, touch), value
        least = relaxed.scale * relaxed.objective(x, WIDTHS[-1])[0]
        if least - most <= ENOUGH * abs(least) or expired():
            break
        # a block that has shrunk to nothing does not turn any more: let the best units grow
        sizes = relaxed.sizes(x)
        x = relaxed.join(blocks, np.maximum(sizes, 0.1 * sizes.mean() + 1e-3), relaxed.split(x)[1])
    return kept


class _Relaxed:
    """The relaxation in units in which data, predictions and objective are of order 1."""

    def __init__(self, problem: Problem, X: Matrix, unit: float):
        self.problem, self.p, self.c = problem, X.shape[1], problem.n_outputs
        self.units = relaxed_units(X, problem.architecture.slope)  # type: ignore[arg-type]
        real = problem.loss.targets == "real"
        self.aim = problem.Y if real else np.where(problem.Y > 0, np.inf, -np.inf)
        """Where each prediction goes if nothing holds it: the loss is monotone towards it."""
        self.spread = (float(np.std(problem.Y)) if real else 1.0) or 1.0
        self.price, self.radius = 0.0, np.inf
        if isinstance(problem.penalty, Strength):
            self.price = problem.penalty.beta * self.spread / unit
        elif isinstance(problem.penalty, Ball):
            self.radius = problem.penalty.radius * unit / self.spread
        self.scale = problem.loss_value(np.zeros_like(problem.Y)) or 1.0

    def constant(self) -> tuple[Vector, Outputs]:
        """A constant near the targets, and the dual vector there."""
        b = np.mean(self.problem.Y, axis=0) if self.problem.intercept else np.zeros(self.c)
        F = np.tile(b, (self.problem.X.shape[0], 1))
        return b / self.spread, self.problem.dual_vector(F)

    def join(self, blocks: Matrix, sizes: Vector, b: Vector) -> Vector:
        """Blocks of the given sizes (2c,) and an intercept as one vector of variables."""
        scale = np.sqrt(sizes) / np.linalg.norm(blocks[:, 0], axis=1)
        return np.append(blocks * scale[:, None, None], b)

    def sizes(self, x: Vector) -> Vector:
        """(2c,): the sizes of the blocks."""
        return np.sum(self.split(x)[0][:, 0] ** 2, axis=1)

    def split(self, x: Vector) -> tuple[Matrix, Vector]:
        """Blocks (2c, p+1, r), those of output k at 2k (added) and 2k + 1 (subtracted), and the intercept (c,)."""
        return x[: -self.c].reshape(2 * self.c, self.p + 1, -1), x[-self.c :]

    def objective(self, x: Vector, width: float) -> tuple[float, Vector]:
        """The relaxed objective and its gradient."""
        blocks, b = self.split(x)
        ends, sizes, F, shrink = self._predict(x, width)
        slope = self.problem.loss.gradient(F, self.problem.Y, self.problem.weights) * self.spread / self.scale
        w = np.stack([-slope, slope], axis=2).reshape(F.shape[0], -1)
        gradient = -ends.pull(w * sizes)
        charged = self.price / self.scale - shrink * ends.best(w)
        if shrink < 1.0:
            charged -= float(charged @ sizes) / float(sizes.sum())
        gradient[:, 0] += 2.0 * charged[:, None] * blocks[:, 0]
        value = (self.problem.loss_value(F) + self.price * float(sizes.sum())) / self.scale
        return value, np.append(gradient, slope.sum(axis=0) if self.problem.intercept else np.zeros(self.c))

    def dual_vector(self, x: Vector) -> Outputs:
        F = self._predict(x, WIDTHS[-1])[2]
        return -self.problem.loss.gradient(F, self.problem.Y, self.problem.weights)

    def _predict(self, x: Vector, width: float) -> tuple[Ends, Vector, Outputs, float]:
        """The ends for units of size 1, the sizes (2c,), the best predictions, and what keeps sizes in the radius."""
        blocks, b = self.split(x)
        ends, sizes = self.units.ends(blocks, width), self.sizes(x)
        shrink = min(1.0, self.radius / max(float(sizes.sum()), 1e-300))
        sizes = shrink * sizes
        low, high = ends.low * sizes, ends.high * sizes
        least, most = low[:, ::2] - high[:, 1::2] + b, high[:, ::2] - low[:, 1::2] + b
        return ends, sizes, np.clip(self.aim, self.spread * least, self.spread * most), shrink

"""Column generation on the wide convex program of parallel three-layer networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures import Neurons, ParallelReLU3, Patterns, no_neurons
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.oracles import Oracle, Pricing, Sampled, SecondMasks
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.inner.conic_losses import CONIC_LOSSES
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.inner.rounding import NEAR, unrounded
from bidual.solvers.inner.wide_master import WideMaster
from bidual.solvers.prune import narrow, prune
from bidual.solvers.refuting import least_score
from bidual.typing import Matrix, Rows


@final
@dataclass(frozen=True)
class WideProgram(Solver):
    """The convex program of :class:`~bidual.architectures.ParallelReLU3` that needs no first-layer width (after Ergen &
    Pilanci 2021), on as many second-layer patterns as matter.

    For each second-layer pattern l with sign o there is one two-layer network ``z = sum_s s sum_p D_p X u_sp``, u_sp in
    the cone of its first-layer pattern p and s = +-1, with ``S_l z >= 0``; the predictions are ``sum o D_l z``, their
    price ``beta sum |u_sp|``. Repeat: solve it on the patterns in hand by an interior-point method, price its dual
    vector, take in all patterns that violate it. The solution is pruned to at most n c sub-networks.

    ``oracle`` : by default :class:`~bidual.oracles.SecondMasks`, which proves the optimum over all networks; or
    :class:`~bidual.oracles.Sampled` if the architecture draws its first-layer patterns: the optimum over drawn patterns
    of both layers, with all cones, is that of networks, but says nothing of others.

    ``tol`` is that of the interior-point method. Needs ``pip install 'bidual[conic]'``.
    """

    oracle: Oracle | None = None
    tol: float = 1e-10

    def __post_init__(self) -> None:
        if not 0.0 < self.tol < 1.0:
            raise InvalidParameterError(f"tol must lie between 0 and 1, got {self.tol!r}")

    def accepts(self, problem: Problem) -> str | None:
        if not isinstance(problem.architecture, ParallelReLU3):
            name = type(problem.architecture).__name__
            return f"WideProgram trains ParallelReLU3 networks, not {name}; use WorkingSet"
        if problem.loss.name not in CONIC_LOSSES:
            return f"WideProgram knows the losses {[*CONIC_LOSSES]}, not {problem.loss.name!r}; use one of them"
        try:
            problem.architecture.ball(problem.lifted)
            nothing, rng = _none(problem), np.random.default_rng(0)
            self._oracle(problem).price(problem, np.zeros_like(problem.Y), nothing, 0.0, rng)
        except RefusedError as refusal:
            return str(refusal)
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        architecture, penalty, oracle = problem.architecture, problem.penalty, self._oracle(problem)
        assert isinstance(architecture, ParallelReLU3)
        if isinstance(penalty, Ball) and penalty.radius == 0.0:
            return
        smooth, rng = problem.smoothed(1e-2), np.random.default_rng(0)
        b, F = intercept_only(smooth)
        neurons, t = _none(problem), np.zeros(0)
        if start is not None:
            neurons, t = architecture.from_network(start)
            b, F = start.layers[-1].bias.sum(axis=0), start(problem.X)
        V, price = smooth.dual_vector(F), penalty.value(1.0) if isinstance(penalty, Strength) else 0.0
        master = WideMaster(problem, architecture.ball(problem.lifted), self.tol)
        _take_in(master, problem, Pricing(neurons, t), 0.0)
        while True:
            if master.cells:
                solution = master.solve(V, price)
                if solution is None:
                    return
                neurons, t = prune(problem, *narrow(problem, solution.neurons, solution.t))
                if oracle.closed:
                    neurons, t = unrounded(problem.lifted, neurons, t)
                    t = t * min(1.0, penalty.radius / max(float(t.sum()), 1e-300)) if isinstance(penalty, Ball) else t
                b, V, price = solution.b, solution.V, solution.price
            target = max(price * (1.0 + 0.25 * budget.tol), least_score(problem, V))
            pricing = oracle.price(problem, V, neurons, target, rng, budget.expired)
            yield Iterate(architecture.to_network(neurons, t, b), V, pricing)
            if not _take_in(master, problem, pricing, target):
                return

    def _oracle(self, problem: Problem) -> Oracle:
        """The given one, or the exact one, or that of drawn patterns if those of the first layer are drawn too."""
        drawn = isinstance(problem.architecture, ParallelReLU3) and problem.architecture.first is not None
        return self.oracle or (Sampled() if drawn else SecondMasks())


def _none(problem: Problem) -> Neurons:
    return no_neurons(problem.lifted.shape[1], problem.n_outputs)


def _take_in(master: WideMaster, problem: Problem, pricing: Pricing, target: float) -> bool:
    """The cells of the sub-networks above the target, on the listed patterns if there is a list; True if one is new."""
    architecture, point = problem.architecture, pricing.dual
    assert isinstance(architecture, ParallelReLU3)
    neurons = pricing.neurons.take(pricing.scores > target)
    outputs, listed = neurons.outputs, architecture.patterns(problem.lifted, neurons)
    j, places = np.arange(len(neurons)), np.arange(len(neurons))
    if point is not None and point.bound.scope == "patterns" and point.bound.patterns is not None:
        listed = point.bound.patterns
        j, places = np.nonzero(_near(problem.lifted, architecture.before(problem.lifted, neurons), listed))
    output = np.argmax(np.abs(outputs), axis=0)[j]
    signs = np.sign(outputs[output, j]).astype(np.int64)
    return master.add(listed.masks[:, places], output, signs, architecture.allowed(problem.lifted, neurons)[j])


def _near(Xl: Rows, Z: Matrix, patterns: Patterns) -> NDArray[np.bool_]:
    """(m, P): the patterns that columns of Z (n, m), of sub-networks of size 1, are on up to rounding, or nearest."""
    if not (Z.size and len(patterns)):
        return np.zeros((Z.shape[1], len(patterns)), dtype=bool)
    sides = np.where(patterns.masks, 1.0, -1.0)
    outside = np.maximum(-Z[:, :, None] * sides[:, None], 0.0).max(axis=0)
    rounding = NEAR * float(np.linalg.norm(Xl, axis=1).max())
    near: NDArray[np.bool_] = outside <= np.maximum(outside.min(axis=1, keepdims=True), rounding)
    return near

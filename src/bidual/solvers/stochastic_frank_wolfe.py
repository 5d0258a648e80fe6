"""Frank-Wolfe with sampled gradients (d'Aspremont & Pilanci 2020, after Hazan & Luo 2016)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

import numpy as np

from bidual.architectures import Bounded, no_neurons
from bidual.architectures.pieces import deep_refusal
from bidual.errors import InvalidParameterError
from bidual.network import Network
from bidual.oracles import Oracle
from bidual.penalties import Ball
from bidual.problem import Problem
from bidual.solvers.base import Budget, Iterate, Solver
from bidual.solvers.prune import prune
from bidual.solvers.working_set import default_oracle

CONSTANTS: Mapping[str, tuple[float | None, float]] = MappingProxyType(
    {
        "squared": (None, 1.0),
        "squared_hinge": (None, 1.0),
        "logistic": (1.0, 0.25),
        "multinomial": (2.0**0.5, 0.5),
    }
)
"""Bounds of the first and second derivative of a row's loss; None: the largest prediction plus the largest target."""


@final
@dataclass(frozen=True)
class StochasticFrankWolfe(Solver):
    """Step 2/(t+1) towards the neuron that scores most on m_t rows, drawn without replacement.

    ``m_t = (growth (t + 1))^2`` rows, at most all. With ``growth = G / (L D)``, G a Lipschitz constant of a row's loss
    on the ball, L its smoothness and D the ball's diameter, the expected distance from the optimum is at most ``4 L D^2
    / (t + 2)``. The gradient, the oracle and the predictions see the sampled rows only; on all rows the network is
    judged after 1, 2, 4, ... steps and after the last of ``steps``, for what a sample says of a gap certifies nothing.

    growth : by default G / (L D), see :func:`natural_growth`. oracle : asked about the sampled rows; the
    certificate's is the default for all rows.
    """

    steps: int = 1000
    growth: float | None = None
    oracle: Oracle | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InvalidParameterError(f"steps must be at least 1, got {self.steps!r}")
        if self.growth is not None and not (self.growth > 0 and math.isfinite(self.growth)):
            raise InvalidParameterError(f"growth must be a positive finite number, or None, got {self.growth!r}")

    def accepts(self, problem: Problem) -> str | None:
        deep = deep_refusal(problem.architecture)
        if deep is not None:
            return deep
        if not isinstance(problem.penalty, Ball):
            return "StochasticFrankWolfe moves inside a ball; use Ball(radius) in place of a Strength, or WorkingSet"
        if not problem.loss.smooth:
            return f"StochasticFrankWolfe needs a smooth loss, not {problem.loss.name!r}; use 'squared_hinge'"
        if problem.intercept:
            return "StochasticFrankWolfe has no output intercept; set fit_intercept=False, or use FrankWolfe"
        if self.growth is None and problem.loss.name not in CONSTANTS:
            return f"growth must be given for the loss {problem.loss.name!r}; G / (L D) is known for {[*CONSTANTS]}"
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        if not isinstance(problem.penalty, Ball) or problem.penalty.radius == 0.0:
            return
        architecture, rng, n = problem.architecture, np.random.default_rng(self.seed), problem.X.shape[0]
        radius, growth = problem.penalty.radius, self.growth or natural_growth(problem)
        neurons, t = no_neurons(problem.lifted.shape[1], problem.n_outputs, architecture.gated), np.zeros(0)
        if start is not None:
            neurons, t = architecture.from_network(start)
        b = np.zeros(problem.n_outputs)
        for step in range(1, self.steps + 1):
            rows = rng.choice(n, sample_size(n, growth, step), replace=False)
            part = replace(problem, X=problem.X[rows], Y=problem.Y[rows], weights=problem.weights[rows])
            V = part.dual_vector(architecture.to_network(neurons, t, b)(part.X))
            oracle = self.oracle or default_oracle(part, self.seed)
            found = oracle.price(part, V, neurons, np.inf, rng, budget.expired).neurons.take(np.arange(1))
            share = 2.0 / (step + 1)
            neurons, t = neurons.join(found), np.append((1 - share) * t, np.full(len(found), share * radius))
            neurons, t = neurons.take(t > 0), t[t > 0]
            last = step == self.steps or budget.expired()
            if last or step & (step - 1) == 0:
                if len(neurons) > 2 * problem.Y.size:
                    neurons, t = prune(problem, neurons, t)
                network = architecture.to_network(neurons, t, b)
                V = problem.dual_vector(network(problem.X))
                whole = default_oracle(problem, self.seed)
                yield Iterate(network, V, whole.price(problem, V, neurons, np.inf, rng, budget.expired))
            if last:
                return


def natural_growth(problem: Problem) -> float:
    """``G / (L D)``: G and L bound the first and second derivatives of a row's loss on the ball, ``D = 2 radius R``.

    R^2 is the largest sum of squares of a unit neuron's activations.
    """
    assert isinstance(problem.penalty, Ball)
    radius, n, bounded = problem.penalty.radius, problem.X.shape[0], isinstance(problem.architecture, Bounded)
    lengths = np.ones(n) if bounded else np.linalg.norm(problem.lifted, axis=1)
    largest = n**0.5 if bounded else float(np.linalg.norm(problem.lifted, 2))
    if (patches := problem.architecture.patches) is not None:
        lengths = patches.pool(lengths[:, None])[:, 0]
        largest = float(np.linalg.norm(lengths))
    slope, curvature = CONSTANTS[problem.loss.name]
    if slope is None:
        slope = float((radius * lengths + np.linalg.norm(problem.Y, axis=1)).max())
    return slope * problem.n_outputs**0.5 / (curvature * 2.0 * radius * largest) if largest > 0 else 1.0


def sample_size(n: int, growth: float, step: int) -> int:
    """m_t for step t = 1, 2, ..."""
    return int(min(n, max(1, math.ceil((growth * (step + 1)) ** 2))))

"""Deep linear networks of several outputs on general data: no theorem, but a local minimum with a proven bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from bidual.network import Network
from bidual.theorems.base import Theorem, dual_value, rank
from bidual.theorems.nuclear import NuclearNorm
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem
from bidual.theorems.prox import prox
from bidual.theorems.whitened_linear import general_bound
from bidual.typing import Matrix


@final
@dataclass(frozen=True)
class ProximalDescent(Theorem):
    """``min_W 1/2 ||X W - Y||^2 + beta (L / 2) sum_i sigma_i(W)^(2 / L)``, L >= 3: nonconvex, with no known solution.

    Proximal gradient steps, whose proximal map shrinks singular values by ``prox_L``, from zero and from the least-norm
    fit; the better one is kept. It need not be the optimum: the gap of the certificate says how far it can be from it,
    and is seldom small.
    """

    max_steps: int = 5000

    name = "proximal descent"
    about = "linear networks of three layers or more, with weight decay and beta > 0"

    def covers(self, problem: DeepProblem) -> bool:
        return problem.activation == "linear" and problem.order > 2 and problem.beta > 0

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        (U, s, Vt), r = problem.svd, rank(problem)
        target = U[:, :r].T @ problem.Y
        starts = (np.zeros_like(target), target / s[:r, None])
        found = [self._descend(problem, s[:r, None], target, start) for start in starts] if r else [(0.0, target)]
        return Paths.of(Vt[:r].T @ min(found, key=lambda pair: pair[0])[1]), False

    def bound(self, problem: DeepProblem, network: Network) -> float:
        """No singular value of a better network exceeds S, whose price alone is the objective, and up to S the concave
        price is above its chord: a nuclear norm. Or the bound of :func:`general_bound`, where that is better."""
        primal = problem.objective(network)
        S, proven = problem.longest(primal), general_bound(problem)
        if not 0 < S < np.inf:
            return proven
        chord = float(problem.cost(np.array(S))) / S
        convex = replace(problem, beta=chord, regularizer="lth_power")
        fit = NuclearNorm().solve(convex)[0].to_network(convex)
        return max(proven, min(primal, dual_value(convex, problem.Y - fit(problem.X))))

    def _descend(self, problem: DeepProblem, s: Matrix, target: Matrix, W: Matrix) -> tuple[float, Matrix]:
        """(objective but for a constant, W) in coordinates of the singular vectors of X."""
        value, curvature = np.inf, problem.norm**2
        for _ in range(self.max_steps):
            step = Paths.of(W - s * (s * W - target) / curvature)
            kept, _ = prox(step.products, problem.beta / curvature, problem.order)
            W = step.inputs * kept @ step.outputs
            before, value = value, 0.5 * float(np.sum((s * W - target) ** 2)) + float(problem.cost(kept).sum())
            if before - value <= 1e-14 * value:
                break
        return value, W

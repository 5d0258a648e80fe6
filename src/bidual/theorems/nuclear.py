"""Linear networks of several outputs whose price is convex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Linear
from bidual.losses import Squared
from bidual.network import Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Stop
from bidual.theorems.base import Theorem, dual_value, rank
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem


@final
@dataclass(frozen=True)
class NuclearNorm(Theorem):
    """``min_W 1/2 ||X W - Y||^2 + beta ||W||_*``: two layers with weight decay, or any number with the L-th power.

    No closed form for general X: singular values must not be shrunk one by one unless those of X are equal. The convex
    program is solved until its relative gap is below ``tol`` (Ergen & Pilanci 2020).
    """

    tol: float = 1e-9

    name = "nuclear norm"
    about = "linear networks with beta > 0, of two layers or with the L-th power"

    def covers(self, problem: DeepProblem) -> bool:
        return problem.activation == "linear" and problem.order == 2 and problem.beta > 0

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        (U, s, Vt), r = problem.svd, rank(problem)
        if r == 0:
            return Paths.of(np.zeros((problem.design.shape[1], problem.n_outputs))), False
        # In coordinates of the singular vectors the data are r x r, and the norm of W is the same; in units of X too.
        linear = Linear(bias="none", outputs="shared")
        targets, strength = U[:, :r].T @ problem.Y, Strength(problem.beta / problem.norm)
        core = Problem(np.diag(s[:r] / problem.norm), targets, Squared(), linear, strength, intercept=False)
        first, last = FixedPatterns().solve(core, Stop(tol=self.tol)).network.layers
        return Paths.of(Vt[:r].T @ (first.weight @ last.weight) / problem.norm), False

    def bound(self, problem: DeepProblem, network: Network) -> float:
        return dual_value(problem, problem.Y - network(problem.X))

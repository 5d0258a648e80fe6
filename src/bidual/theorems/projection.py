"""Linear networks of one output whose price is convex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from bidual.network import Network
from bidual.theorems.base import Theorem, dual_value
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem
from bidual.theorems.ridge import RidgePath


@final
@dataclass(frozen=True)
class Projection(Theorem):
    """``min_w 1/2 ||X w - y||^2 + beta ||w||``: the residual is the projection of y on ``{u: ||X'u|| <= beta}``.

    That is the two-layer network of one output with weight decay, and with the L-th power the one of any depth (Ergen &
    Pilanci 2020; their program has ``||w_2||^2`` where the 1-norm must stand, and no 1/2). For any data.
    """

    name = "projection"
    about = "linear networks of one output with beta > 0, of two layers or with the L-th power"

    def covers(self, problem: DeepProblem) -> bool:
        convex = problem.order == 2 and problem.beta > 0
        return problem.activation == "linear" and problem.n_outputs == 1 and convex

    def solve(self, problem: DeepProblem) -> tuple[Paths, bool]:
        path = RidgePath.of(problem)
        return Paths.of(path.weights(path.with_slope(problem.beta))[:, None]), False

    def bound(self, problem: DeepProblem, network: Network) -> float:
        return dual_value(problem, problem.Y - network(problem.X))

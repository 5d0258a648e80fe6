"""Scores that matter: those that show the gap to be open, and those that are rounding."""

from __future__ import annotations

import numpy as np

from bidual.network import Network
from bidual.problem import Problem
from bidual.typing import Outputs


def refuting_score(problem: Problem, network: Network, V: Outputs, price: float, tol: float) -> float:
    """A score above the price that, once found, shows the gap to be above the tolerance: only then may a search stop
    early."""
    primal = problem.objective(network)
    score = max(price, least_score(problem, V))
    step = tol * score
    for _ in range(60):
        if primal - problem.dual(V, score) > tol * abs(primal):
            break
        score, step = score + step, 2 * step
    return score


def least_score(problem: Problem, V: Outputs) -> float:
    """A score below this is rounding error."""
    return 1e-12 * float(np.linalg.norm(V) * np.linalg.norm(problem.lifted))

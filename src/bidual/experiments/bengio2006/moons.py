"""The double moon, and the ways of finding a hidden unit that are compared on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import make_moons

from bidual.architectures import Bounded, Sign, Tanh
from bidual.losses import Hinge, Loss, Squared
from bidual.network import Network
from bidual.oracles import Classifiers, LineSearch, Oracle, Swept, TanhAscent
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Incremental, Solution, Stop
from bidual.typing import Outputs, Rows

ROWS, TEST_ROWS = 100, 2000
LOSSES: dict[str, tuple[Loss, float]] = {"squared": (Squared(), 2.0), "hinge": (Hinge(), 1.0)}
"""The losses, and what their sums are multiplied by to be the paper's: Squared is half the squares."""


@dataclass(frozen=True)
class Method:
    """How units are found: their kind, the oracle, and whether all weights are tuned after each new unit."""

    architecture: Bounded
    oracle: Oracle
    tune: bool = False


METHODS = {
    "exact": Method(Sign(), Swept()),
    "line searches": Method(Sign(), LineSearch()),
    "logistic + line searches": Method(Sign(), Classifiers(n_steps=60)),
    "logistic": Method(Sign(), Classifiers()),
    "SVM": Method(Sign(), Classifiers("svm")),
    "perceptron": Method(Sign(), Classifiers("perceptron")),
    "tanh, tuned, logistic": Method(Tanh(), Classifiers(), tune=True),
    "tanh, tuned, ascent": Method(Tanh(), TanhAscent(limit=0.0), tune=True),
}


def draw(noise: float, seed: int, rows: int = ROWS) -> tuple[Rows, Outputs]:
    """Rows (n, 2) and labels (n, 1) of -1 and 1."""
    X, y = make_moons(rows, noise=noise, random_state=seed)
    return X, 2.0 * y[:, None] - 1.0


def error_on_fresh_rows(network: Network, noise: float, seed: int) -> float:
    """The share of fresh rows, others for each seed, on the wrong side."""
    X, Y = draw(noise, 1000 + seed, TEST_ROWS)
    return float(np.mean((network(X) >= 0) != (Y > 0)))


def pose(noise: float, seed: int, loss: str, strength: float, architecture: Bounded, rows: int = ROWS) -> Problem:
    """The paper's ``sum_t Q(f(x_t), y_t) + strength ||w||_1``, divided by the factor of the loss."""
    X, Y = draw(noise, seed, rows)
    function, factor = LOSSES[loss]
    return Problem(X, Y, function, architecture, Strength(strength / factor), intercept=False)


def solved(problem: Problem, method: Method, tol: float = 1e-8) -> Solution:
    """Until the oracle finds no better unit, at most 300 rounds."""
    return Incremental(method.oracle, tune=method.tune).solve(problem, Stop(tol, max_iter=300))

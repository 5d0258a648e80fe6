"""Few rows of few features: normal ones, and a spike that gradient runs miss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bidual.architectures import ParallelReLU3, ReLU
from bidual.losses import Squared
from bidual.oracles import Enumerated
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Solution, Stop, WideProgram, WorkingSet
from bidual.typing import Matrix, Vector

TOL = 1e-7


@dataclass(frozen=True, eq=False)
class Toy:
    """X (n, d), y (n,), and the price of size; no biases but those that are columns of X."""

    title: str
    X: Matrix
    y: Vector
    beta: float

    @property
    def problem(self) -> Problem:
        """Over parallel sub-networks of three layers, any number of any width."""
        architecture = ParallelReLU3(bias="none")
        return Problem(self.X, self.y[:, None], Squared(), architecture, Strength(self.beta), intercept=False)

    @cached_property
    def three_layers(self) -> Solution:
        """Their optimum."""
        return WideProgram().solve(self.problem, Stop(TOL))

    @cached_property
    def two_layers(self) -> Solution:
        """The optimum over networks of two layers, of any width."""
        return WorkingSet(oracle=Enumerated()).solve(replace(self.problem, architecture=ReLU(bias="none")), Stop(TOL))


def normal(seed: int, beta: float, n: int = 5, d: int = 2) -> Toy:
    """Standard normal rows and targets."""
    rng = np.random.default_rng(seed)
    title = f"normal data, draw {seed}, beta = {beta:g}"
    return Toy(title, rng.standard_normal((n, d)), rng.standard_normal(n), beta)


def spike(n: int, beta: float) -> Toy:
    """``x = -2, ..., 2`` (-1, ..., 2 for n = 4) with a column of ones; y is 1 at 0 and 0 elsewhere."""
    x = np.arange(n) - (n - 1) // 2
    return Toy(f"spike of {n} rows, beta = {beta:g}", np.column_stack([x, np.ones(n)]), 1.0 * (x == 0), beta)

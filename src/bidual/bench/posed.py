"""A cell as a training problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Architecture, GatedReLU, Patterns, ReLU
from bidual.architectures.patterns import sample
from bidual.bench.cells import Cell
from bidual.bench.data import data
from bidual.losses import LOSSES
from bidual.operators.masked import MaskedData
from bidual.oracles import Listed
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Solver, WorkingSet


@final
@dataclass(frozen=True, eq=False)
class Posed:
    """A training problem with its patterns, of which a whole network (``kind == "network"``) makes no use."""

    cell: Cell
    problem: Problem
    patterns: Patterns

    @property
    def solver(self) -> Solver:
        """The library's solver for it."""
        if self.cell.kind == "network":
            return WorkingSet()
        solver = FixedPatterns(self.patterns)
        return solver if solver.accepts(self.problem) is None else WorkingSet(oracle=Listed(self.patterns))

    @property
    def pass_flops(self) -> float:
        """Of one product with all masked data and one with its transpose."""
        (n, p), c = self.problem.lifted.shape, self.problem.n_outputs
        return 4.0 * n * p * len(self.patterns) * c


def pose(cell: Cell) -> Posed:
    """The cell's problem, the same on every call; the sum of the losses plus the strength times the size."""
    X, Y = data(cell)
    loss = LOSSES[cell.loss]()
    patterns = sample(X, cell.size[2], cell.seed + 1)
    V = -loss.gradient(np.zeros_like(Y), Y, np.ones(len(Y)))
    most = float(np.linalg.norm(MaskedData(X, patterns.masks).adjoint(V), axis=1).max())
    whole = cell.kind == "network"
    architecture: Architecture = GatedReLU(bias="none")
    if cell.kind != "gated":
        architecture = ReLU(bias="free" if whole else "none")
    X = X[:, :-1] if whole else X
    problem = Problem(X, Y, loss, architecture, Strength(cell.share * most), intercept=whole)
    return Posed(cell, problem, patterns)

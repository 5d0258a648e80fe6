"""Checks that a new loss, architecture, oracle or solver keeps its promises, and problems whose answer is known.

Each ``check_*`` raises AssertionError with a sentence that says what is broken.
"""

from bidual.testing.architecture import check_architecture
from bidual.testing.examples import example_problems, random_network
from bidual.testing.loss import check_loss
from bidual.testing.oracle import check_oracle
from bidual.testing.planted import Planted, planted, planted_orthonormal
from bidual.testing.solver import check_solver
from bidual.testing.splitting import graph_splitting

__all__ = [
    "Planted",
    "check_architecture",
    "check_loss",
    "check_oracle",
    "check_solver",
    "example_problems",
    "graph_splitting",
    "planted",
    "planted_orthonormal",
    "random_network",
]

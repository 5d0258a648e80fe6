"""Bounds for free hidden biases from a problem that charges them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bidual.architectures import ReLU
from bidual.errors import CertificateError
from bidual.network import Network
from bidual.problem import Problem
from bidual.typing import Matrix, Vector


def charging(problem: Problem, share: float) -> Problem:
    """A problem with charged biases whose dual points bound the given one, which has free biases, too.

    Dual vectors V of both have columns of sum 0. So, for given weights w, the score of a neuron does not depend on its
    bias b any more once the neuron is active on every row or on none, and is linear in b between two rows' hyperplanes:
    it is largest at a hyperplane through a row, ``b = -x_i'w``. With the rows centred (which a bias makes up for) this
    is at most ``R |w|`` with ``R = max |x_i|``. Hence a neuron of ``|w| <= 1`` scores no more than the best one in the
    ellipsoid ``share |w|^2 + (1 - share) b^2 / R^2 <= 1``: a unit without bias on the rows ``(x_i / sqrt(share),
    R / sqrt(1 - share))``. For these there are semidefinite bounds, which free biases have not. A larger share loses
    less to the ellipsoid, and more to a bound that is not exact.

    Raises
    ------
    CertificateError
        The biases are not free, or the share is not between 0 and 1.
    """
    architecture = problem.architecture
    if not (isinstance(architecture, ReLU) and architecture.bias == "free" and 0.0 < share < 1.0):
        raise CertificateError(f"{architecture!r} with a share of {share!r} has no free biases to be charged")
    center, column = _ellipsoid(problem, share)
    X: Matrix = np.column_stack([(problem.X - center) / share**0.5, np.full(problem.X.shape[0], column)])
    return replace(problem, X=X, architecture=replace(architecture, bias="none"))


def charged(problem: Problem, network: Network, share: float) -> Network:
    """The same function as a network of the charging problem."""
    center, column = _ellipsoid(problem, share)
    hidden, last = network.layers
    weight = np.vstack([hidden.weight * share**0.5, (hidden.bias + center @ hidden.weight) / column])
    return Network((replace(hidden, weight=weight, bias=np.zeros_like(hidden.bias)), last))


def _ellipsoid(problem: Problem, share: float) -> tuple[Vector, float]:
    """The centre of the rows, and the entry of the column that stands for the bias."""
    center: Vector = problem.X.mean(axis=0)
    radius = float(np.linalg.norm(problem.X - center, axis=1).max())
    return center, (radius or 1.0) / (1.0 - share) ** 0.5

"""Enumeration called a gated network globally optimal that another network of the class beats: its gates are 0.

Without a bias, a gate through data points can open rows that no cell opens together; the gate 0 opens all of them.
"""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import GatedReLU, Neurons
from bidual.certificate import Bound, DualPoint, certify, verify_bound
from bidual.errors import CertificateError, RefusedError
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Status, Stop, WorkingSet

DATA = {
    "general position": np.random.default_rng(0).normal(size=(7, 2)),
    "antiparallel": np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]),
}


@pytest.mark.parametrize("name", DATA)
def test_no_global_bound_above_a_network_of_the_class(name: str) -> None:
    X, w = DATA[name], np.array([[1.0], [2.0]])
    problem = Problem(X, X @ w, Squared(), GatedReLU(bias="none"), Strength(0.1), intercept=False)
    length = float(np.linalg.norm(w))
    unit = Neurons(w / length, np.ones((1, 1)), np.zeros((2, 1)))
    linear = problem.architecture.to_network(unit, np.array([length]), np.zeros(1))
    try:
        solution = WorkingSet().solve(problem, Stop(1e-8))
    except RefusedError:
        return
    assert solution.status != Status.OPTIMAL
    assert problem.objective(linear) < solution.certificate.primal - 1e-2
    assert solution.certificate.global_dual <= problem.objective(linear)
    cells = solution.certificate.point.bound.patterns
    with pytest.raises(CertificateError, match="no listed pattern opens together"):
        verify_bound(problem, DualPoint(X @ w, Bound(1e9, "global", "enumeration", cells)))
    # Another network whose gates lie on hyperplanes is of no listed pattern, however near one it may be.
    certificate = certify(problem, linear, listed=cells)
    assert certificate.dual <= certificate.primal * (1 + 1e-9)
    certificate.verify(problem, linear)

"""Enumeration claimed a global proof that verify could not count, and verify counted a forged list for hours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.architectures import Neurons, ReLU
from bidual.certificate import DualPoint, pattern_point, verify_bound
from bidual.errors import CertificateError, RefusedError
from bidual.losses import Squared
from bidual.oracles.enumerated import all_patterns
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet


def test_what_is_claimed_can_be_verified() -> None:
    """One outlier draws all other rows near each other."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 2))
    Y = (X[:, 0] - np.maximum(X[:, 1], 0))[:, None]
    X[0, 1] = 1e12
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    problem = Problem(X, Y / Y.std(), Squared(), ReLU(), Strength(0.6))
    problem.architecture.all_patterns(problem.lifted)  # finds some
    with pytest.raises(RefusedError, match="too close to tell"):
        all_patterns(problem)
    solution = WorkingSet().solve(problem, Stop(1e-3))
    solution.certificate.verify(problem, solution.network)


def test_a_forged_list_is_refused_before_all_cells_are_counted() -> None:
    rng = np.random.default_rng(0)
    X, V = rng.normal(size=(60, 10)), rng.normal(size=(60, 1))
    problem = Problem(X, V, Squared(), ReLU(), Strength(0.1))
    neurons = Neurons(np.eye(11)[:, :5], np.ones((1, 5)))
    patterns = problem.architecture.patterns(problem.lifted, neurons).distinct()
    point, _ = pattern_point(problem, V - V.mean(), patterns, 0.0)
    forged = DualPoint(point.V, replace(point.bound, scope="global", method="enumeration"))
    with pytest.raises(CertificateError, match="not the list of all"):
        verify_bound(problem, forged)

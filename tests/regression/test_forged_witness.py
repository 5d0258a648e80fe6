"""A witness could prove a bound of 0 with blocks of sign 0, and shared units with a free bias one of their weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.architectures import ReLU, Witness
from bidual.architectures.patterns import sample
from bidual.certificate import Bound, DualPoint, pattern_point, verify_bound
from bidual.errors import CertificateError
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.problem import Problem


def make(c: int, architecture: ReLU) -> tuple[Problem, np.ndarray]:
    rng = np.random.default_rng(0)
    V = rng.normal(size=(6, c))
    return Problem(rng.normal(size=(6, 2)), V, Squared(), architecture, Strength(0.1)), V - V.mean(axis=0)


def test_blocks_of_sign_zero_prove_nothing() -> None:
    problem, V = make(1, ReLU())
    point, _ = pattern_point(problem, V, sample(problem.lifted, 5, 0), 0.0)
    verify_bound(problem, point)
    P = len(point.bound.patterns)
    pairs = [(j, 0, sign) for j in range(P) for sign in (0, 1)]
    for blocks in (pairs, [(j, 0, 0.0) for j in range(P)]):
        nothing = Witness(np.array(blocks), np.zeros(len(blocks) + 1, dtype=int), np.zeros(0, dtype=int), np.zeros(0))
        forged = DualPoint(V, replace(point.bound, value=0.0, witness=nothing))
        with pytest.raises(CertificateError, match="two signs"):
            verify_bound(problem, forged)


def test_a_free_bias_leaves_shared_units_without_a_bound_on_patterns() -> None:
    problem, V = make(2, ReLU(bias="free", outputs="shared"))
    point, _ = pattern_point(problem, V, sample(problem.lifted, 5, 0), 0.0)
    assert point.bound.value == np.inf
    with pytest.raises(CertificateError, match="only inf is proven"):
        verify_bound(problem, DualPoint(V, Bound(1e3, "patterns", "projection", point.bound.patterns)))

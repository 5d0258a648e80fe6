"""A list of patterns could be passed off as a proof for every network, by naming it global in both places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.architectures import ReLU
from bidual.errors import CertificateError
from bidual.losses import Squared
from bidual.oracles import Sampled
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet


def test_listed_patterns_are_not_all_patterns() -> None:
    rng = np.random.default_rng(1)
    problem = Problem(rng.normal(size=(7, 2)), rng.normal(size=(7, 1)), Squared(), ReLU(), Strength(0.1))
    solution = WorkingSet(oracle=Sampled(4)).solve(problem, Stop(1e-6))
    best = WorkingSet().solve(problem, Stop(1e-6)).certificate.primal
    certificate = solution.certificate
    assert certificate.scope == "patterns" and certificate.dual > best + 1e-3  # false as a statement about all networks
    point = replace(certificate.point, bound=replace(certificate.point.bound, scope="global"))
    forged = replace(
        certificate,
        scope="global",
        global_dual=certificate.dual,
        global_method="projection",
        point=point,
        global_point=point,
    )
    with pytest.raises(CertificateError, match="'projection' proves nothing of scope 'global'"):
        forged.verify(problem, solution.network)

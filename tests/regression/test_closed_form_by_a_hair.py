"""The bound of a linear network's one pattern beat the closed form by rounding, and no certificate came of it."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Linear
from bidual.certificate import certify
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.penalties import Strength
from bidual.problem import Problem


def test_linear_certificates_stay_global() -> None:
    for seed in range(100):
        rng = np.random.default_rng(seed)
        problem = Problem(
            rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), Squared(), Linear("none", "shared"), Strength(0.1)
        )
        network = Network((Layer(rng.normal(size=(2, 2)), np.zeros(2)), Layer(rng.normal(size=(2, 2)), np.zeros(2))))
        certificate = certify(problem, network)
        assert (certificate.scope, certificate.method) == ("global", "closed form")
        certificate.verify(problem, network)

"""Certificates were given to networks outside the architecture, or outside the ball, whose objective means nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import ReLU
from bidual.certificate import certify
from bidual.errors import CertificateError, InvalidDataError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.penalties import Ball, Strength
from bidual.problem import Problem

X, Y = np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]])


def test_a_hidden_bias_or_an_intercept_that_the_problem_does_not_charge_for() -> None:
    problem = Problem(X, Y + 5, Squared(), ReLU(bias="none"), Strength(0.1), intercept=False)
    empty = Network((Layer(np.zeros((1, 0)), np.zeros(0), "relu"), Layer(np.zeros((0, 1)), [5.0])))
    biased = Network((Layer([[0.0]], [1.0], "relu"), Layer([[5.0]], [0.0])))
    for network in (empty, biased):
        with pytest.raises(InvalidDataError, match="intercept|biases"):
            certify(problem, network)


def test_a_network_outside_the_ball_verifies_no_dual() -> None:
    problem = Problem(X, Y, Squared(), ReLU(bias="none"), Ball(0.1), intercept=False)
    network = Network((Layer([[5.0]], [0.0], "relu"), Layer([[5.0]], [0.0])))
    certificate = certify(problem, network)
    assert certificate.primal == np.inf
    with pytest.raises(CertificateError, match="outside the problem's domain"):
        certificate.verify(problem, network)

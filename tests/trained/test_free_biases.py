"""Free biases are bounded by a problem that charges them: neither unsound nor looser than it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neural_network import MLPRegressor

from bidual import audit
from bidual.architectures import ReLU, no_neurons
from bidual.errors import CertificateError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.trained.free_biases import charged, charging

from .cases import rows


def largest_score(problem: Problem, V: np.ndarray) -> float:
    neurons = no_neurons(problem.lifted.shape[1], 1)
    dual = Enumerated().price(problem, V, neurons, 0.0, np.random.default_rng(0)).dual
    assert dual is not None and dual.bound.scope == "global"
    return dual.bound.value


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.95), slope=st.sampled_from([0.0, 0.1, -1.0]))
@settings(max_examples=30, deadline=None)
def test_the_largest_score_lies_between_its_bounds(seed: int, share: float, slope: float) -> None:
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 7)), int(rng.integers(1, 3))
    free = Problem(5 + rng.normal(size=(n, d)), rng.normal(size=(n, 1)), Squared(), ReLU(slope, "free"), Strength(0.1))
    V = free.feasible(rng.normal(size=(n, 1)))
    score, bound = largest_score(free, V), largest_score(charging(free, share), V)
    assert score * (1 - 1e-9) <= bound <= score / share**0.5 * (1 + 1e-9)
    network = Network(
        (Layer(rng.normal(size=(d, 3)), rng.normal(size=3), "relu", slope), Layer(np.ones((3, 1)), [0.5]))
    )
    other = charging(free, share)
    np.testing.assert_allclose(charged(free, network, share)(other.X), network(free.X), rtol=1e-9, atol=1e-9)


def test_a_bound_with_charged_biases_is_proven_again() -> None:
    X, y = rows(0, 40, 4)
    model = MLPRegressor(hidden_layer_sizes=(10,), alpha=2.0, solver="lbfgs", max_iter=400, random_state=0).fit(X, y)
    report = audit(model, X, y, time_limit=2.0)
    assert report.share is not None and report.method in ("semidefinite", "branch and bound")
    report.verify(model, X, y)
    assert report.dual > audit(model, X, y, time_limit=1e-9).dual
    for share in (None, 0.0, 1.0, -1.0, np.nan, 0.3, 0.99):
        with pytest.raises(CertificateError):
            replace(report, share=share).verify(model, X, y)


def test_charged_biases_are_not_charged_again() -> None:
    problem = Problem(np.eye(2), np.eye(2)[:, :1], Squared(), ReLU(), Strength(0.1))
    with pytest.raises(CertificateError, match="has no free biases"):
        charging(problem, 0.5)

"""Oracles of sign and tanh units: what each proves, and what it finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from architectures.cases import random_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import Bounded, ReLU, Sign, Tanh, no_neurons
from bidual.certificate import certify, sweep_point, verify_bound
from bidual.errors import CertificateError, InvalidParameterError, RefusedError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated, Oracle, Pricing, Swept
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.testing import check_oracle

seeds = st.integers(0, 2**32 - 1)
KINDS = ("gauss", "duplicates", "parallel", "low_rank", "grid", "constant_column")


def make_problem(X: np.ndarray, c: int = 1, architecture: Bounded | ReLU | None = None) -> Problem:
    return Problem(X, np.zeros((len(X), c)), Squared(), architecture or Sign(), Strength(1.0), intercept=False)


def ask(oracle: Oracle, problem: Problem, V: np.ndarray, target: float = 0.0, seed: int = 0, **more) -> Pricing:
    nothing = no_neurons(problem.lifted.shape[1], V.shape[1])
    return oracle.price(problem, V, nothing, target, np.random.default_rng(seed), **more)


def small_problems(*architectures: Bounded, c: int = 2) -> list[Problem]:
    rng = np.random.default_rng(0)
    return [make_problem(random_rows(rng, 7, 2, kind), c, a) for a in architectures for kind in (*KINDS, "zero_rows")]


@pytest.mark.parametrize("outputs", ["separate", "shared"])
@pytest.mark.parametrize("bias", ["penalized", "none"])
def test_swept_keeps_its_promises(bias: str, outputs: str) -> None:
    check_oracle(Swept(), small_problems(Sign(bias, outputs)))


@given(seed=seeds, kind=st.sampled_from(KINDS))
@settings(max_examples=50, deadline=None)
def test_swept_equals_enumeration(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X, V = random_rows(rng, int(rng.integers(1, 9)), int(rng.integers(1, 4)), kind), rng.normal(size=(8, 2))
    V = V[: len(X)]
    problem = make_problem(X, 2)
    swept, enumerated = ask(Swept(), problem, V), ask(Enumerated(), problem, V)
    assert swept.best_found == pytest.approx(enumerated.best_found, abs=1e-10)
    assert swept.dual.bound.value == pytest.approx(enumerated.dual.bound.value, abs=1e-10)
    assert (swept.dual.bound.scope, swept.dual.bound.method) == ("global", "sweep")


@pytest.mark.parametrize("kind", [Sign, Tanh])
def test_any_network_is_certified_by_a_sweep(kind: type[Bounded]) -> None:
    """And no larger bound than the one that is proven passes for a proof, nor one of other units."""
    rng = np.random.default_rng(0)
    problem = make_problem(rng.normal(size=(30, 2)), 1, kind())
    problem = replace(problem, Y=rng.normal(size=(30, 1)))
    word = {Sign: "sign", Tanh: "tanh"}[kind]
    layers = Layer(rng.normal(size=(2, 5)), rng.normal(size=5), word), Layer(0.1 * rng.normal(size=(5, 1)), np.zeros(1))
    certificate = certify(problem, Network(layers))
    assert certificate.global_method == "sweep"
    certificate.verify(problem, Network(layers))
    point = certificate.global_point
    forged = replace(point, bound=replace(point.bound, value=0.99 * point.bound.value))
    with pytest.raises(CertificateError, match="only"):
        verify_bound(problem, forged)
    with pytest.raises(CertificateError, match="no sweep proves a bound of ReLU units"):
        verify_bound(replace(problem, architecture=ReLU()), point)


def test_sweeps_that_take_too_long_or_prove_nothing_are_refused() -> None:
    rng = np.random.default_rng(0)
    V = rng.normal(size=(60, 1))
    problem = make_problem(rng.normal(size=(60, 9)))
    with pytest.raises(RefusedError, match=r"limit=5e\+08"):
        ask(Swept(), problem, V)
    assert sweep_point(problem, V, 5e8) is None
    near = make_problem(np.array([[0.0], [1e-11], [1.0]]))
    assert sweep_point(near, V[:3]) is None
    with pytest.raises(RefusedError, match="too close to tell"):
        ask(Swept(), near, V[:3])
    with pytest.raises(RefusedError, match="Swept finds sign units, not ReLU"):
        ask(Swept(), make_problem(np.eye(3), 1, ReLU()), V[:3])
    with pytest.raises(InvalidParameterError, match="keep must be at least 1, got 0"):
        Swept(keep=0)

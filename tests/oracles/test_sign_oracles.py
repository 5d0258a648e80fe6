"""Oracles of sign and tanh units: what each proves, and what it finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from architectures.cases import random_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.datasets import make_moons

from bidual.architectures import Bounded, ReLU, Sign, Tanh, no_neurons
from bidual.architectures.planes import Planes
from bidual.architectures.sweep import merged
from bidual.certificate import certify, sweep_point, verify_bound
from bidual.errors import CertificateError, InvalidParameterError, RefusedError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.oracles import Classifiers, Enumerated, LineSearch, MixedInteger, Oracle, Pricing, Swept, TanhAscent
from bidual.oracles.line_search import searched
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
def test_promises_are_kept(bias: str, outputs: str) -> None:
    signs, tanhs = small_problems(Sign(bias, outputs)), small_problems(Tanh(bias, outputs))
    for oracle in (Swept(), MixedInteger(), LineSearch(5, 10)):
        check_oracle(oracle, signs)
    for oracle in (TanhAscent(3), TanhAscent(3, max_weight=2.0)):
        check_oracle(oracle, tanhs)
    for oracle in (Classifiers(), Classifiers("svm"), Classifiers("perceptron", n_steps=5)):
        check_oracle(oracle, signs + tanhs)


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


def moons() -> tuple[Problem, np.ndarray]:
    X, labels = make_moons(100, noise=0.15, random_state=0)
    y = 2.0 * labels[:, None] - 1.0
    return replace(make_problem(X), Y=y), y


def test_moons_by_the_exact_oracles_and_by_line_searches() -> None:
    problem, y = moons()
    for oracle in (Swept(), LineSearch()):
        assert ask(oracle, problem, y).best_found == pytest.approx(82.0, abs=1e-8)
    tanh = replace(problem, architecture=Tanh())
    assert ask(TanhAscent(2), tanh, y).best_found == pytest.approx(82.0, rel=1e-12)


@given(seed=seeds, kind=st.sampled_from(KINDS))
@settings(max_examples=30, deadline=None)
def test_mixed_integer_equals_the_sweep(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X, V = random_rows(rng, 8, int(rng.integers(1, 4)), kind), rng.normal(size=(8, 1))
    problem = make_problem(X)
    found, exact = ask(MixedInteger(), problem, V), ask(Swept(), problem, V).best_found
    assert found.dual is None and found.best_found <= exact * (1 + 1e-9)
    assert found.best_found == pytest.approx(exact, rel=1e-6) or margin_of_best(problem, V) < 1e-3


def margin_of_best(problem: Problem, V: np.ndarray) -> float:
    """How far from the nearest row the best unit can be: below the margin, it is no solution of the program."""
    H, B, C, _ = merged(problem.lifted, V)
    best = ask(Swept(), problem, V).neurons
    sides = np.sign(H @ np.linalg.lstsq(problem.lifted @ B, problem.lifted @ best.inputs[:, 0], rcond=None)[0])
    right = sides == np.sign(C[:, 0] * (sides @ C[:, 0]))
    A = np.hstack([-(sides[:, None] * H)[right], np.ones((right.sum(), 1))])
    ends = [(-1.0, 1.0)] * H.shape[1] + [(0.0, None)]
    return -float(linprog(np.append(np.zeros(H.shape[1]), -1.0), A, np.zeros(len(A)), bounds=ends).fun)


def test_mixed_integer_stopped_early_still_answers(caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    problem, V = make_problem(rng.normal(size=(60, 4))), rng.normal(size=(60, 1))
    with caplog.at_level("INFO", logger="bidual"):
        found = ask(MixedInteger(node_limit=1), problem, V)
    assert "HiGHS" in caplog.text and found.dual is None
    assert 0.8 * ask(LineSearch(), problem, V).best_found < found.best_found


@given(seed=seeds, kind=st.sampled_from(KINDS))
@settings(max_examples=40, deadline=None)
def test_line_searches_climb(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X, v = random_rows(rng, 12, 2, kind), rng.normal(size=12)
    Xl = make_problem(X).lifted
    U = rng.normal(size=(3, 4))
    before, known = np.abs(v @ np.where(Xl @ U >= 0, 1.0, -1.0)), 0.0
    for steps in (1, 5, 25):
        after = np.abs(v @ np.where(Xl @ searched(Xl, v[:, None], U, steps, np.random.default_rng(0)) >= 0, 1.0, -1.0))
        assert (after >= before - 1e-9).all() and after.max() >= known - 1e-9
        known = after.max()
    assert known <= ask(Swept(), make_problem(X), v[:, None]).best_found + 1e-9


def test_one_line_search_equals_its_slow_twin() -> None:
    """The twin tries a point between each two places where the line meets a hyperplane, and both ends."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        H, c, w, along = rng.normal(size=(9, 3)), rng.normal(size=9), rng.normal(size=3), rng.normal(size=3)
        planes = Planes.spanned(H, w[:, None], along[:, None])
        best = np.where(planes.arcs[0], np.abs(planes.sums(c[:, None])[0, :, 0]), -np.inf).max()
        meets = np.sort(-(H @ w) / (H @ along))
        places = [meets[0] - 1.0, *(meets[1:] + meets[:-1]) / 2, meets[-1] + 1.0]
        assert best == pytest.approx(max(abs(c @ np.sign(H @ (w + t * along))) for t in places))


def test_line_searches_are_nearly_exact() -> None:
    """Paper: a weighted surrogate loss "does not generate a solution close to the exact minimum". Indeed."""
    shares: dict[str, list[float]] = {"line": [], "logistic": [], "svm": [], "perceptron": [], "polished": []}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        problem, V = make_problem(rng.normal(size=(100, 2))), rng.normal(size=(100, 1))
        exact = ask(Swept(), problem, V).best_found
        for name, oracle in {
            "line": LineSearch(10),
            "polished": Classifiers(n_steps=60),
            **{kind: Classifiers(kind) for kind in ("logistic", "svm", "perceptron")},
        }.items():
            found = ask(oracle, problem, V, seed=seed)
            assert found.dual is None and found.best_found <= exact * (1 + 1e-12)
            shares[name].append(found.best_found / exact)
    means = {name: np.mean(share) for name, share in shares.items()}
    assert means["line"] > 0.99 and means["polished"] > 0.95
    assert max(means[kind] for kind in ("logistic", "svm", "perceptron")) < 0.75


@pytest.mark.parametrize("oracle", [Swept(), LineSearch(), Classifiers(), TanhAscent()], ids=repr)
def test_a_little_of_the_unit_lowers_the_objective(oracle: Oracle) -> None:
    """The labels are the signs of minus the gradient: with those of the gradient, the unit's weight were negative."""
    architecture = Tanh() if isinstance(oracle, TanhAscent) else Sign()
    problem = replace(moons()[0], architecture=architecture, penalty=Strength(1e-9))
    V = problem.dual_vector(np.zeros_like(problem.Y))
    best = ask(oracle, problem, V).neurons.take(np.array([0]))
    little = problem.architecture.to_network(best, np.array([0.01]), np.zeros(1))
    assert problem.objective(little) < problem.loss_value(np.zeros_like(problem.Y)) - 0.1


def test_classes_that_cannot_be_told_apart_are_no_error() -> None:
    X = np.random.default_rng(0).normal(size=(6, 2))
    for kind in ("logistic", "svm", "perceptron"):
        one = ask(Classifiers(kind), make_problem(X), np.ones((6, 1)))
        assert one.best_found == pytest.approx(6.0)
        assert ask(Classifiers(kind), make_problem(X), np.zeros((6, 1))).best_found == 0.0


@pytest.mark.parametrize("oracle", [Swept(), LineSearch(), MixedInteger(), Classifiers(), TanhAscent()], ids=repr)
def test_zero_dual_vector_and_zero_data(oracle: Oracle) -> None:
    """On rows of zeros sign units are 1 and tanh units 0."""
    kind = Tanh if isinstance(oracle, TanhAscent) else Sign
    assert ask(oracle, make_problem(np.eye(3), 1, kind()), np.zeros((3, 1))).best_found == 0.0
    zeros = ask(oracle, make_problem(np.zeros((3, 2)), 1, kind("none")), np.ones((3, 1)))
    assert zeros.best_found == (3.0 if kind is Sign else 0.0)
    assert zeros.dual is None or zeros.dual.bound.value == pytest.approx(3.0)


def test_tanh_units_come_near_the_bound_and_stay_within_their_weights() -> None:
    rng = np.random.default_rng(0)
    problem, V = make_problem(rng.normal(size=(40, 2)), 1, Tanh()), rng.normal(size=(40, 1))
    free, bounded = ask(TanhAscent(), problem, V), ask(TanhAscent(max_weight=3.0), problem, V)
    most = ask(Swept(), replace(problem, architecture=Sign()), V)
    for found in (free, bounded):
        assert found.dual.bound.value == pytest.approx(most.dual.bound.value)
        verify_bound(problem, found.dual)
    assert free.best_found == pytest.approx(most.best_found, rel=1e-12)
    assert np.abs(bounded.neurons.inputs).max() <= 3.0
    assert 0.6 * most.best_found < bounded.best_found < 0.999 * most.best_found
    searched_only = ask(TanhAscent(limit=0.0), problem, V)
    assert searched_only.dual is None and 0.8 * most.best_found < searched_only.best_found <= most.best_found


def test_searches_stop_when_time_has_expired() -> None:
    problem, y = moons()
    for oracle in (LineSearch(), Classifiers(n_steps=60), MixedInteger()):
        ask(oracle, problem, y, expired=lambda: True)
    assert len(ask(TanhAscent(limit=0.0), replace(problem, architecture=Tanh()), y, expired=lambda: True).neurons) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LineSearch(n_starts=0), "n_starts must be at least 1, got 0"),
        (lambda: LineSearch(n_steps=0), "n_steps must be at least 1, got 0"),
        (lambda: Classifiers("tree"), "kind must be 'logistic', 'svm' or 'perceptron', got 'tree'"),
        (lambda: Classifiers(C=0.0), "C must be positive, got 0.0"),
        (lambda: Classifiers(n_steps=-1), "n_steps must be at least 0, got -1"),
        (lambda: MixedInteger(margin=1e-7), "margin must lie in"),
        (lambda: MixedInteger(time_limit=0.0), "time_limit must be positive, got 0.0"),
        (lambda: MixedInteger(node_limit=0), "node_limit must be at least 1, got 0"),
        (lambda: TanhAscent(max_weight=0.0), "max_weight must be positive, got 0.0"),
        (lambda: TanhAscent(n_starts=0), "n_starts must be at least 1, got 0"),
    ],
)
def test_wrong_parameters_are_refused(make, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        make()


def test_other_units_are_refused() -> None:
    relu, V = make_problem(np.eye(3), 1, ReLU()), np.ones((3, 1))
    for oracle in (LineSearch(), Classifiers(), MixedInteger(), TanhAscent()):
        with pytest.raises(RefusedError, match="not ReLU units; use"):
            ask(oracle, relu, V)

"""Parallel networks of three layers: known optima, invariants, and certificates that do not bend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bidual.architectures import ParallelReLU3, ReLU, Witness, no_neurons
from bidual.architectures.parallel_relu3 import second_patterns
from bidual.certificate import (
    Certificate,
    DualPoint,
    branched_point,
    certify,
    pattern_point,
    verify_bound,
)
from bidual.errors import CertificateError, InvalidParameterError, RefusedError
from bidual.estimators.stored import get_certificate, put_certificate
from bidual.losses import Squared
from bidual.oracles import Listed, Sampled, SecondMasks
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import Solution, Status, Stop, WideProgram, WorkingSet

TIGHT = Stop(tol=1e-7)
ROWS = st.sampled_from(["gauss", "duplicates", "zero row", "one row"])


def posed(X, y, beta: float = 0.1, bias: str = "none", intercept: bool = False) -> Problem:
    y = np.asarray(y, dtype=float).reshape(len(X), -1)
    return Problem(np.asarray(X, dtype=float), y, Squared(), ParallelReLU3(bias), Strength(beta), intercept=intercept)


def spike(first: int, beta: float) -> Problem:
    """Unit steps from ``first`` to 2, one of them, at 0, with the target 1."""
    x = np.arange(first, 3.0)[:, None]
    return posed(x, x == 0, beta, "penalized")


def gauss(seed: int, n: int = 4, d: int = 2, **options) -> Problem:
    rng = np.random.default_rng(seed)
    return posed(rng.normal(size=(n, d)), rng.normal(size=n), **options)


def optimum(problem: Problem, stop: Stop = TIGHT) -> float:
    solution = WideProgram().solve(problem, stop)
    assert solution.status == Status.OPTIMAL, str(solution.certificate)
    solution.certificate.verify(problem, solution.network)
    return solution.certificate.primal


def two_layers(problem: Problem) -> float:
    return (
        WorkingSet()
        .solve(replace(problem, architecture=ReLU(bias=problem.architecture.bias)), TIGHT)
        .certificate.primal
    )


@pytest.mark.parametrize("first", [-2, -1])
@pytest.mark.parametrize("beta", [0.02, 0.05, 0.2])
def test_spike(first: int, beta: float) -> None:
    """``3 beta - 11 beta^2 / 2`` for 0 < beta <= 1/5: proven by hand for both rows of points."""
    value = 3 * beta - 5.5 * beta**2
    solution = WideProgram().solve(spike(first, beta), Stop(tol=1e-8))
    assert solution.status == Status.OPTIMAL
    assert solution.certificate.primal == pytest.approx(value, abs=1e-7)
    assert solution.certificate.dual == pytest.approx(value, abs=1e-7)


def test_a_third_layer_helps_a_spike() -> None:
    assert two_layers(spike(-2, 0.05)) == pytest.approx(0.17163983988105670, rel=1e-6)
    assert optimum(spike(-2, 0.05)) < 0.137


def test_whitened_rows_need_no_third_layer() -> None:
    """``sum over signs of s^2/2 if s <= beta, else beta s - beta^2/2``, s = |y_+-|, on orthonormal rows."""
    y, beta = np.array([2.0, 1.0, -0.3, -0.1]), 0.5
    s, t = np.linalg.norm(y[:2]), np.linalg.norm(y[2:])
    assert optimum(posed(np.eye(4), y, beta)) == pytest.approx(beta * s - beta**2 / 2 + t**2 / 2, rel=1e-7)


def test_one_row() -> None:
    length, y, beta = 5.0, -2.0, 0.5
    assert optimum(posed([[3.0, 4.0]], [y], beta)) == pytest.approx(
        beta * abs(y) / length - beta**2 / (2 * length**2), rel=1e-7
    )


@pytest.mark.parametrize("seed", range(6))
def test_network_program_and_certificate_meet(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = gauss(
        seed, int(rng.integers(3, 6)), beta=float(rng.uniform(0.02, 0.3)), bias=["none", "penalized"][seed % 2]
    )
    solution = WideProgram().solve(problem, Stop(tol=1e-6))
    assert solution.status == Status.OPTIMAL and solution.certificate.scope == "global"
    assert solution.certificate.relative_gap <= 1e-6
    solution.certificate.verify(problem, solution.network)
    assert solution.network.n_branches <= problem.Y.size
    assert solution.network.layers[0].weight.shape[2] <= problem.Y.size
    assert solution.certificate.primal <= two_layers(problem) * (1 + 1e-6)


@given(seed=st.integers(0, 10**6), kind=ROWS)
@settings(max_examples=3, deadline=None)
def test_invariants(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(1 if kind == "one row" else 4, 2)), rng.normal(size=4)
    if kind == "duplicates":
        X[1] = X[0]
    if kind == "zero row":
        X[2] = 0.0
    y = y[: len(X)]
    value = optimum(posed(X, y))
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    order = rng.permutation(len(X))
    for other in (
        posed(3 * X, y, 0.3),
        posed(X @ turn, y),
        posed(X[order], y[order]),
        posed(np.column_stack([X, np.zeros(len(X))]), y),
        posed(X, -y),
    ):
        assert optimum(other) == pytest.approx(value, rel=1e-6, abs=1e-9)
    assert optimum(posed(X, 3 * y, 0.3)) == pytest.approx(9 * value, rel=1e-6, abs=1e-9)
    more, most = optimum(posed(X, y, 0.15)), 0.5 * float(y @ y)
    assert value * (1 - 1e-6) <= more <= most * (1 + 1e-9)
    assert optimum(posed(X, y, 0.2)) + value <= 2 * more * (1 + 1e-6) + 1e-9  # concave in the strength


def test_beyond_the_largest_score_nothing_is_learned() -> None:
    problem = gauss(1)
    nothing = WideProgram().solve(replace(problem, penalty=Strength(1e3)), TIGHT)
    beta = float(SecondMasks().price(problem, problem.Y, *_nothing(problem)).dual.bound.value)
    assert nothing.certificate.primal == 0.5 * np.sum(problem.Y**2)
    assert problem.architecture.size(nothing.network) == 0.0
    assert optimum(replace(problem, penalty=Strength(1.001 * beta))) == pytest.approx(0.5 * np.sum(problem.Y**2))
    assert optimum(replace(problem, penalty=Strength(0.99 * beta))) < 0.5 * np.sum(problem.Y**2) * (1 - 1e-6)
    assert optimum(posed(problem.X, np.zeros(4))) == 0.0


def test_a_ball_is_not_left() -> None:
    problem = replace(gauss(2, 5), penalty=Ball(0.5))
    solution = WideProgram().solve(problem, Stop(tol=1e-6))
    assert solution.status == Status.OPTIMAL
    assert problem.architecture.size(solution.network) <= 0.5 * (1 + 1e-12)


def test_several_outputs_are_several_problems() -> None:
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    assert optimum(posed(X, Y)) == pytest.approx(sum(optimum(posed(X, y)) for y in Y.T), rel=1e-6)


def test_more_patterns_are_never_worse_and_each_list_says_its_scope() -> None:
    problem = spike(-1, 0.05)
    masks, values = problem.architecture.all_patterns(problem.lifted).masks, []
    for some in (masks[:, [5]], masks[:, [5, 2]], masks[:, [5, 2, 9, 15]], masks):
        listed = Listed(second_patterns(some, 2))
        solution = WideProgram(listed).solve(problem, TIGHT)
        certificate = solution.certificate
        certificate.verify(problem, solution.network)
        assert certificate.scope == "patterns" and certificate.gap <= 1e-6
        values.append(certificate.primal)
    assert (np.diff(values) <= 1e-8).all() and values[0] > values[-1] + 1e-3
    assert values[-1] == pytest.approx(0.13625, abs=1e-6)


def test_given_widths() -> None:
    """One unit: two layers. Two: all that the spike on four points needs, but not the one on five."""
    four, five = spike(-1, 0.05), spike(-2, 0.05)
    values = {}
    for problem in (four, five):
        for width in (1, 2):
            narrow = replace(problem, architecture=ParallelReLU3("penalized", width=width))
            solution = WideProgram().solve(narrow, TIGHT)
            assert solution.status == Status.OPTIMAL and solution.certificate.scope == "global"
            solution.certificate.verify(narrow, solution.network)
            assert solution.network.layers[0].weight.shape[2] <= width
            values[len(problem.X), width] = solution.certificate.primal
    assert values[4, 1] == pytest.approx(two_layers(four), rel=1e-6)
    assert values[5, 1] == pytest.approx(0.17163983988105670, rel=1e-6)
    assert values[4, 2] == pytest.approx(0.13625, rel=1e-6)
    assert 0.13625 * (1 + 1e-2) < values[5, 2] < values[5, 1] * (1 - 1e-2)
    wide = WideProgram().solve(five, TIGHT)
    with pytest.raises(CertificateError, match="width=2"):
        wide.certificate.verify(replace(five, architecture=ParallelReLU3("penalized", width=2)), wide.network)


@pytest.mark.parametrize("seed", range(3))
def test_two_units(seed: int) -> None:
    """The bound of the scores of ``((x'u)_+ - (x'w)_+)_+`` and of single units, climbed to from many starts."""
    problem = gauss(seed, 5)
    problem = replace(problem, architecture=ParallelReLU3("none", width=2))
    bound = SecondMasks().price(problem, problem.Y, *_nothing(problem)).dual.bound
    verify_bound(problem, DualPoint(problem.Y, bound))

    def score(weights: np.ndarray) -> float:
        u, w = weights.reshape(2, 2)
        z = np.maximum(np.maximum(problem.X @ u, 0) - np.maximum(problem.X @ w, 0), 0)
        return -abs(float(problem.Y[:, 0] @ z)) / (np.linalg.norm(u) + np.linalg.norm(w))

    rng = np.random.default_rng(seed)
    best = max(-minimize(score, rng.normal(size=4), method="Nelder-Mead").fun for _ in range(60))
    assert best <= bound.value * (1 + 1e-9)
    assert best >= bound.value * (1 - 1e-3)


def test_drawn_patterns() -> None:
    """With all cones: an upper bound of the optimum, and the optimum of the drawn patterns, which is what is stated."""
    problem = gauss(5, 7, intercept=True)
    drawn = replace(problem, architecture=ParallelReLU3("none", first=6, seed=1))
    solution = WideProgram(Sampled(10)).solve(drawn, TIGHT)
    certificate = solution.certificate
    assert solution.status == Status.OPTIMAL_ON_PATTERNS and certificate.scope == "patterns"
    certificate.verify(drawn, solution.network)
    stored(certificate).verify(drawn, solution.network)
    least = WideProgram().solve(problem, TIGHT)
    assert certificate.global_dual <= least.certificate.primal < certificate.primal * (1 - 1e-6)
    other = certify(drawn, least.network)  # has units on other patterns than the drawn ones
    assert other.scope == "global"
    other.verify(drawn, least.network)


def test_a_start_is_continued() -> None:
    problem = gauss(3, 5)
    solution = WideProgram().solve(problem, TIGHT)
    again = WideProgram().solve(problem, TIGHT, start=solution.network)
    assert again.certificate.primal == pytest.approx(solution.certificate.primal, rel=1e-7)
    assert len(again.history) <= len(solution.history)


@pytest.fixture(scope="module")
def solved() -> tuple[Problem, Solution]:
    problem = spike(-1, 0.05)
    return problem, WideProgram().solve(problem, TIGHT)


def stored(certificate: Certificate) -> Certificate:
    return get_certificate(*put_certificate(certificate))


def test_certificates_survive_storage(solved) -> None:
    problem, solution = solved
    stored(solution.certificate).verify(problem, solution.network)


def test_forgeries(solved) -> None:
    problem, solution = solved
    point = solution.certificate.point
    bound, V = point.bound, point.V
    assert bound.method == "branch and bound" and bound.branches is not None and bound.patterns is not None
    leaves, cells = bound.branches, bound.patterns
    best = int(np.argmax(leaves.sign))  # a leaf about +V
    without = replace(leaves, **{key: np.delete(value, best, axis=0) for key, value in vars(leaves).items()})
    other = replace(leaves, sides=-np.abs(leaves.sides) - (leaves.sides == 0).astype(np.int8))
    fewer = cells.take(np.arange(len(cells) - 2))
    forgeries = [
        (replace(bound, value=0.9 * bound.value), "only .* is proven"),
        (replace(bound, patterns=None), "only inf is proven"),
        (branched_point(problem, V, leaves, fewer).bound, "not the list of all cells"),
        (replace(bound, branches=without), "only inf is proven"),
        (replace(bound, branches=other), "only inf is proven"),
        (replace(bound, branches=None), "needs leaves"),
        (replace(bound, branches=replace(leaves, touch=np.full_like(leaves.touch, np.nan))), "only inf is proven"),
        (replace(bound, scope="patterns"), "proves nothing of scope"),
    ]
    for lie, message in forgeries:
        with pytest.raises(CertificateError, match=message):
            verify_bound(problem, DualPoint(V, lie))


def test_forged_multipliers(solved) -> None:
    problem, solution = solved
    V = solution.certificate.point.V
    every = problem.architecture.all_patterns(problem.lifted)
    bound = pattern_point(problem, V, every, 0.0)[0].bound
    verify_bound(problem, DualPoint(V, bound))
    assert bound.witness is not None
    blocks = np.array([(j, 0, sign) for j in range(len(every)) for sign in (1, -1)])
    rows, values = np.tile(np.arange(len(V)), len(blocks)), np.concatenate([-sign * V[:, 0] for sign in blocks[:, 2]])
    start = len(V) * np.arange(len(blocks) + 1)
    own = np.concatenate([every.masks[:, j] for j in blocks[:, 0]])
    nothing_left = Witness(blocks, start, rows, np.where(own, values, 0.0))
    for lie, message in (
        (replace(bound, witness=nothing_left), "negative multipliers"),
        (replace(bound, witness=None), "only .* is proven"),
        (replace(bound, value=0.9 * bound.value), "only .* is proven"),
        (replace(bound, scope="global", method="enumeration"), "gate lies on a hyperplane"),
    ):
        with pytest.raises(CertificateError, match=message):
            verify_bound(problem, DualPoint(V, lie))
    certificate = certify(problem, solution.network, V, listed=every.take(np.arange(2)))
    assert certificate.scope == "patterns" and len(certificate.point.bound.patterns) > 2
    listed = replace(certificate.point.bound, patterns=every.take(np.arange(2)), witness=None, value=1e9)
    point = DualPoint(V, listed)
    lie = replace(certificate, point=point, dual=point.value(problem))
    with pytest.raises(CertificateError, match="none of the listed patterns"):
        lie.verify(problem, solution.network)


def test_refusals() -> None:
    problem = gauss(0)
    with pytest.raises(InvalidParameterError, match="tol"):
        WideProgram(tol=0.0)
    assert "use WorkingSet" in str(WideProgram().accepts(replace(problem, architecture=ReLU(bias="none"))))
    assert "limit=3" in str(WideProgram(SecondMasks(limit=3)).accepts(problem))
    assert "WideProgram" in str(WorkingSet().accepts(problem))
    with pytest.raises(RefusedError, match="SecondMasks prices sub-networks"):
        other = replace(problem, architecture=ReLU(bias="none"))
        SecondMasks().price(other, other.Y, *_nothing(other))


def _nothing(problem: Problem):
    return no_neurons(problem.lifted.shape[1], 1), 0.0, np.random.default_rng(0)

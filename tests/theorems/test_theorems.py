"""Every closed form is the optimum: Adam does not beat it, and gets there; and what the papers say of its weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidual import closed_form
from bidual.network import Layer, Network
from bidual.theorems import DeepProblem, solve

from .adam import adam
from .cases import CASES, CLASSES, Draw, Q


@pytest.mark.parametrize("name", CASES)
def test_adam_gets_there_and_no_further(name: str) -> None:
    problem, sizes, branches = CASES[name]
    found = solve(problem)
    assert name.startswith(found.theorem)
    best = adam(problem, sizes, branches)
    assert best >= found.certificate.dual
    assert best == pytest.approx(found.certificate.primal, rel=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_gap_is_rounding(name: str) -> None:
    found = solve(CASES[name][0])
    assert 0 <= found.certificate.relative_gap < 1e-9 and not found.tie
    found.certificate.verify(found.problem, found.network)


@pytest.mark.parametrize("name", CASES)
def test_layers_are_balanced(name: str) -> None:
    """Every layer of every branch has the same norm; with batch normalisation the first one's is gamma and alpha."""
    problem = CASES[name][0]
    network = solve(problem).network
    norms = np.array([np.sum(np.atleast_3d(layer.weight.T) ** 2, axis=(0, 1)) for layer in network.layers])
    if problem.batch_norm:
        first = network.layers[0]
        norms[0] = np.sum((problem.X @ first.weight + first.bias[..., None, :]) ** 2, axis=(-2, -1))
    np.testing.assert_allclose(norms, np.broadcast_to(norms[:1], norms.shape), rtol=1e-9)


@given(st.sampled_from(sorted(CASES)), st.floats(1e-3, 1e3))
def test_no_perturbed_network_is_better(name: str, size: float) -> None:
    problem = CASES[name][0]
    found = solve(problem)
    noise = np.random.default_rng(int(1e6 * size)).standard_normal
    layers = [replace(x, weight=x.weight + size * 1e-3 * noise(x.weight.shape)) for x in found.network.layers]
    assert problem.objective(Network(tuple(layers))) >= found.certificate.dual


def optimum(problem: DeepProblem, **changes: object) -> float:
    return solve(replace(problem, **changes)).certificate.primal  # type: ignore[arg-type]


@given(st.sampled_from(sorted(CASES)), st.floats(0.01, 100), st.floats(0.3, 2))
def test_units(name: str, c: float, share: float) -> None:
    """Targets in other units: ``P(X, cY, c^(2 - 2/q) beta) = c^2 P``; data: ``P(cX, Y, c^(2/q) beta) = P``."""
    problem = replace(CASES[name][0], beta=share * CASES[name][0].beta)
    q = problem.order
    expected = optimum(problem)
    scaled = optimum(problem, Y=c * problem.Y, beta=c ** (2 - 2 / q) * problem.beta)
    assert scaled == pytest.approx(c**2 * expected, rel=1e-8)
    price = problem.beta if problem.batch_norm else c ** (2 / q) * problem.beta
    assert optimum(problem, X=c * problem.X, beta=price) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_invariances(draw: Draw, name: str) -> None:
    problem = CASES[name][0]
    X, Y, expected = problem.X, problem.Y, optimum(problem)
    order = np.random.default_rng(1).permutation(len(X))
    turn = np.linalg.qr(draw((X.shape[1], X.shape[1])))[0]
    assert optimum(problem, X=X[order], Y=Y[order]) == pytest.approx(expected, rel=1e-8)
    assert optimum(problem, X=X @ turn) == pytest.approx(expected, rel=1e-8)
    assert optimum(problem, Y=-Y) == pytest.approx(expected, rel=1e-8)
    if "more rows" not in name:  # X'X = c^2 I does not survive an empty column
        assert optimum(problem, X=np.column_stack([X, np.zeros(len(X))])) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_the_optimum_rises_with_beta_and_is_concave_in_it(name: str) -> None:
    problem = CASES[name][0]
    betas = np.linspace(0.02, 3, 12) * problem.beta
    values = np.array([optimum(problem, beta=beta) for beta in betas])
    zero = 0.5 * np.sum(problem.Y**2)
    assert (np.diff(values) > -1e-9 * zero).all() and (values <= zero * (1 + 1e-12)).all()
    assert (np.diff(values, 2) <= 1e-8 * zero).all()


@pytest.mark.parametrize("name", CASES)
def test_beyond_the_largest_beta_the_network_is_zero(name: str) -> None:
    problem = CASES[name][0]
    found = solve(replace(problem, beta=1e4))
    assert found.certificate.primal == 0.5 * np.sum(problem.Y**2) and not found.network(problem.X).any()
    assert found.certificate.relative_gap < 1e-9


@pytest.mark.parametrize("n_layers", [2, 3, 5])
def test_rank_falls_as_beta_rises(draw: Draw, n_layers: int) -> None:
    X, Y = Q[:, :4], draw((6, 3)) * [3, 1, 0.3]
    ranks = []
    for beta in (1e-3, 0.1, 0.5, 50.0):
        layers = closed_form(X, Y, n_layers=n_layers, beta=beta).network.layers
        each = [np.linalg.matrix_rank(layer.weight) if layer.weight.size else 0 for layer in layers]
        assert len(set(each)) == 1
        ranks.append(each[0])
    assert ranks == sorted(ranks, reverse=True) and ranks[0] == 3 and ranks[-1] == 0


@pytest.mark.parametrize("n_layers", [2, 3, 4])
def test_the_least_norm_that_fits(draw: Draw, n_layers: int) -> None:
    """``X W_1 rho`` is proportional to y, and the price ``(L / 2) ||X^+ y||^(2 / L)``, the limit of small beta."""
    X, y = draw((3, 5)), draw(3)
    found = closed_form(X, y, n_layers=n_layers)
    norm = np.linalg.norm(np.linalg.pinv(X) @ y)
    assert found.certificate.primal == pytest.approx(n_layers / 2 * norm ** (2 / n_layers), rel=1e-12)
    assert 0 <= found.certificate.relative_gap < 1e-11
    first = X @ found.network.layers[0].weight
    assert abs(first[:, 0] @ y) == pytest.approx(np.linalg.norm(first) * np.linalg.norm(y), rel=1e-12)
    small = closed_form(X, y, n_layers=n_layers, beta=1e-7)
    assert small.certificate.primal / 1e-7 == pytest.approx(found.certificate.primal, rel=1e-5)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_least_norm_of_several_outputs(draw: Draw, batch_norm: bool) -> None:
    X, Y = draw((4, 6)), draw((4, 2))
    for n_layers in (2, 4):
        found = closed_form(X, Y, n_layers=n_layers, batch_norm=batch_norm)
        small = closed_form(
            X, Y, n_layers=n_layers, batch_norm=batch_norm, beta=1e-7, regularizer="lth_power"
        ).certificate.primal
        if n_layers == 2:
            assert small / 1e-7 == pytest.approx(found.certificate.primal, rel=1e-5)
        np.testing.assert_allclose(found.network(X), Y, atol=1e-12)
        assert found.certificate.relative_gap < 1e-11


def test_relu_networks_of_least_norm() -> None:
    X, Y = np.outer([1.0, 2, 0, 3], [1.0, -2]), np.outer([1.0, 2, 0, 3], [1.0, -1, 0.5])
    found = closed_form(X, Y, n_layers=3, activation="relu")
    assert found.certificate.primal == pytest.approx(1.5 * (1.5 / 5**0.5) ** (2 / 3), rel=1e-12)
    assert found.certificate.relative_gap < 1e-11
    np.testing.assert_allclose(found.network(X), Y, atol=1e-12)
    found = closed_form(3 * Q[:5], CLASSES, n_layers=4, activation="relu")
    assert found.certificate.primal == pytest.approx(2 * sum((k**0.5 / 3) ** 0.5 for k in (2, 3)), rel=1e-12)
    np.testing.assert_allclose(found.network(3 * Q[:5]), CLASSES, atol=1e-12)


def test_the_projection(draw: Draw) -> None:
    """The residual is the nearest point to y of ``{u: ||X'u|| <= beta}``, and projecting it again changes nothing."""
    X, y, beta = draw((6, 3)), draw(6), 0.3
    residual = y - closed_form(X, y, beta=beta).network(X)[:, 0]
    assert np.linalg.norm(X.T @ residual) == pytest.approx(beta, rel=1e-12)
    again = residual - closed_form(X, residual, beta=beta * (1 + 1e-12)).network(X)[:, 0]
    np.testing.assert_allclose(again, residual, atol=1e-11)
    for other in draw((50, 6)):
        other *= min(1.0, beta / np.linalg.norm(X.T @ other))
        assert (y - residual) @ (other - residual) <= 1e-12


def test_two_layers_with_batch_norm_are_the_convex_program_on_another_design(draw: Draw) -> None:
    """Where no closed form holds, ``two_layer()`` is a problem for the solvers of the library."""
    from bidual.solvers import Stop, WorkingSet

    problem = DeepProblem(draw((7, 2)), draw(7), 2, "relu", 0.3, batch_norm=True)
    program = problem.two_layer()
    np.testing.assert_allclose(program.X.T @ program.X, np.eye(3), atol=1e-12)
    solution = WorkingSet().solve(program, Stop(tol=1e-8))
    best = adam(problem, (14,))
    assert solution.certificate.primal * (1 - 1e-7) <= best == pytest.approx(solution.certificate.primal, rel=1e-3)
    assert isinstance(solution.network.layers[0], Layer)


def test_a_thousand_images_take_seconds() -> None:
    rng = np.random.default_rng(0)
    Y = np.eye(10)[rng.integers(10, size=1000)]
    X = rng.standard_normal((1000, 784)) + Y @ rng.standard_normal((10, 784))
    assert closed_form(X, Y, n_layers=4, beta=0.5, batch_norm=True).certificate.relative_gap < 1e-9
    assert closed_form(X, Y[:, 0], n_layers=3, beta=0.5).certificate.relative_gap < 1e-9
    found = closed_form(X[:700], Y[:700], n_layers=5, beta=0.1, activation="relu", batch_norm=True)
    assert found.theorem == "whitened ReLU" and found.certificate.relative_gap < 1e-9

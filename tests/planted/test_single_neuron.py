"""One planted neuron: the convex solve, its dual, its flags, and where the paper's statement ends."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bidual import Network, fit_planted_relu
from bidual.architectures import ReLU
from bidual.certificate import certify
from bidual.errors import BidualError, CertificateError, InvalidDataError
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.planted import PlantedFit
from bidual.problem import Problem
from bidual.typing import Matrix, Vector

NUMBERS = st.integers(-8, 8).map(lambda k: k / 2)


def f(A: Matrix, y: Vector, x: Vector) -> float:
    return float(np.sum((np.maximum(A @ x, 0) - y) ** 2))


def f_r(A: Matrix, y: Vector, x: Vector) -> float:
    return float(np.sum(np.maximum(A @ x, 0) ** 2) - 2 * y @ A @ x + y @ y)


def quiet(A: object, y: object) -> PlantedFit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return fit_planted_relu(A, y)  # type: ignore[arg-type]


@st.composite
def data(draw: st.DrawFn) -> tuple[Matrix, Vector]:
    """Small rows with ties, duplicates and zeros, and nonnegative targets."""
    n, d = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    return draw(arrays(float, (n, d), elements=NUMBERS)), np.abs(draw(arrays(float, n, elements=NUMBERS)))


@given(data(), st.data())
@settings(deadline=None, max_examples=100)
def test_the_relaxation_is_the_loss_and_a_price_on_idle_rows(case: tuple[Matrix, Vector], more: st.DataObject) -> None:
    A, y = case
    x = more.draw(arrays(float, A.shape[1], elements=NUMBERS))
    assert f_r(A, y, x) - f(A, y, x) == pytest.approx(2 * y @ np.maximum(-A @ x, 0))


@given(data(), st.data())
@settings(deadline=None, max_examples=150)
def test_primal_and_dual_meet_below_every_other_neuron(case: tuple[Matrix, Vector], more: st.DataObject) -> None:
    A, y = case
    fit = quiet(A, y)
    fit.verify(A, y)
    scale = max(y @ y, 1e-300)
    assert -1e-14 * scale <= fit.gap <= 1e-9 * scale
    assert fit.loss == pytest.approx(f(A, y, fit.x)) and fit.relaxed == pytest.approx(f_r(A, y, fit.x), abs=1e-9)
    other = more.draw(arrays(float, A.shape[1], elements=NUMBERS))
    assert fit.dual <= f_r(A, y, other) + 1e-12 * scale
    if fit.unique:
        moved = fit.x + 1e-3 * more.draw(arrays(float, A.shape[1], elements=NUMBERS))
        assert np.allclose(moved, fit.x) or f_r(A, y, moved) > fit.relaxed


@pytest.mark.parametrize("seed", range(6))
def test_dual_equals_the_least_norm(seed: int) -> None:
    import cvxpy as cp

    rng = np.random.default_rng(seed)
    A, y = rng.standard_normal((12, 4)), rng.random(12)
    mu = cp.Variable(12, nonneg=True)
    least = cp.Problem(cp.Minimize(cp.sum_squares(mu)), [A.T @ mu == A.T @ y]).solve(solver="CLARABEL")
    assert quiet(A, y).dual == pytest.approx(y @ y - least, abs=1e-6)


@pytest.mark.parametrize(("n", "d", "unique"), [(60, 10, True), (20, 10, None), (10, 20, False), (1, 1, True)])
@pytest.mark.parametrize("scale", [1.0, 1e8, 1e-8])
def test_a_planted_neuron_is_found(n: int, d: int, unique: bool | None, scale: float) -> None:
    rng = np.random.default_rng(n)
    A, x = scale * rng.standard_normal((n, d)), np.abs(rng.standard_normal(d))
    A[0] = np.abs(A[0])
    y = np.maximum(A @ x, 0)
    fit = fit_planted_relu(A, y)
    assert fit.realisable and fit.loss <= fit.relaxed <= 1e-18 * (y @ y) and fit.dual <= 1e-9 * (y @ y)
    assert unique is None or fit.unique is unique
    if unique:
        np.testing.assert_allclose(fit.x, x, rtol=1e-9)


def test_ill_conditioned_columns_and_equal_rows() -> None:
    rng = np.random.default_rng(0)
    A = np.repeat(rng.standard_normal((30, 8)) * 10.0 ** np.arange(-4, 4), 2, axis=0)
    x = rng.standard_normal(8) / 10.0 ** np.arange(-4, 4)
    fit = fit_planted_relu(A, np.maximum(A @ x, 0))
    assert fit.unique
    np.testing.assert_allclose(fit.x, x, rtol=1e-7)


@pytest.mark.parametrize(("A", "y"), [([[0.0]], [1.0]), ([[1.0], [0.0]], [1.0, 2.0]), ([[-1.0], [1.0]], [1.0, 1.0])])
def test_rows_that_no_neuron_fits(A: list[list[float]], y: list[float]) -> None:
    with pytest.warns(UserWarning, match="MLPRegressor"):
        fit = fit_planted_relu(A, y)
    assert not fit.realisable and fit.dual > 0.1


def test_where_rounding_hides_the_answer_nothing_is_proven() -> None:
    """The second column differs from the first by 1e-9: x is of size 1e9, and Ax is known to 1e-7."""
    rng = np.random.default_rng(0)
    column = rng.standard_normal((30, 1))
    A, y = np.column_stack([column, column + 1e-9 * rng.standard_normal((30, 1))]), rng.random(30)
    fit = quiet(A, y)
    assert np.linalg.norm(fit.x) > 1e7 and not fit.realisable and fit.dual == 0.0 < fit.relaxed
    fit.verify(A, y)


def test_targets_of_zero() -> None:
    fit = fit_planted_relu(np.eye(3), np.zeros((3, 1)))
    assert not fit.x.any() and fit.realisable and fit.relaxed == fit.dual == 0.0


def test_the_paper_is_right_about_planted_data_only() -> None:
    """Without a planted neuron the minimisers of the two objectives differ."""
    A, y = np.array([[1.0], [2.0], [-1.0]]), np.array([1.0, 0.0, 1.0])
    fit = quiet(A, y)
    assert fit.x == pytest.approx(0) and fit.relaxed == fit.dual == pytest.approx(2) and fit.loss == pytest.approx(2)
    assert f(A, y, np.array([-1.0])) == 1.0


def test_a_global_minimum_need_not_be_the_only_one() -> None:
    A, y = np.array([[1.0, 0.0]]), np.array([1.0])
    assert f_r(A, y, np.array([1.0, 0.0])) == f_r(A, y, np.array([1.0, 5.0])) == 0.0
    assert not fit_planted_relu(A, y).unique


def test_unique_is_a_proof_and_its_absence_is_none() -> None:
    """f_r = x^2 has one minimiser, at which no row is active."""
    A, y = np.array([[1.0], [-1.0]]), np.zeros(2)
    assert f_r(A, y, np.array([0.1])) > 0 < f_r(A, y, np.array([-0.1]))
    assert not fit_planted_relu(A, y).unique


def test_negative_targets_are_refused_for_there_may_be_no_minimum() -> None:
    A, y = np.array([[1.0]]), np.array([-1.0])
    assert [f_r(A, y, np.array([-t])) for t in (1.0, 10.0, 100.0)] == [-1.0, -19.0, -199.0]
    with pytest.raises(InvalidDataError, match="-1.0.*MLPRegressor"):
        fit_planted_relu(A, y)


@pytest.mark.parametrize(
    ("A", "y", "word"),
    [
        ([[np.nan]], [1.0], "A has NaN"),
        ([[1.0]], [np.inf], "y has NaN"),
        ([[1.0]], [1.0, 2.0], "shapes"),
        ([1.0], [1.0], "shapes"),
        (np.ones((0, 1)), [], "shapes"),
        (np.ones((2, 3, 1)), np.ones((2, 3)), "one problem"),
    ],
)
def test_bad_data(A: object, y: object, word: str) -> None:
    with pytest.raises(InvalidDataError, match=word):
        fit_planted_relu(A, y)  # type: ignore[arg-type]


@pytest.mark.parametrize("tol", [0.0, -1.0, np.nan, np.inf])
def test_bad_tolerance(tol: float) -> None:
    with pytest.raises(BidualError, match="tol must be"):
        fit_planted_relu(np.eye(1), np.ones(1), tol=tol)


def test_verify_notices_changes() -> None:
    rng = np.random.default_rng(1)
    A, y = rng.standard_normal((9, 3)), rng.random(9)
    fit = quiet(A, y)
    for name in ("loss", "relaxed", "dual"):
        with pytest.raises(CertificateError, match=f"{name} is stated"):
            replace(fit, **{name: getattr(fit, name) + 1e-6}).verify(A, y)
    x = fit.x + 1e-4
    moved = replace(fit, x=x, loss=f(A, y, x), relaxed=f_r(A, y, x))
    with pytest.raises(CertificateError, match="dual"):
        moved.verify(A, y)
    replace(moved, dual=0.0).verify(A, y)  # all that multipliers which miss their equations prove


def test_the_network_predicts_is_saved_and_certified(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    A = rng.standard_normal((8, 2))
    y = np.maximum(A @ [1.0, -1.0], 0)
    fit = fit_planted_relu(A, y)
    fit.network.save(tmp_path / "neuron.npz")
    network = Network.load(tmp_path / "neuron.npz")
    np.testing.assert_allclose(network(A)[:, 0], y, atol=1e-12)
    problem = Problem(A, y[:, None], Squared(), ReLU(bias="none"), Strength(0.1), intercept=False)
    certificate = certify(problem, network)
    assert certificate.primal == pytest.approx(0.1 * np.sqrt(2)) and certificate.dual <= certificate.primal

"""Every loss in the registry keeps the promises of ``Loss``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.losses import LOSSES, Hinge, Huber, Logistic, Loss, Multinomial, Squared, SquaredHinge

from .cases import CASES, random_dual, random_problem, random_targets

every_loss = pytest.mark.parametrize("loss", CASES, ids=repr)
seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from([1e-3, 1.0, 30.0, 1e3])
fast = settings(max_examples=30, deadline=None)


@every_loss
def test_registry(loss: Loss) -> None:
    assert LOSSES[loss.name] is type(loss)
    assert loss == type(loss)(**vars(loss)) and hash(loss) is not None
    loss.check_targets(random_targets(loss, np.random.default_rng(0), 5, 3))


@every_loss
def test_gradient_is_the_slope_of_the_value(loss: Loss) -> None:
    rng, F, Y, s = random_problem(loss, 1)
    D = 1e-5 * rng.normal(size=F.shape)
    change = loss.value(F + D, Y, s) - loss.value(F - D, Y, s)
    assert change == pytest.approx(2 * np.sum(loss.gradient(F, Y, s) * D), rel=1e-7)


@every_loss
def test_hessian_is_the_slope_of_the_gradient(loss: Loss) -> None:
    rng, F, Y, s = random_problem(loss, 2)
    D = 1e-5 * rng.normal(size=F.shape)
    h, q = loss.hessian(F, Y, s)
    product = h * D - (0.0 if q is None else q * np.sum(q * D, axis=1, keepdims=True))
    change = loss.gradient(F + D, Y, s) - loss.gradient(F - D, Y, s)
    np.testing.assert_allclose(change, 2 * product, rtol=1e-6, atol=1e-13)


@every_loss
@given(seed=seeds, scale=scales)
@fast
def test_fenchel_young(loss: Loss, seed: int, scale: float) -> None:
    rng, F, Y, s = random_problem(loss, seed, scale=scale)
    Z = -random_dual(loss, rng, Y, s)
    value = loss.value(F, Y, s)
    rounding = 1e-11 * (1.0 + value + np.sum(np.abs(Z * F)))
    assert value + loss.conjugate(Z, Y, s) >= np.sum(Z * F) - rounding
    Z = loss.gradient(F, Y, s)
    rounding = 1e-12 * (1.0 + value + np.sum(np.abs(Z * F)) + np.sum(Z * Z))
    assert value + loss.conjugate(Z, Y, s) == pytest.approx(np.sum(Z * F), abs=rounding)


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_conjugate_is_the_supremum(loss: Loss, seed: int) -> None:
    rng, _, Y, s = random_problem(loss, seed, n=1, c=2)
    V = random_dual(loss, rng, Y, s, scale=1.0)

    def lagrangian(f: np.ndarray) -> float:
        F = f.reshape(Y.shape)
        return loss.value(F, Y, s) + float(np.sum(V * F))

    options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000, "maxfev": 4000}
    least = minimize(lagrangian, Y.ravel(), method="Nelder-Mead", options=options).fun
    assert -loss.conjugate(-V, Y, s) == pytest.approx(least, abs=1e-8)


@every_loss
@given(seed=seeds, scale=scales)
@fast
def test_domain_step_is_maximal(loss: Loss, seed: int, scale: float) -> None:
    rng, _, Y, s = random_problem(loss, seed)
    V = random_dual(loss, rng, Y, s, scale)
    t = loss.domain_step(V, Y, s)
    assert t >= 1.0 - 1e-12
    if np.isinf(t):
        assert np.isfinite(loss.conjugate(-1e6 * V, Y, s))
    else:
        assert np.isfinite(loss.conjugate(-t * V, Y, s))
        assert loss.conjugate(-(1.0 + 1e-9) * t * V, Y, s) == np.inf


@every_loss
def test_domain_step_is_scale_free(loss: Loss) -> None:
    rng, _, Y, s = random_problem(loss, 3)
    V = random_dual(loss, rng, Y, s)
    assert loss.domain_step(1e-9 * V, Y, s) == pytest.approx(1e9 * loss.domain_step(V, Y, s))
    assert loss.domain_step(0.0 * V, Y, s) == np.inf


@pytest.mark.parametrize("loss", [loss for loss in CASES if loss.targets != "real"], ids=repr)
def test_wrong_signs_are_outside(loss: Loss) -> None:
    rng, _, Y, s = random_problem(loss, 4)
    V = random_dual(loss, rng, Y, s)
    assert loss.conjugate(V, Y, s) == np.inf
    assert loss.domain_step(-V, Y, s) == 0.0 == loss.best_scaling(-V, Y, s, np.inf, 0.0)


def test_rounding_is_inside() -> None:
    one, two = np.ones((1, 1)), np.array([[1.0, 0.0]])
    s = np.ones(1)
    for loss in (Logistic(), Hinge(), SquaredHinge()):
        assert np.isfinite(loss.conjugate(1e-15 * one, one, s)) and loss.conjugate(1e-9 * one, one, s) == np.inf
        assert loss.domain_step(-1e-15 * one, one, s) == pytest.approx(1e3)
    torn = np.array([[0.5, -0.5 + 1e-15]])
    assert np.isfinite(Multinomial().conjugate(-torn, two, s)) and Multinomial().domain_step(torn, two, s) >= 1.0
    torn[0, 1] = -0.4
    assert Multinomial().conjugate(-torn, two, s) == np.inf and Multinomial().domain_step(torn, two, s) == 0.0


@every_loss
@pytest.mark.parametrize("limit", [0.0, 0.3, 1.0, np.inf])
@pytest.mark.parametrize("share", [0.0, 0.4, 0.99, 1e3])
def test_best_scaling_beats_a_grid(loss: Loss, limit: float, share: float) -> None:
    rng, _, Y, s = random_problem(loss, 5)
    V = random_dual(loss, rng, Y, s)
    slope = share * abs(loss.conjugate(-V, Y, s))

    def bound(t: float) -> float:
        return -loss.conjugate(-t * V, Y, s) - slope * t

    t = loss.best_scaling(V, Y, s, limit, slope)
    end = min(limit, loss.domain_step(V, Y, s))
    assert 0.0 <= t <= end
    grid = np.linspace(0.0, min(end, 3.0), 1001)
    assert bound(t) >= max(map(bound, grid)) - 1e-12
    generic = Loss.best_scaling(loss, V, Y, s, limit, slope)
    assert 0.0 <= generic <= end and bound(generic) == pytest.approx(bound(t), abs=1e-9)


@every_loss
@pytest.mark.parametrize("factor", [1e-9, 1e9])
@pytest.mark.parametrize("method", ["own", "generic"])
def test_best_scaling_is_scale_free(loss: Loss, factor: float, method: str) -> None:
    rng, _, Y, s = random_problem(loss, 6)
    V = random_dual(loss, rng, Y, s)
    slope = 0.2 * abs(loss.conjugate(-V, Y, s))
    best = type(loss).best_scaling if method == "own" else Loss.best_scaling
    t = best(loss, V, Y, s, np.inf, slope)
    assert factor * best(loss, factor * V, Y, s, np.inf, factor * slope) == pytest.approx(t, rel=1e-6)
    assert best(loss, 0.0 * V, Y, s, np.inf, 0.0) == 0.0


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_generic_scaling_searches_far(unit: float) -> None:
    rng, F, Y, s = random_problem(Squared(), 6)
    V, Y = np.abs(F), unit * np.abs(Y)
    own = Squared().best_scaling(V, Y, s, np.inf, 0.0)
    assert Loss.best_scaling(Squared(), V, Y, s, np.inf, 0.0) == pytest.approx(own, rel=1e-6)


@every_loss
@given(seed=seeds, scale=scales, weighted=st.booleans())
@fast
def test_balance(loss: Loss, seed: int, scale: float, weighted: bool) -> None:
    rng, _, Y, s = random_problem(loss, seed)
    s = s if weighted else np.ones_like(s)
    V = random_dual(loss, rng, Y, s, scale)
    balanced = loss.balance(V, Y, s)
    rounding = 1e-12 * np.abs(V).sum()
    assert np.abs(balanced.sum(axis=0)).max() <= rounding
    # No balanced vector is nearer in the sum of absolute values; in particular a balanced one stays.
    assert np.abs(balanced - V).sum() <= np.abs(V.sum(axis=0)).sum() + rounding
    np.testing.assert_allclose(loss.balance(balanced, Y, s), balanced, atol=rounding, rtol=0)
    # Inside the domain, and a lower bound of every constant prediction.
    constant = np.tile(rng.normal(size=Y.shape[1]), (len(Y), 1))
    assert -loss.conjugate(-balanced, Y, s) > -np.inf
    assert -loss.conjugate(-balanced, Y, s) <= loss.value(constant, Y, s) * (1.0 + 1e-12)


@every_loss
def test_weight_k_is_k_rows(loss: Loss) -> None:
    rng, F, Y, _ = random_problem(loss, 8)
    k = np.array([1, 2, 3, 1, 4, 2])
    V = random_dual(loss, rng, Y, k.astype(float))
    rows, one = np.repeat(np.arange(6), k), np.ones(k.sum())
    assert loss.value(F, Y, k) == pytest.approx(loss.value(F[rows], Y[rows], one))
    np.testing.assert_allclose(loss.gradient(F, Y, k)[rows] / k[rows, None], loss.gradient(F[rows], Y[rows], one))
    spread = V[rows] / k[rows, None]
    assert loss.conjugate(-V, Y, k) == pytest.approx(loss.conjugate(-spread, Y[rows], one))
    assert loss.domain_step(V, Y, k) == pytest.approx(loss.domain_step(spread, Y[rows], one))
    np.testing.assert_allclose(loss.balance(V, Y, k)[rows] / k[rows, None], loss.balance(spread, Y[rows], one))


def test_two_classes_are_logistic() -> None:
    rng, _, Y, s = random_problem(Logistic(), 9, c=1)
    one_hot = np.hstack([Y > 0, Y < 0]).astype(float)
    f = rng.normal(size=Y.shape)
    F = np.hstack([f, np.zeros_like(f)])
    assert Multinomial().value(F, one_hot, s) == pytest.approx(Logistic().value(f, Y, s))
    V, W = -Logistic().gradient(f, Y, s), -Multinomial().gradient(F, one_hot, s)
    np.testing.assert_allclose(W, np.hstack([V, -V]))
    assert Multinomial().conjugate(-W, one_hot, s) == pytest.approx(Logistic().conjugate(-V, Y, s))
    scaling = Multinomial().best_scaling(W, one_hot, s, np.inf, 0.7)
    assert scaling == pytest.approx(Logistic().best_scaling(V, Y, s, np.inf, 0.7))


def test_nearly_perfect_fit_keeps_its_step() -> None:
    Y = np.eye(3)
    V = -Multinomial().gradient(25.0 * Y, Y, np.ones(3))
    assert 0.0 < np.abs(V).max() < 1e-9
    assert Multinomial().domain_step(V, Y, np.ones(3)) == pytest.approx(1.0 / V.max())


@pytest.mark.parametrize(
    ("name", "Y", "remedy"),
    [
        ("squared", [[1.0], [np.nan]], "drop or impute"),
        ("huber", [[np.inf]], "drop or impute"),
        ("squared", [1.0, 2.0], "reshape"),
        ("logistic", [[0.0], [1.0]], "2 * Y - 1"),
        ("hinge", [[2.0]], "2 * Y - 1"),
        ("squared_hinge", [[np.nan]], "2 * Y - 1"),
        ("multinomial", [[1.0], [1.0]], "one-hot encode"),
        ("multinomial", [[0.5, 0.5]], "np.eye"),
        ("multinomial", [[1.0, 0.0], [1.0, 1.0]], "row 1"),
        ("multinomial", np.empty((0, 2)), "at least 1"),
    ],
)
def test_wrong_targets_name_the_remedy(name: str, Y: object, remedy: str) -> None:
    with pytest.raises(InvalidDataError) as error:
        LOSSES[name]().check_targets(np.asarray(Y))
    assert remedy in str(error.value) and name in str(error.value)


@pytest.mark.parametrize("delta", [0.0, -1.0, np.nan, np.inf])
def test_huber_needs_a_positive_delta(delta: float) -> None:
    with pytest.raises(InvalidParameterError, match="positive finite"):
        Huber(delta=delta)


def test_wide_huber_is_squared() -> None:
    _, F, Y, s = random_problem(Squared(), 10)
    assert Huber(1e6).value(F, Y, s) == pytest.approx(Squared().value(F, Y, s))
    np.testing.assert_allclose(Huber(1e6).balance(F, Y, s), Squared().balance(F, Y, s), atol=1e-14)

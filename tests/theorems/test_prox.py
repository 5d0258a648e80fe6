"""The scalar problem."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from bidual.errors import InvalidParameterError
from bidual.theorems import prox

positive = st.floats(1e-6, 1e6)
depths = st.integers(2, 12)


def objective(s: float, sigma: float, beta: float, n_layers: int) -> float:
    return 0.5 * (s - sigma) ** 2 + beta * (n_layers / 2) * s ** (2 / n_layers)


def threshold(beta: float, n_layers: int) -> tuple[float, float]:
    """(where the minimiser jumps, to what), by bisection on which of 0 and the larger minimum is better."""
    low, high = 0.0, 1e4
    for _ in range(200):
        sigma = 0.5 * (low + high)
        inner = (0.3 * sigma, sigma)
        s = minimize_scalar(objective, bounds=inner, args=(sigma, beta, n_layers), options={"xatol": 1e-12}).x
        better = objective(s, sigma, beta, n_layers) < 0.5 * sigma**2
        low, high = (low, sigma) if better else (sigma, high)
    return high, float(s)


@given(positive, positive, depths, st.floats(0, 2))
def test_no_other_value_is_better(sigma: float, beta: float, n_layers: int, other: float) -> None:
    s, _ = prox(sigma, beta, n_layers)
    least = objective(float(s), sigma, beta, n_layers)
    assert 0 <= s <= sigma and least <= objective(other * sigma, sigma, beta, n_layers) * (1 + 1e-12)


@given(positive, positive, depths)
def test_a_root_or_zero(sigma: float, beta: float, n_layers: int) -> None:
    s, _ = prox(sigma, beta, n_layers)
    if s > 0:
        assert s + beta * s ** (2 / n_layers - 1) == pytest.approx(sigma, rel=1e-12)


@pytest.mark.parametrize(("n_layers", "beta"), [(3, 0.3), (4, 0.7), (7, 2.0)])
def test_the_jump(n_layers: int, beta: float) -> None:
    sigma, s = threshold(beta, n_layers)
    found, tie = prox([0.9999 * sigma, 1.0001 * sigma], beta, n_layers)
    assert found[0] == 0 and found[1] == pytest.approx(s, rel=1e-3) and not tie.any()


def test_ties_are_zero_and_flagged() -> None:
    s_c = (0.3 * 1) ** 0.75  # L = 3: sigma_c = 2 beta^(3/4)
    found, tie = prox([2 * s_c, 2.1 * s_c, s_c], 0.3, 3)
    assert found[0] == 0 and tie.tolist() == [True, False, False]
    assert objective(0.0, 2 * s_c, 0.3, 3) == pytest.approx(objective(s_c, 2 * s_c, 0.3, 3), rel=1e-14)
    assert not prox([0.3], 0.3, 2)[1].any()  # the soft threshold has no jump


def test_two_layers_are_the_soft_threshold_and_no_price_is_the_identity() -> None:
    values = np.array([0.0, 0.2, 0.5, 3.0])
    np.testing.assert_array_equal(prox(values, 0.5, 2)[0], np.maximum(values - 0.5, 0))
    np.testing.assert_array_equal(prox(values, 0.0, 5)[0], values)


@given(positive, positive, depths, st.floats(1e-3, 1e3))
def test_units(sigma: float, beta: float, n_layers: int, unit: float) -> None:
    s, tie = prox(sigma, beta, n_layers)
    scaled, other = prox(unit * sigma, beta * unit ** (2 - 2 / n_layers), n_layers)
    if not tie and not other and (s > 0) == (scaled > 0):  # rounding may decide at the threshold
        assert scaled == pytest.approx(unit * s, rel=1e-9)


@pytest.mark.parametrize(
    ("sigma", "beta", "n_layers", "words"),
    [(1, -1, 3, "beta"), (1, np.nan, 3, "beta"), (1, 1, 1, "n_layers"), (-1, 1, 3, "sigma"), (np.inf, 1, 3, "sigma")],
)
def test_refused(sigma: float, beta: float, n_layers: int, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        prox(sigma, beta, n_layers)

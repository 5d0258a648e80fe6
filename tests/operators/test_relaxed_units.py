"""Relaxed units: every mean of units lies between their ends, and the gradients are those of the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.operators.relaxed_units import relaxed_units

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("slope", [0.0, 0.1, -1.0])
@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_means_of_units_lie_between_the_ends(slope: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p, m = (int(rng.integers(1, 8)) for _ in range(3))
    X, U, t = rng.normal(size=(n, p)), rng.normal(size=(p, m)), rng.dirichlet(np.ones(m))
    X[rng.random(n) < 0.2] = 0.0
    U /= np.linalg.norm(U, axis=0)
    Z = X @ U
    mean = np.where(Z > 0, Z, slope * Z) @ t
    block = np.vstack([np.sqrt(t), U * np.sqrt(t)])[None]
    ends = relaxed_units(X, slope).ends(7.0 * block, 1e-9)
    assert (ends.low[:, 0] <= mean + 1e-7).all() and (mean <= ends.high[:, 0] + 1e-7).all()
    if m == 1:
        np.testing.assert_allclose(ends.high[:, 0], mean, atol=1e-7)
        np.testing.assert_allclose(ends.low[:, 0], mean, atol=1e-7)


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_gradient_is_the_slope_of_the_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = relaxed_units(rng.normal(size=(6, 3)), 0.2)
    blocks, way, w = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 4, 3)), rng.normal(size=(6, 2))

    def value(step: float) -> float:
        return float(units.ends(blocks + step * way, 0.1).best(w).sum())

    slope = float(np.sum(units.ends(blocks, 0.1).pull(w) * way))
    assert slope == pytest.approx((value(1e-5) - value(-1e-5)) / 2e-5, rel=1e-6, abs=1e-7)

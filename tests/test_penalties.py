"""What a size costs, and what the conjugate asks of a dual vector."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidual.errors import InvalidParameterError
from bidual.penalties import Ball, Penalty, Strength

positive = st.floats(1e-6, 1e6)
penalties = st.builds(Strength, positive) | st.builds(Ball, st.just(0.0) | positive)


@given(penalty=penalties, size=st.just(0.0) | positive, kappa=st.just(0.0) | positive, share=st.floats(0.0, 1.0))
def test_fenchel_young(penalty: Penalty, size: float, kappa: float, share: float) -> None:
    """``r(size) >= <t V, f> - r*(t kappa)`` where ``<V, f>`` is at most kappa times the size."""
    t = share * min(penalty.limit(kappa), 1e6)
    assert t * kappa * size <= (penalty.value(size) + t * penalty.slope(kappa)) * (1 + 1e-11)


@given(strength=positive, radius=positive, kappa=positive)
def test_equality_is_attained(strength: float, radius: float, kappa: float) -> None:
    beta, ball = Strength(strength), Ball(radius)
    assert beta.limit(kappa) * kappa == pytest.approx(strength) and beta.value(2.0) == 2.0 * strength
    assert beta.slope(kappa) == 0.0 and ball.limit(kappa) == math.inf
    assert ball.value(radius) == 0.0 and ball.slope(kappa) == pytest.approx(radius * kappa)
    assert ball.value(radius * (1 + 1e-9)) == math.inf
    assert beta.limit(0.0) == math.inf


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, -math.inf])
def test_values_outside_the_domain_are_refused(value: float) -> None:
    with pytest.raises(InvalidParameterError, match="beta must be a positive finite number"):
        Strength(value)
    with pytest.raises(InvalidParameterError, match="radius must be a nonnegative finite number"):
        Ball(value)


def test_zero_is_a_radius_but_no_strength() -> None:
    assert Ball(0.0).value(0.0) == 0.0 and Ball(0.0).value(1e-300) == math.inf
    with pytest.raises(InvalidParameterError, match="got 0.0"):
        Strength(0.0)

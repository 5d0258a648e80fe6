"""Intervals against the formulas of their papers, and their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bidual.analysis import jackknife_plus, split_conformal
from bidual.errors import InvalidDataError

finite = st.floats(-1e3, 1e3)
coverages = st.integers(1, 19).map(lambda twentieths: twentieths / 20)


@given(st.data(), st.integers(20, 40), coverages)
def test_jackknife_plus_of_the_paper(data: st.DataObject, k: int, coverage: float) -> None:
    at, residuals = (
        data.draw(arrays(float, (2, k, 1), elements=finite)),
        data.draw(arrays(float, (k, 1), elements=finite)),
    )
    lower, upper = jackknife_plus(at, residuals, coverage)
    missed = 1 - coverage
    low, high = math.floor(missed * (k + 1) + 1e-9), math.ceil((1 - missed) * (k + 1) - 1e-9)
    for i in range(2):
        assert lower[i, 0] == np.sort(at[i, :, 0] - np.abs(residuals[:, 0]))[low - 1]
        assert upper[i, 0] == np.sort(at[i, :, 0] + np.abs(residuals[:, 0]))[high - 1]


@given(arrays(float, (30, 1), elements=st.floats(0, 1e3), unique=True), coverages)
def test_split_conformal_covers_as_often_as_stated(errors: np.ndarray, coverage: float) -> None:
    """Take each of the errors in turn as the new one: exchangeable, so their share is the probability."""
    inside = 0
    for i in range(30):
        lower, upper = split_conformal(np.zeros((1, 1)), np.delete(errors, i, axis=0), coverage)
        inside += lower[0, 0] <= errors[i, 0] <= upper[0, 0]
    assert inside == math.ceil(coverage * 30 - 1e-9)


@pytest.mark.parametrize(("coverage", "least"), [(0.9, 9), (0.5, 1), (0.95, 19)])
def test_too_few_rows_are_refused(coverage: float, least: int) -> None:
    split_conformal(np.zeros((1, 1)), np.ones((least, 1)), coverage)
    if least > 1:
        with pytest.raises(InvalidDataError, match=f"needs at least {least} rows, got {least - 1}"):
            split_conformal(np.zeros((1, 1)), np.ones((least - 1, 1)), coverage)

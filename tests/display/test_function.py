"""The plots of the learned function show what the estimator predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bidual.display import FunctionDisplay, Response
from bidual.errors import InvalidDataError, InvalidParameterError

from .cases import KINDS, fitted

draw = FunctionDisplay.from_estimator


@pytest.mark.parametrize(
    ("kind", "method"),
    [*((kind, "auto") for kind in KINDS), ("binary", "predict_proba"), ("three classes", "predict_proba")],
)
def test_one_feature(kind: str, method: str) -> None:
    estimator, X, y = fitted(kind)
    shown = draw(estimator, X, 1, y=y, at={0: 2.5}, response_method=method)
    grid = shown.axes[0]
    rows = np.column_stack([np.full(grid.size, 2.5), grid])
    if hasattr(estimator, "classes_"):
        answer = getattr(estimator, "decision_function" if method == "auto" else method)(rows)
        answer = answer[:, 1] if kind == "binary" and method == "predict_proba" else answer
    else:
        answer = estimator.predict(rows)
    curves = [line.get_ydata() for line in shown.ax_.lines if np.array_equal(line.get_xdata(), grid)]
    np.testing.assert_array_equal(np.column_stack(curves), answer.reshape(grid.size, -1))
    assert shown.ax_.get_xlabel() == "feature 1" and "feature 0 = 2.5" in shown.ax_.get_title()


def test_kinks_are_where_the_slope_changes() -> None:
    estimator, X, y = fitted("regressor")
    shown = draw(estimator, X, "feature 0", y=y)
    grid, curve = shown.axes[0], shown.response.values[:, 0]
    slopes = np.diff(curve) / np.diff(grid)
    bends = grid[1:-1][np.abs(np.diff(slopes)) > 1e-6 * np.abs(slopes).max()]
    (marks,) = [line for line in shown.ax_.lines if str(line.get_label()).startswith("neurons switch")]
    assert bends.size > 0
    for bend in bends:
        assert np.abs(marks.get_xdata() - bend).min() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_two_features(kind: str) -> None:
    estimator, X, y = fitted(kind)
    shown = draw(estimator, X, y=y, grid_resolution=15)
    a, b = np.meshgrid(*shown.axes, indexing="ij")
    rows = np.column_stack([a.ravel(), b.ravel()])
    method = "decision_function" if hasattr(estimator, "classes_") else "predict"
    expected = getattr(estimator, method)(rows).reshape(rows.shape[0], -1)
    np.testing.assert_array_equal(shown.response.values, expected if kind != "two outputs" else expected[:, :1])
    draw(estimator, X, grid_resolution=15, switches=False)


def test_lines_are_where_neurons_switch() -> None:
    estimator, X, y = fitted("regressor")
    shown = draw(estimator, X, y=y, grid_resolution=15)
    W, b = estimator.coefs_[0], estimator.intercepts_[0]
    lines = [np.column_stack(line.get_data()) for line in shown.ax_.lines]
    assert lines
    for ends in lines:
        assert np.abs(ends @ W + b).max(axis=0).min() < 1e-9 * np.abs(b).max()


def test_names_of_a_frame() -> None:
    from bidual import MLPRegressor

    frame = pd.DataFrame(fitted("regressor")[1], columns=["length (m)", "mass (kg)"])
    estimator = MLPRegressor(alpha=1.0, random_state=0).fit(frame, frame["mass (kg)"])
    shown = draw(estimator, frame, ["mass (kg)", "length (m)"], grid_resolution=5)
    assert (shown.ax_.get_xlabel(), shown.ax_.get_ylabel()) == ("mass (kg)", "length (m)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": 2}, "an index from 0 to 1, got 2"),
        ({"features": "mass"}, "there is no feature 'mass'"),
        ({"features": (0, 0)}, "one or two different features"),
        ({"features": ()}, "one or two different features"),
        ({"at": {"mass": 1.0}}, "there is no feature 'mass'"),
        ({"output": 1}, "output must be from 0 to 0"),
        ({"grid_resolution": 1}, "at least 2"),
        ({"feature_names": ["a"]}, "all 2 features"),
        ({"response_method": "guess"}, "response_method"),
        ({"response_method": "predict_proba"}, "has no predict_proba"),
        ({"y": [1.0]}, "40 rows"),
    ],
)
def test_refusals(options: Any, message: str) -> None:
    estimator, X, _ = fitted("regressor")
    with pytest.raises((InvalidParameterError, InvalidDataError), match=message):
        draw(estimator, X, **options)


def test_plain_data() -> None:
    shown = FunctionDisplay([[0.0, 1.0, 2.0]], Response(np.ones((3, 1)))).plot()
    np.testing.assert_array_equal(shown.ax_.lines[0].get_ydata(), np.ones(3))
    with pytest.raises(InvalidParameterError, match="must have 3 rows"):
        FunctionDisplay([[0.0, 1.0, 2.0]], Response(np.ones((2, 1))))
    with pytest.raises(InvalidParameterError, match="shows labels only"):
        estimator, X, _ = fitted("binary")
        draw(estimator, X, response_method="predict")

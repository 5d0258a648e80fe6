"""The path plot shows what is proven at every strength, and the score that chose one."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import bidual
from bidual import MLPRegressor, MLPRegressorCV
from bidual.display import RegularizationPathDisplay
from bidual.errors import InvalidParameterError, MissingDependencyError

from .cases import fitted


@cache
def chosen() -> Any:
    _, X, y = fitted("regressor")
    return MLPRegressorCV(MLPRegressor(activation="gated_relu", n_patterns=20, random_state=0), ratio=0.1).fit(X, y)


def lines(ax: Any) -> dict[str, Any]:
    return {line.get_label().split(":")[0]: line for line in ax.lines}


def test_bounds_fits_and_scores() -> None:
    model = chosen()
    shown = RegularizationPathDisplay.from_estimator(model)
    drawn = lines(shown.ax_)
    alphas = drawn["objective of the networks"].get_xdata()
    primal, dual, whole = model.path_.bounds(alphas).T
    np.testing.assert_array_equal(drawn["objective of the networks"].get_ydata(), primal)
    np.testing.assert_array_equal(drawn["proven over the scope"].get_ydata(), dual)
    np.testing.assert_array_equal(drawn["proven for every network"].get_ydata(), whole)
    np.testing.assert_array_equal(drawn["fits, with their neurons"].get_xdata(), model.path_.alphas)
    assert [text.get_text() for text in shown.ax_.texts] == [str(count) for count in model.path_.n_neurons]
    assert "scope: patterns" in shown.ax_.get_title() and f"{model.path_.worst:.1%}" in shown.ax_.get_title()
    np.testing.assert_array_equal(drawn["best alpha"].get_xdata(), [model.alpha_] * 2)
    right = next(ax for ax in shown.figure_.axes if ax is not shown.ax_)
    np.testing.assert_array_equal(lines(right)["leave-one-out score"].get_ydata(), model.scores_)


def test_given_axes_and_a_path_without_scores() -> None:
    figure, (left, right) = plt.subplots(1, 2)
    shown = RegularizationPathDisplay.from_path(chosen().path_, ax=left)
    assert shown.ax_ is left and shown.figure_ is figure and len(figure.axes) == 2
    assert shown.plot(right) is shown and shown.ax_ is right
    assert "best alpha" not in lines(left)


def test_of_one_global_strength() -> None:
    X = np.linspace(-1, 1, 9)[:, None]
    path = bidual.path(MLPRegressor(random_state=0), X, np.abs(X[:, 0]), alphas=[0.05])
    drawn = lines(RegularizationPathDisplay.from_path(path).ax_)
    assert "proven for every network" in drawn and "proven over the scope" not in drawn


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFittedError):
        RegularizationPathDisplay.from_estimator(MLPRegressorCV())
    with pytest.raises(InvalidParameterError, match=r"shapes \(k,\) and \(k, 3\), got \(1,\) and \(2, 3\)"):
        RegularizationPathDisplay([0.1], np.ones((2, 3)), [0.1], [1])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'bidual\[plot\]'"):
        RegularizationPathDisplay.from_path(chosen().path_)
    assert bidual.RegularizationPathDisplay is RegularizationPathDisplay

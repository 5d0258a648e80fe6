"""What every display promises."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import matplotlib.pyplot as plt
import pytest
from sklearn.exceptions import NotFittedError

import bidual
from bidual import MLPRegressor
from bidual.display import DISPLAYS
from bidual.errors import MissingDependencyError

from .cases import KINDS, arguments, fitted

every_display = pytest.mark.parametrize("display", DISPLAYS)


@every_display
@pytest.mark.parametrize("kind", KINDS)
def test_from_estimator(display: type[Any], kind: str) -> None:
    estimator, X, y = fitted(kind)
    args, options = arguments(display, X, y)
    shown = display.from_estimator(estimator, *args, **options)
    assert isinstance(shown, display)
    assert shown.ax_.figure is shown.figure_
    assert len(plt.get_fignums()) == 1


@every_display
def test_given_axes(display: type[Any]) -> None:
    estimator, X, y = fitted("regressor")
    figure, (left, right) = plt.subplots(1, 2)
    args, options = arguments(display, X, y, ax=left)
    shown = display.from_estimator(estimator, *args, **options)
    assert shown.ax_ is left and shown.figure_ is figure
    assert shown.plot(right) is shown and shown.ax_ is right
    assert len(plt.get_fignums()) == 1
    shown.plot()
    assert len(plt.get_fignums()) == 2 and shown.ax_ not in (left, right)


@every_display
def test_public(display: type[Any]) -> None:
    assert getattr(bidual, display.__name__) is display


@every_display
def test_not_fitted(display: type[Any]) -> None:
    _, X, y = fitted("regressor")
    args, options = arguments(display, X, y)
    with pytest.raises(NotFittedError):
        display.from_estimator(MLPRegressor(), *args, **options)


@every_display
def test_without_matplotlib(display: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, X, y = fitted("regressor")
    args, options = arguments(display, X, y)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'bidual\[plot\]'"):
        display.from_estimator(estimator, *args, **options)
    monkeypatch.undo()


def test_matplotlib_is_imported_late() -> None:
    code = "import bidual.display, sys; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

"""The convergence plot shows the history, and says what is proven."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bidual.display import ConvergenceDisplay
from bidual.errors import InvalidParameterError
from bidual.solvers import Record

from .cases import fitted


def history(primal: Any, dual: Any) -> list[Record]:
    return [Record(k, 0.1 * k, p, d, d + 0.5 * (p - d), k) for k, (p, d) in enumerate(zip(primal, dual, strict=True))]


def proof(dual: float, scope: str) -> Any:
    return SimpleNamespace(dual=dual, relative_gap=0.01, scope=scope)


@pytest.mark.parametrize("x", ["seconds", "iteration"])
def test_shows_the_history(x: Any) -> None:
    estimator = fitted("regressor")[0]
    shown = ConvergenceDisplay.from_estimator(estimator, x=x)
    lines = {line.get_label().split(":")[0]: line for line in shown.ax_.lines}
    for label, name in (
        ("objective of the network", "primal"),
        ("proven for every network", "dual"),
        ("if no better neuron exists (not proven)", "priced_dual"),
    ):
        np.testing.assert_array_equal(lines[label].get_xdata(), [getattr(r, x) for r in estimator.history_])
        np.testing.assert_array_equal(lines[label].get_ydata(), [getattr(r, name) for r in estimator.history_])
    assert lines["if no better neuron exists (not proven)"].get_linestyle() == "--"
    assert estimator.status_.replace("_", " ") in shown.ax_.get_title()
    assert f"scope: {estimator.certificate_.scope}" in shown.ax_.get_title()


@pytest.mark.parametrize("scope", ["global", "patterns"])
def test_only_a_bound_of_smaller_scope_is_marked(scope: str) -> None:
    shown = ConvergenceDisplay(history([3.0, 1.0], [0.0, 0.5]), proof(0.9, scope), "optimal").plot()
    marked = [line.get_ydata()[0] for line in shown.ax_.lines if line.get_marker() == "D"]
    assert marked == ([0.9] if scope == "patterns" else [])


many = np.arange(1.0, 1001.0)


@pytest.mark.parametrize(
    ("primal", "dual"),
    [
        ([1.0], [1.0]),
        ([0.0], [0.0]),
        ([1e6, 5.1, 5.05], [0.0, 4.9, 5.04]),
        ([2.0, 2.0, 2.0], [0.0, 0.0, -np.inf]),
        (1 + 500 / many, 1 - 1 / many),
        (500 / many, 0 * many),
        (1 + 5e3 / many**2, 1 - 50 / many),
    ],
)
def test_limits_show_the_end(primal: Any, dual: Any) -> None:
    shown = ConvergenceDisplay(history(primal, dual), proof(dual[-1], "global")).plot()
    low, high = shown.ax_.get_ylim()
    assert low < primal[-1] < high
    shown.figure_.canvas.draw()


def test_refusals() -> None:
    with pytest.raises(InvalidParameterError, match="at least one record"):
        ConvergenceDisplay([])
    with pytest.raises(InvalidParameterError, match="x must be 'seconds' or 'iteration'"):
        ConvergenceDisplay(history([1.0], [0.0])).plot(x="hours")  # type: ignore[arg-type]

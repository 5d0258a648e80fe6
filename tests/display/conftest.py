"""Figures are drawn without a screen, closed after each test, and leave matplotlib's settings alone."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    from matplotlib import pyplot, rcParams

    before = dict(rcParams)
    yield
    for number in pyplot.get_fignums():
        pyplot.figure(number).canvas.draw()
    pyplot.close("all")
    assert dict(rcParams) == before

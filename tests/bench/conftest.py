"""The harness in benchmarks/, which is no package."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The runner; its neighbours are modules beside it."""
    for folder in (BENCHMARKS / "peers", BENCHMARKS):
        monkeypatch.syspath_prepend(str(folder))
    import run

    monkeypatch.setitem(run.CAPS, "large", 10.0)
    monkeypatch.setitem(run.CAPS, "small", 10.0)
    return run

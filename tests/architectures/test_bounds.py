"""The gate bound against its twin, and against the masks it is of."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import bounds
from bidual.operators import blocks


@pytest.mark.parametrize("entries", [1, 2**21])
@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_gate_bound_in_every_unit_and_block(unit: float, entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ENTRIES", entries)
    rng = np.random.default_rng(0)
    for spread in (0.0, 3.0):
        X = rng.normal(size=(30, 4)) * 10.0 ** (-spread * np.arange(4))
        v = rng.normal(size=30) * rng.uniform(size=30) ** 9
        twin = min(np.abs(v) @ np.linalg.norm(X, axis=1), np.linalg.norm(X, 2) * np.linalg.norm(v))
        bound, double = bounds.gate(unit * X, np.column_stack([v, 2.0 * v]))
        assert double == 2.0 * bound
        assert bound == pytest.approx(unit * twin, rel=1e-12, abs=0.0)
        masks = rng.uniform(size=(200, 30)) < 0.5
        assert np.linalg.norm((masks * v) @ X, axis=1).max() * unit <= bound

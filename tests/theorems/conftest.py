"""Gaussian data, the same for a test whichever others run."""

from __future__ import annotations

import numpy as np
import pytest

from .cases import Draw


@pytest.fixture
def draw() -> Draw:
    return np.random.default_rng(0).standard_normal

"""Array shapes, each named once.

The letters of every docstring: ``n`` rows, ``d`` features, ``p`` lifted features (``d`` plus the bias
column if there is one), ``c`` outputs, ``m`` neurons, ``P`` activation patterns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.float64]
"""(n, d) or (n, p): data, one row per sample."""

Outputs: TypeAlias = NDArray[np.float64]
"""(n, c): targets, predictions, gradients and dual vectors; a scalar output has c = 1."""

Weights: TypeAlias = NDArray[np.float64]
"""(n,): positive sample weights."""

Vector: TypeAlias = NDArray[np.float64]
"""(m,), (c,) or (p,): any other vector."""

Matrix: TypeAlias = NDArray[np.float64]
"""Any other matrix; its shape stands in the docstring."""

Masks: TypeAlias = NDArray[np.bool_]
"""(n, P): activation patterns, one column per pattern."""

Places: TypeAlias = NDArray[np.intp]
"""(k,): where something stands in a list."""

Gates: TypeAlias = NDArray[Any]
"""(q, m): what opens gated units, in the terms of their architecture, as columns: directions, or paths."""

Expired: TypeAlias = Callable[[], bool]
"""Asked by long work: True once the driver's time is spent."""


def never() -> bool:
    """There is no time limit."""
    return False

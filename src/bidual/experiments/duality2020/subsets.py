"""Few images of each class, and what makes their rows orthonormal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.typing import Rows

Pixels = NDArray[Any]

TEST_ROWS = 2000


@dataclass(frozen=True, eq=False)
class Subset:
    """X (n, d) and test_X, pixels from 0 to 1, with their classes y (n,) and test_y."""

    X: Rows
    y: NDArray[np.intp]
    test_X: Rows
    test_y: NDArray[np.intp]

    def rotated(self) -> tuple[Rows, Rows]:
        """Both in orthonormal coordinates of the row space of X: products of rows with rows of X stay as they are."""
        V = np.linalg.svd(self.X, full_matrices=False)[2].T
        return self.X @ V, self.test_X @ V


def take(X: Pixels, y: NDArray[np.intp], test_X: Pixels, test_y: NDArray[np.intp], each: int, largest: float) -> Subset:
    """The first images of each class, and the first ones to test on, divided by the largest value of a pixel."""
    rows = np.sort(np.concatenate([np.flatnonzero(y == k)[:each] for k in np.unique(y)]))
    test = slice(None, TEST_ROWS)
    return Subset(X[rows] / largest, y[rows], test_X[test] / largest, test_y[test])


def whitened(subset: Subset) -> tuple[Rows, Rows]:
    """``(XX')^(-1/2) X`` and the test rows under the same map of features, ``x -> (X'X)^(-1/2) x``, both in coordinates
    of the row space: with ``X = U S V'`` they are ``U`` and ``test_X V S^-1``."""
    U, s, Vt = np.linalg.svd(subset.X, full_matrices=False)
    return U, subset.test_X @ Vt.T / s

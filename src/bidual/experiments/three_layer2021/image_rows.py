"""Images as rows, the same for every method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.base import Architecture
from bidual.datasets import ImageSet
from bidual.losses import Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.typing import Outputs, Rows, Vector

CLASSES = 10


@dataclass(frozen=True, eq=False)
class ImageRows:
    """X (n, d), pixels less their means and of mean square 1 / d, and Y (n, 10), 1 for the class of the image and 0
    elsewhere less its mean ``shares`` (10,), so that no method needs an intercept; and rows to test on."""

    X: Rows
    Y: Outputs
    shares: Vector
    test_X: Rows
    test_y: NDArray[np.intp]

    def accuracy(self, outputs: Outputs) -> float:
        """The share of the test rows whose class has the largest output (test rows, 10)."""
        return float(np.mean(np.argmax(outputs + self.shares, axis=1) == self.test_y))


def image_rows(data: ImageSet, n: int, tested: int) -> ImageRows:
    """The first ``n`` images, and the first ``tested`` of those to test on."""
    X, test_X = data.X[:n] / 255.0, data.test_X[:tested] / 255.0
    mean = X.mean(axis=0)
    X -= mean
    scale = np.sqrt(np.vdot(X, X) / X.shape[0])
    X /= scale
    Y = 1.0 * (data.y[:n, None] == np.arange(CLASSES))
    shares = Y.mean(axis=0)
    return ImageRows(X, Y - shares, shares, (test_X - mean) / scale, data.test_y[:tested])


def posed(rows: ImageRows, architecture: Architecture, beta: float) -> Problem:
    """The problem every method is given, if with networks of its own."""
    return Problem(rows.X, rows.Y, Squared(), architecture, Strength(beta), intercept=False)

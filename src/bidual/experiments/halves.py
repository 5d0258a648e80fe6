"""Real data for experiments beyond the papers: two classes, half of the rows for training and half for testing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from bidual.datasets import load
from bidual.network import Network
from bidual.typing import Outputs, Rows

SETS = {"breast_cancer": ("malignant", "benign"), "digits": ("3", "8")}
"""The data sets by the name ``bidual.datasets`` knows them by, and the classes told apart."""


@dataclass(frozen=True, eq=False)
class Halves:
    """X (n, d), features of mean 0 and variance 1/d on these rows, and Y (n, 1) of -1 and 1; the same for other rows.

    Features that are constant on the training rows are left out.
    """

    X: Rows
    Y: Outputs
    test_X: Rows
    test_Y: Outputs

    def test_error(self, network: Network) -> float:
        """The share of the test rows on the wrong side."""
        return float(np.mean((network(self.test_X) >= 0) != (self.test_Y > 0)))


def halves(name: str) -> Halves:
    """The halves of one of ``SETS``, each with the same share of both classes."""
    data, (low, high) = load(name), SETS[name]
    rows = np.isin(data.y, (low, high))
    Y = np.where(data.y[rows] == high, 1.0, -1.0)[:, None]
    X, test_X, Y, test_Y = train_test_split(data.X[rows], Y, test_size=0.5, random_state=0, stratify=Y)
    mean, spread = X.mean(axis=0), X.std(axis=0)
    used = spread > 0
    scale = spread[used] * np.sqrt(np.count_nonzero(used))
    return Halves((X[:, used] - mean[used]) / scale, Y, (test_X[:, used] - mean[used]) / scale, test_Y)

"""What a report is about: one fitted model, its data, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.solvers import Status
from bidual.typing import Rows


@dataclass(frozen=True)
class Baseline:
    """Another model on the same rows; ``note`` says how it was trained."""

    name: str
    train_score: float
    test_score: float | None
    seconds: float
    note: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """A fitted estimator of this library with the rows it was trained and tested on.

    X, X_test : (n, d), y, y_test : (n,), the test rows None if there are none
    features : the names of the d columns
    seconds : what fit took
    origin, licence : where the data are from, if known
    notes : anything else to tell
    chosen : the estimator that chose the strength of this one on its path, if one did
    """

    name: str
    estimator: Any
    X: Rows
    y: NDArray[Any]
    features: tuple[str, ...]
    seconds: float
    X_test: Rows | None = None
    y_test: NDArray[Any] | None = None
    target: str = "y"
    description: str = ""
    origin: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()
    baseline: Baseline | None = None
    chosen: Any = None

    @property
    def classifies(self) -> bool:
        """Whether the target is a class."""
        return hasattr(self.estimator, "classes_")

    @property
    def metric(self) -> str:
        """What the scores are."""
        return "accuracy" if self.classifies else "R\u00b2"

    @property
    def proven(self) -> bool:
        """Whether the certificate met the tolerance."""
        return self.estimator.status_ in (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS)

    @cached_property
    def train_score(self) -> float:
        """The estimator's score on the training rows."""
        return score(self.estimator, self.X, self.y)

    @cached_property
    def test_score(self) -> float | None:
        """The estimator's score on the test rows, None without."""
        if self.X_test is None or self.y_test is None:
            return None
        return score(self.estimator, self.X_test, self.y_test)


def score(estimator: Any, X: Rows, y: NDArray[Any]) -> float:
    """Accuracy, or the coefficient of determination R\u00b2; NaN where it is not defined."""
    predicted = estimator.predict(X)
    if hasattr(estimator, "classes_"):
        return float(np.mean(predicted == y))
    spread = float(np.sum((y - np.mean(y)) ** 2))
    return 1.0 - float(np.sum((y - predicted) ** 2)) / spread if spread > 0 else float("nan")

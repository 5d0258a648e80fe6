"""A class without rows leaves a column of rounding in the dual vector, which was called unbalanced: a bound of 0."""

from __future__ import annotations

import numpy as np

from bidual.architectures import ReLU
from bidual.losses import Multinomial
from bidual.penalties import Strength
from bidual.problem import Problem


def test_rounding_in_one_column_is_measured_against_all() -> None:
    X, Y = np.eye(3), np.eye(3)[[2, 1, 1]]
    problem = Problem(X, Y, Multinomial(), ReLU(), Strength(0.3))
    V = np.array([[-2.8e-17, -0.775, 0.775], [-6.9e-18, 0.055, -0.055], [-1.1e-16, 0.72, -0.72]])
    assert problem.dual(V, 1.0) > 0.1

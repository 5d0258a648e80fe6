"""One small problem for each theorem and each of its forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bidual.theorems import DeepProblem

Draw = Callable[..., Any]
"""``draw(shape)``: standard normal numbers."""

draw: Draw = np.random.default_rng(0).standard_normal
Q = np.linalg.qr(draw((6, 6)))[0]
CLASSES = np.repeat(np.eye(2), [2, 3], axis=0)
RANK_ONE = np.outer(np.abs(draw(5)), draw(3))

Case = tuple[DeepProblem, tuple[int, ...], int]
"""A problem, and the hidden widths and branches of networks wide enough for it."""

CASES: dict[str, Case] = {
    "projection": (DeepProblem(draw((6, 3)), draw(6), 2, "linear", 0.3), (3,), 1),
    "nuclear norm": (DeepProblem(draw((6, 3)), draw((6, 2)), 2, "linear", 0.3), (3,), 1),
    "nuclear norm, L-th power": (
        DeepProblem(draw((6, 3)), draw((6, 2)), 3, "linear", 0.3, regularizer="lth_power"),
        (2, 2),
        3,
    ),
    "deep linear, one output": (DeepProblem(draw((6, 3)), 2 * draw(6), 3, "linear", 0.3), (3, 3), 1),
    "whitened linear, more rows": (DeepProblem(2 * Q[:, :4], 3 * draw((6, 3)), 3, "linear", 0.3), (4, 4), 1),
    "whitened linear, fewer rows": (DeepProblem(3 * Q[:3], 3 * draw((3, 2)), 4, "linear", 0.3), (3, 3, 3), 1),
    "whitened linear, batch norm": (DeepProblem(draw((6, 3)), 2 * draw((6, 2)), 3, "linear", 0.1, True), (3, 3), 1),
    "rank-one ReLU": (DeepProblem(RANK_ONE, 2 * draw((5, 2)), 2, "relu", 0.1), (4,), 1),
    "rank-one ReLU, three layers": (DeepProblem(RANK_ONE, 2 * draw((5, 2)), 3, "relu", 0.1), (4, 4), 1),
    "rank-one ReLU, four layers": (DeepProblem(-RANK_ONE, 2 * draw(5), 4, "relu", 0.1), (4, 4, 4), 1),
    "whitened ReLU": (DeepProblem(3 * Q[:5], CLASSES, 2, "relu", 0.4), (6,), 1),
    "whitened ReLU, three layers": (DeepProblem(3 * Q[:5], CLASSES, 3, "relu", 0.4), (4, 1), 4),
    "whitened ReLU, L-th power": (
        DeepProblem(Q[:5], -CLASSES, 3, "relu", 0.4, regularizer="lth_power"),
        (3, 1),
        4,
    ),
    "whitened ReLU, one output": (DeepProblem(Q[:5], 2 * draw(5), 2, "relu", 0.2), (6,), 1),
    "whitened ReLU, one deep output": (DeepProblem(Q[:5], 2 * draw(5), 3, "relu", 0.2), (3, 1), 4),
    "whitened ReLU, batch norm": (DeepProblem(draw((5, 4)), CLASSES, 2, "relu", 0.4, True), (6,), 1),
    "whitened ReLU, deep batch norm": (DeepProblem(draw((5, 7)), CLASSES, 3, "relu", 0.2, True), (3, 1), 4),
}
"""The name of the theorem comes before the comma where there is one; "deep linear, one output" is a name itself."""

"""The closed form as the paper has it, which is right for two layers only."""

from __future__ import annotations

import numpy as np

from bidual.theorems import DeepProblem
from bidual.typing import Vector


def soft_threshold_objective(problem: DeepProblem, sigma: Vector) -> float:
    """The objective if each sigma is shrunk to ``(sigma - beta)_+`` where ``XX' = I``, with balanced layers."""
    s = np.maximum(sigma - problem.beta, 0.0)
    return float(np.sum(0.5 * (s - sigma) ** 2 + problem.cost(s)))

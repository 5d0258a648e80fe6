"""Random problems for every registered loss."""

from __future__ import annotations

import numpy as np

from bidual.losses import LOSSES, Huber, Loss, SmoothedHinge
from bidual.typing import Outputs, Weights

CASES: list[Loss] = [*(loss() for loss in LOSSES.values()), Huber(delta=0.3), SmoothedHinge(width=0.3)]


def random_targets(loss: Loss, rng: np.random.Generator, n: int, c: int) -> Outputs:
    """(n, c) targets of the kind the loss asks for."""
    if loss.targets == "real":
        return rng.normal(size=(n, c))
    if loss.targets == "signs":
        return rng.choice([-1.0, 1.0], size=(n, c))
    return np.eye(c)[rng.integers(c, size=n)]


def random_problem(
    loss: Loss, seed: int, n: int = 6, c: int = 3, scale: float = 2.0
) -> tuple[np.random.Generator, Outputs, Outputs, Weights]:
    """(rng, F, Y, s)."""
    rng = np.random.default_rng(seed)
    return rng, scale * rng.normal(size=(n, c)), random_targets(loss, rng, n, c), rng.uniform(0.2, 3.0, size=n)


def random_dual(loss: Loss, rng: np.random.Generator, Y: Outputs, s: Weights, scale: float = 2.0) -> Outputs:
    """A mixture of two negative gradients: inside the domain, by its convexity, and the gradient of no F for a kink."""
    first, second = (-loss.gradient(scale * rng.normal(size=Y.shape), Y, s) for _ in range(2))
    mix = rng.uniform()
    return mix * first + (1.0 - mix) * second

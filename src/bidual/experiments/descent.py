"""Training by gradient steps in PyTorch: what convex solvers and closed forms are compared with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, final

Tensor = Any
"""A torch.Tensor; torch is imported where it is used."""


def missing_torch() -> str | None:
    """None, or the sentence that says how to get what trains."""
    return None if find_spec("torch") else "training needs torch: pip install 'bidual[torch]'"


@final
@dataclass(frozen=True)
class Method:
    """An optimiser of torch, its first step size, which falls to zero along a cosine, and the rows of a batch.

    batch : None for all rows. gain : of the first weights, normal of variance gain^2 / inputs of the unit.
    """

    optimiser: Literal["adam", "sgd"] = "adam"
    step: float = 0.05
    batch: int | None = None
    gain: float = 1.0


def descend(
    parameters: list[Tensor], method: Method, objective: Callable[[], Tensor], done: Callable[[int], float]
) -> Iterator[int]:
    """Gradient steps on ``objective()``, which may draw a batch; before each, and at the end, yields how many there
    were. ``done(steps)`` is the share of the training that is over: where it is 1 the step size is zero."""
    import torch

    kind = {"adam": torch.optim.Adam, "sgd": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9)}[method.optimiser]
    optimiser, steps = kind(parameters, lr=method.step), 0
    while True:
        yield steps
        share = done(steps)
        if share >= 1:
            return
        for group in optimiser.param_groups:
            group["lr"] = method.step * 0.5 * (1 + math.cos(math.pi * share))
        optimiser.zero_grad()
        objective().backward()
        optimiser.step()
        steps += 1

"""The modules that torch.nn lacks: gates, signs, and parallel branches. Importing this file imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import torch
from torch import Tensor, nn


@final
class Gated(nn.Module):  # type: ignore[misc]
    """``value(x) * 1[gate(x) >= 0]``; the gate has no gradient."""

    def __init__(self, value: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.value, self.gate = value, gate

    def forward(self, x: Tensor) -> Tensor:
        return self.value(x) * (self.gate(x) >= 0)


@final
class Sign(nn.Module):  # type: ignore[misc]
    """+1 where ``x >= 0`` and -1 elsewhere, where torch.sign has 0 at 0; nan stays nan. It has no gradient."""

    def forward(self, x: Tensor) -> Tensor:
        one = torch.ones_like(x)
        return torch.where(x >= 0, one, torch.where(x < 0, -one, x))


@final
class Branches(nn.Module):  # type: ignore[misc]
    """(n, n_outputs): the sum of the branches' outputs."""

    def __init__(self, branches: Iterable[nn.Module], n_outputs: int) -> None:
        super().__init__()
        self.branches, self.n_outputs = nn.ModuleList(branches), n_outputs

    def forward(self, x: Tensor) -> Tensor:
        total = x.new_zeros((x.shape[0], self.n_outputs))
        for branch in self.branches:
            total = total + branch(x)
        return total

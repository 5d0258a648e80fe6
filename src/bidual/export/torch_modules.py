"""The modules that torch.nn lacks: gates, signs, images, sums, parallel branches. Importing this file imports torch."""

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
class PathValues(nn.Module):  # type: ignore[misc]
    """(n, m): the least pre-activation along each path through ReLU branches, as :class:`~bidual.gates.GateNetwork`.

    ``branches`` are lists of linear layers, ``paths`` (q, m) a branch and one unit of each of its layers.
    """

    def __init__(self, branches: Iterable[Iterable[nn.Module]], paths: Tensor) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.ModuleList(branch) for branch in branches)
        self.register_buffer("paths", paths)

    def forward(self, x: Tensor) -> Tensor:
        least = x.new_full((x.shape[0], self.paths.shape[1]), torch.inf)
        for k, branch in enumerate(self.branches):
            own = torch.nonzero(self.paths[0] == k)[:, 0]
            h, values = x, least[:, own]
            for linear, units in zip(branch, self.paths[1:, own], strict=True):
                z = linear(h)
                values, h = torch.minimum(values, z[:, units]), torch.relu(z)
            least = least.index_copy(1, own, values)
        return least


@final
class Sign(nn.Module):  # type: ignore[misc]
    """+1 where ``x >= 0`` and -1 elsewhere, where torch.sign has 0 at 0; nan stays nan. It has no gradient."""

    def forward(self, x: Tensor) -> Tensor:
        one = torch.ones_like(x)
        return torch.where(x >= 0, one, torch.where(x < 0, -one, x))


@final
class Images(nn.Module):  # type: ignore[misc]
    """(n, channels, height, width), as nn.Conv2d wants them, from rows (n, d) that are images of ``shape`` in C order,
    with the channels, if there are any, on the last axis."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], *self.shape[:2], -1).permute(0, 3, 1, 2)


@final
class Pooling(nn.Module):  # type: ignore[misc]
    """(n, m): the ``"mean"`` or the ``"sum"`` over all places of (n, m, height, width)."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)) if self.kind == "mean" else x.sum((2, 3))


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

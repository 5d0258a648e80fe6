"""Parallel sub-networks of three layers in PyTorch: of ReLU units, and of units with fixed gates."""

from __future__ import annotations

import math
from typing import Protocol, final

from bidual.experiments.descent import Tensor
from bidual.gates import GateNetwork


class Trainable(Protocol):
    """Several networks side by side, and what is trained of them."""

    parameters: list[Tensor]

    def __call__(self, X: Tensor) -> Tensor:
        """(runs, n, c): outputs at the rows of X (n, d)."""

    def size(self) -> Tensor:
        """(runs,): what ``beta`` is the price of."""


def objective(networks: Trainable, X: Tensor, Y: Tensor, beta: float, scale: float = 1.0) -> Tensor:
    """(runs,): ``scale / 2 ||f(X) - Y||^2 + beta size``."""
    return scale * (networks(X) - Y).square().sum(dim=(1, 2)) / 2 + beta * networks.size()


@final
class Subnetworks:
    """``runs`` networks ``f(x) = sum_k ((x'W_1k)_+ w_2k)_+ w_3k'`` of K sub-networks, W_1k (d, m), drawn by a seed.

    The first weights are normal of variance 1 / inputs of the unit. The size is ``sum_k ||W_1k||_F ||w_2k||
    ||w_3k||_1``, the least ``1/2 sum_k (||w_2k||^2 + ||w_3k||_1^2)`` with ``||W_1k||_F <= 1`` over rescaled layers.
    """

    def __init__(self, d: int, m: int, K: int, c: int, *, runs: int = 1, dtype: str = "float64", device: str = "cpu"):
        self.shape = (runs, K, m)
        self.parameters = _drawn([(d, (runs, d, K * m)), (m, (runs, K, m)), (K, (runs, K, c))], dtype, device)

    def __call__(self, X: Tensor) -> Tensor:
        (runs, K, m), (W, w, out) = self.shape, self.parameters
        H = (X @ W).relu().reshape(runs, -1, K, m)
        return (H * w[:, None]).sum(dim=3).relu() @ out

    def size(self) -> Tensor:
        (runs, K, m), (W, w, out) = self.shape, self.parameters
        first = W.reshape(runs, -1, K, m).square().sum(dim=(1, 3)).sqrt()
        return (first * w.norm(dim=2) * out.abs().sum(dim=2)).sum(dim=1)


@final
class GatedSubnetworks:
    """One network ``f_i(x) = sum_k d_2k(x) (D_1k(x) * x'W_1ki) w_2ki w_3ki`` of a copy of each branch for each output,
    where ``gates`` of one hidden layer say where the units of both layers are open: those of
    :class:`bidual.architectures.ParallelGated`. Sizes and first weights are those of :class:`Subnetworks`.
    """

    def __init__(self, gates: GateNetwork, c: int, *, dtype: str = "float64", device: str = "cpu"):
        import torch

        first, second = gates.weights
        K, d, m = first.shape
        self.shape = (K, m, c)
        self.parameters = _drawn([(d, (d, K * m * c)), (m, (K, m, c)), (K, (K, c))], dtype, device)
        given = (first.transpose(1, 0, 2).reshape(d, K * m), second[:, :, 0])
        self.gates = [torch.tensor(weights).to(self.parameters[0]) for weights in given]

    def __call__(self, X: Tensor) -> Tensor:
        (K, m, c), (W, w, out), (first, second) = self.shape, self.parameters, self.gates
        G = (X @ first).reshape(-1, K, m)
        opened = (G.relu() * second).sum(dim=2) >= 0
        H = (X @ W).reshape(-1, K, m, c) * (G >= 0)[..., None]
        return ((H * w).sum(dim=2) * opened[..., None] * out).sum(dim=1)[None]

    def size(self) -> Tensor:
        (K, m, c), (W, w, out) = self.shape, self.parameters
        first = W.reshape(-1, K, m, c).square().sum(dim=(0, 2)).sqrt()
        return (first * w.norm(dim=1) * out.abs()).sum()[None]


def _drawn(shapes: list[tuple[int, tuple[int, ...]]], dtype: str, device: str) -> list[Tensor]:
    """Normal weights, for each the inputs of a unit and the shape."""
    import torch

    generator = torch.Generator().manual_seed(0)
    drawn = (torch.randn(s, generator=generator, dtype=torch.float64) / math.sqrt(inputs) for inputs, s in shapes)
    return [weights.to(device, getattr(torch, dtype)).requires_grad_() for weights in drawn]

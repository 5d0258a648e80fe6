"""Deep networks trained by PyTorch, several runs side by side: what closed forms are compared with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, final

import numpy as np

from bidual.experiments.descent import Method, Tensor, descend
from bidual.theorems import DeepProblem
from bidual.typing import Matrix, Rows


@final
@dataclass(frozen=True, eq=False)
class Trained:
    """What was seen at the steps ``at``: objectives (steps, runs), outputs on other rows (steps, runs, k, c), and the
    weights W_1, ..., W_L, with the branches of inner layers side by side.
    """

    at: list[int]
    objectives: Matrix
    outputs: Matrix
    weights: list[Matrix]

    def best(self) -> list[Matrix]:
        """The weights (steps, a, b) of the run that ends lowest, where there is one branch."""
        run = int(np.argmin(self.objectives[-1]))
        return [W[:, run].reshape(len(self.at), *W.shape[-2:]) for W in self.weights]


@final
class Chain:
    """``runs`` networks of ``branches`` chains of hidden widths ``sizes`` each, drawn by a seed.

    Twin of ``DeepProblem.objective``: with batch normalisation the first layer is normalised over the rows, and gamma
    and alpha are paid for in its place.
    """

    def __init__(
        self, problem: DeepProblem, sizes: tuple[int, ...], branches: int, runs: int, gain: float, dtype: str
    ) -> None:
        import torch

        self.problem, self.branches, self.runs = problem, branches, runs
        generator = torch.Generator().manual_seed(0)

        def normal(inputs: int, *shape: int) -> Tensor:
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64) * gain / math.sqrt(inputs)
            return drawn.to(getattr(torch, dtype)).requires_grad_()

        d, first, last = problem.X.shape[1], branches * sizes[0], branches * sizes[-1]
        inner = [normal(a, runs, branches, a, b) for a, b in pairwise(sizes)]
        self.weights = [normal(d, runs, d, first), *inner, normal(sizes[-1], runs, last, problem.n_outputs)]
        self.scales = [normal(sizes[0], runs, 1, first) for _ in range(2 * problem.batch_norm)]

    @property
    def parameters(self) -> list[Tensor]:
        """All that is trained."""
        return [*self.weights, *self.scales]

    def __call__(self, X: Tensor, rows: Tensor) -> Tensor:
        """(runs, k, c): outputs for rows; X are those that batch normalisation takes means and norms of."""
        H, k = self._activated(self._first(X, rows)), rows.shape[0]
        for W in self.weights[1:-1]:
            H = H.reshape(self.runs, k, self.branches, W.shape[2]).transpose(1, 2)
            H = self._activated(H @ W).transpose(1, 2)
        return H.reshape(self.runs, k, self.weights[-1].shape[1]) @ self.weights[-1]

    def _activated(self, Z: Tensor) -> Tensor:
        return Z.relu() if self.problem.activation == "relu" else Z

    def _first(self, X: Tensor, rows: Tensor) -> Tensor:
        Z = rows @ self.weights[0]
        if not self.problem.batch_norm:
            return Z
        over = Z if rows is X else X @ self.weights[0]
        mean = over.mean(dim=1, keepdim=True)
        gamma, alpha = self.scales
        return gamma * (Z - mean) / (over - mean).norm(dim=1, keepdim=True) + alpha / math.sqrt(X.shape[0])

    def squares(self) -> list[Tensor]:
        """``||W_l||^2`` of each layer, (runs,)."""
        layers = [[W] for W in self.weights]
        layers[0] = self.scales or layers[0]
        return [sum((W**2).flatten(1).sum(dim=1) for W in layer) for layer in layers]

    def objective(self, X: Tensor, Y: Tensor, batch: Tensor | None = None) -> Tensor:
        """(runs,): with a batch of rows, the loss on these is scaled up."""
        rows, targets = (X, Y) if batch is None else (X[batch], Y[batch])
        loss = ((self(X, rows) - targets) ** 2).sum(dim=(1, 2)) / 2
        return loss * (X.shape[0] / rows.shape[0]) + self.problem.beta / 2 * sum(self.squares())


def train(
    problem: DeepProblem,
    sizes: tuple[int, ...],
    method: Method,
    *,
    branches: int = 1,
    runs: int = 20,
    steps: int = 1000,
    shown: Iterable[int] = (),
    rows: Rows | None = None,
    dtype: Literal["float32", "float64"] = "float64",
) -> Trained:
    """Minimise the objective of a problem with weight decay; the first weights are drawn by fixed seeds.

    shown : the steps to keep besides the first and the last. rows : other rows, whose outputs are kept.
    """
    import torch

    X, Y, others = (
        torch.tensor(values).to(getattr(torch, dtype))
        for values in (problem.X, problem.Y, problem.X[:0] if rows is None else rows)
    )
    draws = torch.Generator().manual_seed(1)
    chain = Chain(problem, sizes, branches, runs, method.gain, dtype)
    n, at, seen = X.shape[0], sorted({0, steps, *map(int, shown)}), []

    def objective() -> Tensor:
        batch = None if method.batch is None else torch.randperm(n, generator=draws)[: method.batch]
        return chain.objective(X, Y, batch).sum()

    for step in descend(chain.parameters, method, objective, lambda step: step / steps):
        if step in at:
            seen.append(_look(chain, X, Y, others))
    objectives, outputs, *weights = (np.stack(each) for each in zip(*seen, strict=True))
    return Trained(at, objectives, outputs, weights)


def _look(chain: Chain, X: Tensor, Y: Tensor, others: Tensor) -> list[Matrix]:
    import torch

    with torch.no_grad():
        found = chain.objective(X, Y), chain(X, others), *chain.weights
    return [each.detach().double().numpy().copy() for each in found]

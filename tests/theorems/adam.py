"""Full-batch Adam from many random starts at once: what closed forms are compared with."""

from __future__ import annotations

import math
from itertools import pairwise

import torch

from bidual.theorems import DeepProblem


def adam(problem: DeepProblem, sizes: tuple[int, ...], branches: int = 1, steps: int = 1000, runs: int = 20) -> float:
    """The best objective of ``runs`` networks of hidden widths ``sizes``, each of that many branches.

    Twin of ``DeepProblem.objective``, written again: batch normalisation normalises, and pays gamma and alpha.
    """
    torch.manual_seed(0)
    X, Y = torch.tensor(problem.X), torch.tensor(problem.Y)
    n, d = X.shape
    widths = (d, *sizes, problem.n_outputs)
    weights = [torch.randn(runs, branches, a, b, dtype=torch.float64) / a**0.5 for a, b in pairwise(widths)]
    scale = [torch.randn(runs, branches, 1, sizes[0], dtype=torch.float64) for _ in range(2 * problem.batch_norm)]
    trained = [w.requires_grad_() for w in (*weights, *scale)]
    optimiser = torch.optim.Adam(trained, lr=0.06)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    objective = torch.zeros(runs)
    for _ in range(steps):
        H = X @ weights[0]
        if problem.batch_norm:
            H = H - H.mean(dim=-2, keepdim=True)
            H = scale[0] * H / H.norm(dim=-2, keepdim=True) + scale[1] / math.sqrt(n)
        for w in weights[1:]:
            H = (torch.relu(H) if problem.activation == "relu" else H) @ w
        squares = [(w**2).sum(dim=(-2, -1)) for w in (*weights[problem.batch_norm :], *scale)]
        if problem.batch_norm:
            squares = [*squares[:-2], squares[-2] + squares[-1]]
        power = 2 if problem.regularizer == "weight_decay" else problem.n_layers
        price = sum((s ** (power / 2)).sum(dim=-1) for s in squares) / power
        objective = 0.5 * ((H.sum(dim=1) - Y) ** 2).sum(dim=(-2, -1)) + problem.beta * price
        optimiser.zero_grad()
        objective.sum().backward()
        optimiser.step()
        schedule.step()
    return float(objective.detach().min())

"""Many gradient runs on a toy at once."""

from __future__ import annotations

import numpy as np

from bidual.experiments.descent import Method, Tensor, descend
from bidual.experiments.three_layer2021.subnetworks import Subnetworks, objective
from bidual.experiments.three_layer2021.toys import Toy
from bidual.typing import Matrix, Vector


def toy_runs(toy: Toy, m: int, K: int, method: Method, runs: int, steps: int, looks: int) -> tuple[list[int], Matrix]:
    """The steps looked at, from the first to the last, and how far the objectives (looks, runs) of K sub-networks of
    width m are above the three-layer optimum, relatively; at most 1e300."""
    import torch

    X, Y = torch.tensor(toy.X), torch.tensor(toy.y)[:, None]
    networks = Subnetworks(toy.X.shape[1], m, K, 1, runs=runs)
    at = np.linspace(0, steps, looks).astype(int).tolist()
    seen: list[Vector] = []

    def value() -> Tensor:
        return objective(networks, X, Y, toy.beta)

    for step in descend(networks.parameters, method, lambda: value().sum(), lambda step: step / steps):
        if step in at:
            with torch.no_grad():
                seen.append(value().numpy().copy())
    excess = np.array(seen) / toy.three_layers.certificate.primal - 1.0
    return at, np.nan_to_num(excess, nan=1e300, posinf=1e300)

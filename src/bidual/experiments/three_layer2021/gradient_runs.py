"""Sub-networks trained on images by gradient steps on batches, for a given time."""

from __future__ import annotations

import numpy as np

from bidual.experiments.base import Data
from bidual.experiments.descent import Method, Tensor, descend
from bidual.experiments.three_layer2021.image_rows import ImageRows
from bidual.experiments.three_layer2021.stopwatch import Stopwatch
from bidual.experiments.three_layer2021.subnetworks import Trainable, objective
from bidual.typing import Outputs, Rows

LOOKS = 12
BLOCK = 1000
"""Rows whose outputs are computed at a time."""


def train_for(
    rows: ImageRows, networks: Trainable, method: Method, beta: float, seconds: float, looks: int = LOOKS
) -> Data:
    """Objective on all rows and test accuracy at ``looks`` times, spread evenly up to the end, which cost nothing.

    Steps are those on the objective divided by the number of rows.
    """
    import torch

    X, Y = (torch.tensor(values).to(networks.parameters[0]) for values in (rows.X, rows.Y))
    n, draws, watch = X.shape[0], torch.Generator().manual_seed(1), Stopwatch(X.device.type)
    found: Data = {"seconds": [], "objective": [], "accuracy": []}

    def on_batch() -> Tensor:
        batch = torch.randint(n, (method.batch or n,), generator=draws)
        return objective(networks, X[batch], Y[batch], beta, n / len(batch)).sum() / n

    def done(steps: int) -> float:
        if X.is_cuda:
            torch.cuda.synchronize()
        return watch.seconds / seconds

    def look() -> None:
        with watch.paused(), torch.no_grad():
            loss = 0.5 * float(np.sum((outputs(networks, rows.X) - rows.Y) ** 2))
            found["seconds"].append(watch.seconds)
            found["objective"].append(_finite(loss + beta * float(networks.size())))
            found["accuracy"].append(rows.accuracy(outputs(networks, rows.test_X)))

    times = iter([*np.linspace(0.0, seconds, looks)[:-1], np.inf])
    following = next(times)
    for found["steps"] in descend(networks.parameters, method, on_batch, done):
        if watch.seconds >= following:
            look()
            following = next(times)
    look()
    primal, accuracy, spent = (found[key][-1] for key in ("objective", "accuracy", "seconds"))
    return {**found, "primal": primal, "final_accuracy": accuracy, "spent": spent}


def outputs(networks: Trainable, X: Rows) -> Outputs:
    """(n, c): of the first of the networks."""
    import torch

    with torch.no_grad():
        blocks = (torch.tensor(X[i : i + BLOCK]).to(networks.parameters[0]) for i in range(0, len(X), BLOCK))
        return np.concatenate([networks(block)[0].double().cpu().numpy() for block in blocks])


def _finite(value: float) -> float:
    """The value; the largest there is for one that has overflowed."""
    return float(np.nan_to_num(value, nan=1e300, posinf=1e300))

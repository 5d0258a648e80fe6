"""SGD and Adam on images, on the objectives of the convex programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bidual.architectures import ParallelReLU3
from bidual.certificate import norm_point
from bidual.experiments.base import Data
from bidual.experiments.descent import Method
from bidual.experiments.three_layer2021.gradient_runs import LOOKS, outputs, train_for
from bidual.experiments.three_layer2021.image_rows import CLASSES, ImageRows, posed
from bidual.experiments.three_layer2021.subnetworks import GatedSubnetworks, Subnetworks, Trainable
from bidual.gates import GateNetwork

RATES: dict[Literal["sgd", "adam"], tuple[float, ...]] = {"sgd": (3.0, 1.0, 0.3), "adam": (3e-2, 1e-2, 3e-3)}


@dataclass(frozen=True)
class Extent:
    """K branches of m units, as many gates for two layers, gates of filters, the rows of a batch, and the seconds that
    each method has, and each step size tried."""

    branches: int = 40
    width: int = 100
    filters: int = 200
    batch: int = 200
    seconds: float = 150.0
    trial: float = 6.0


QUICK = Extent(4, 5, 10, 50, 2.0, 0.5)
FULL = Extent(batch=1000, seconds=3600.0, trial=120.0)


def trained(
    rows: ImageRows,
    optimiser: Literal["sgd", "adam"],
    gates: GateNetwork | None,
    beta: float,
    extent: Extent,
    device: str,
) -> Data:
    """The step size that ends lowest after a short trial, then the whole time; the next one if that diverges and ends
    higher than the trial did. ReLU networks with a global bound."""
    d, K, m = rows.X.shape[1], extent.branches, extent.width

    def run(rate: float, seconds: float, looks: int) -> tuple[Data, Trainable]:
        networks: Trainable = (
            Subnetworks(d, m, K, CLASSES, dtype="float32", device=device)
            if gates is None
            else GatedSubnetworks(gates, CLASSES, dtype="float32", device=device)
        )
        return train_for(rows, networks, Method(optimiser, rate, extent.batch), beta, seconds, looks), networks

    trials = {rate: run(rate, extent.trial, 1)[0]["primal"] for rate in RATES[optimiser]}
    ended: list[tuple[Data, Trainable, float]] = []
    for rate in sorted(trials, key=trials.__getitem__):
        ended.append((*run(rate, extent.seconds, LOOKS), rate))
        if ended[-1][0]["primal"] <= trials[rate]:
            break
    found, networks, rate = min(ended, key=lambda run: run[0]["primal"])
    found |= {"rate": rate, "neurons": K * (m + 1) * (1 if gates is None else CLASSES)}
    if gates is None:
        problem = posed(rows, ParallelReLU3(bias="none"), beta)
        point = norm_point(problem, problem.dual_vector(outputs(networks, rows.X)))
        found |= {"dual": point.value(problem), "scope": point.bound.scope}
    return found

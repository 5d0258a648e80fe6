"""Where the units of a network stand in a drawing: columns of layers, lanes of parallel branches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.network import Network
from bidual.typing import Matrix, Vector

WIDEST = 0.18
"""The largest distance between two units, as a share of the height."""
LANE = 0.86
"""Share of a lane's height that its units may use."""


@dataclass(frozen=True)
class Column:
    """The units of one layer in one lane.

    shown : (k,) the units drawn; y : (k,) their heights, downward; rest : how many are left out; rest_y : the height of
    the dots that say so; spacing : the distance between two units.
    """

    x: int
    shown: NDArray[np.intp]
    y: Vector
    rest: int
    rest_y: float
    spacing: float


@dataclass(frozen=True)
class Edges:
    """(k, l): the weights between the drawn units of two columns; ``layer`` is None for the sum of the branches."""

    left: Column
    right: Column
    weights: Matrix
    layer: int | None


@dataclass(frozen=True)
class Layout:
    """The columns, the first that of the inputs and the last that of the outputs, in a box of height 1.

    rest_lanes : how many branches are left out; rest_y : the height of the dots that say so.
    """

    columns: list[Column]
    edges: list[Edges]
    rest_lanes: int
    rest_y: float


def lay_out(network: Network, max_units: int, max_branches: int) -> Layout:
    """At most ``max_units`` units on top of each other: those of the largest weights, in their order.

    Branches share the inputs on the left, and the sum of their outputs on the right.
    """
    weights = [layer.weight if layer.weight.ndim == 3 else layer.weight[None] for layer in network.layers]
    branches = weights[0].shape[0]
    sizes = np.prod([np.linalg.norm(W, axis=(1, 2)) for W in weights], axis=0)
    kept = max_branches if branches <= max_branches else max_branches - 1
    lanes = np.sort(np.argsort(-sizes, kind="stable")[:kept])
    height = 1.0 / max(1, min(branches, max_branches))
    limit = max(2, max_units // max(1, min(branches, max_branches)))
    inputs = _column(0, np.sqrt((weights[0] ** 2).sum(axis=(0, 2))), max_units, 0.5, 1.0)
    columns, edges, ends = [inputs], [], []
    for k, b in enumerate(lanes):
        left, box = inputs, ((k + 0.5) * height, height * (LANE if branches > 1 else 1.0))
        for i, W in enumerate(weights):
            into, out = np.linalg.norm(W[b], axis=0), np.ones(W.shape[2])
            if i + 1 < len(weights):
                out = np.linalg.norm(weights[i + 1][b], axis=1)
            right = _column(i + 1, into * out, limit if network.n_branches is not None else max_units, *box)
            edges.append(Edges(left, right, W[b][np.ix_(left.shown, right.shown)], i))
            columns.append(right)
            left = right
        ends.append(left)
    if network.n_branches is not None:
        outputs = _column(len(weights) + 1, np.ones(network.n_outputs), max_units, 0.5, 1.0)
        columns.append(outputs)
        edges += [Edges(end, outputs, 1.0 * (end.shown[:, None] == outputs.shown), None) for end in ends]
    return Layout(columns, edges, branches - lanes.size, 1.0 - height / 2)


def _column(x: int, scores: Vector, limit: int, middle: float, height: float) -> Column:
    """The best units, all of them if they are at most ``limit``, and room for the dots if not."""
    count = scores.size if scores.size <= limit else limit - 1
    shown = np.sort(np.argsort(-scores, kind="stable")[:count])
    slots = min(scores.size, limit)
    spacing = min(height / max(slots, 1), WIDEST)
    y: Vector = np.asarray(middle + spacing * (np.arange(slots) - (slots - 1) / 2), dtype=np.float64)
    return Column(x, shown, y[:count], scores.size - count, float(y[-1]) if slots else middle, spacing)

"""Fewer neurons, same network on the data: merging and the simplex."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from bidual.architectures import Neurons
from bidual.architectures.neurons import as_networks
from bidual.architectures.parallel_relu3 import sub_network
from bidual.architectures.pieces import linear_pieces
from bidual.problem import Problem
from bidual.typing import Matrix, Vector


def merge(problem: Problem, neurons: Neurons, t: Vector) -> tuple[Neurons, Vector]:
    """Add up neurons with the same activation pattern, inputs and outputs; drop those of amplitude 0.

    On their pattern they are linear, so predictions on the data stay as they are, and the size cannot grow (triangle
    inequality). Two neurons are taken to share a pattern if they are active on exactly the same rows.
    """
    architecture = linear_pieces(problem.architecture)
    neurons, t = neurons.take(t > 0), t[t > 0]
    active = np.vstack(
        [architecture.slopes(problem.lifted, neurons) == 1.0, problem.architecture.support(neurons.inputs)]
    )
    groups: dict[bytes, list[int]] = {}
    for j in range(len(neurons)):
        key = np.packbits(active[:, j]).tobytes() + np.round(neurons.outputs[:, j], 12).tobytes()
        groups.setdefault(key, []).append(j)
    first = np.array([members[0] for members in groups.values()], dtype=np.intp)
    W = np.array([neurons.inputs[:, g] @ t[g] for g in groups.values()]).reshape(first.size, neurons.inputs.shape[0]).T
    size = architecture.input_norm(W)
    keep = size > 0
    merged = neurons.take(first[keep])
    return Neurons(W[:, keep] / size[keep], merged.outputs, merged.gates), size[keep]


def prune(problem: Problem, neurons: Neurons, t: Vector) -> tuple[Neurons, Vector]:
    """At most n c neurons with the same predictions on the data and no larger size (Caratheodory).

    ``min sum x  s.t.  sum_j x_j activation_j a_j' = F, x >= 0`` by the simplex method, whose vertices have no more
    nonzeros than equations. Returns the input if the program cannot be solved to its precision.
    """
    H = problem.architecture.activations(problem.lifted, neurons)
    columns = np.einsum("nm,cm->ncm", H, neurons.outputs).reshape(problem.Y.size, len(neurons))
    found = linprog(np.ones(t.size), A_eq=columns, b_eq=columns @ t, method="highs-ds")
    if found.status != 0:
        return neurons, t
    x = np.maximum(found.x, 0.0)
    residual = np.abs(columns @ (x - t)).max(initial=0.0)
    if residual > 1e-7 * np.abs(columns @ t).max(initial=1e-300) or x.sum() > t.sum() * (1 + 1e-9):
        return neurons, t
    kept = x > 1e-12 * x.max(initial=0.0)
    return neurons.take(kept), x[kept]


def narrow(problem: Problem, neurons: Neurons, t: Vector) -> tuple[Neurons, Vector]:
    """Sub-networks of at most n first-layer units each, with the same predictions on the data and no larger size."""
    narrowed, sizes = neurons.take(np.zeros(0, dtype=np.intp)), np.zeros(len(neurons))
    for j in range(len(neurons)):
        units = as_networks(neurons.inputs)[..., j]
        flat = units.reshape(units.shape[0], -1)
        signs, lengths = np.repeat([1.0, -1.0], units.shape[2]), np.linalg.norm(flat, axis=0)
        x = fewer(signs * np.maximum(problem.lifted @ flat, 0.0), (lengths > 0).astype(float), lengths)
        one = sub_network((flat * x).reshape(units.shape).transpose(1, 2, 0), neurons.outputs[:, j])
        assert one is not None
        narrowed, sizes[j] = narrowed.join(one), x @ lengths
    return narrowed, t * sizes


def fewer(columns: Matrix, x: Vector, costs: Vector) -> Vector:
    """x' >= 0 with no more nonzeros than columns (N, m) has rows, ``columns x' = columns x`` and no larger cost.

    While there are more, a combination of columns that is 0 is taken away, in the cheaper direction, until one entry of
    x is 0 (Caratheodory 1911).
    """
    x = x.copy()
    while np.count_nonzero(x) > columns.shape[0]:
        some = np.flatnonzero(x)
        some = some[np.argsort(x[some] * costs[some])][: columns.shape[0] + 1]
        d = np.linalg.svd(columns[:, some])[2][-1]
        d = -d if costs[some] @ d > 0 or (d >= 0).all() else d
        steps = np.where(d < 0, x[some] / np.where(d < 0, -d, 1.0), np.inf)
        x[some] = np.maximum(x[some] + steps.min() * d, 0.0)
        x[some[np.argmin(steps)]] = 0.0
    return x

"""Fewer neurons, same network on the data: merging and the simplex."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from bidual.architectures import Neurons
from bidual.architectures.pieces import linear_pieces
from bidual.problem import Problem
from bidual.typing import Vector


def merge(problem: Problem, neurons: Neurons, t: Vector) -> tuple[Neurons, Vector]:
    """Add up neurons with the same activation pattern and the same outputs; drop those of amplitude 0.

    On their pattern they are linear, so predictions on the data stay as they are, and the size cannot grow (triangle
    inequality). Two neurons are taken to share a pattern if they are active on exactly the same rows.
    """
    architecture = linear_pieces(problem.architecture)
    neurons, t = neurons.take(t > 0), t[t > 0]
    active = architecture.slopes(problem.lifted, neurons) == 1.0
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

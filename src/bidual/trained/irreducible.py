"""Networks from which no neuron can be taken without changing what they predict on the data."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Neurons
from bidual.network import Network
from bidual.problem import Problem
from bidual.solvers.inner.master import solve_master
from bidual.solvers.prune import merge, prune
from bidual.typing import Matrix

DEPENDENT = 1e-9
"""Predictions of neurons whose smallest singular value is less than this, relative to the largest, are dependent."""


def reduced(problem: Problem, network: Network) -> Network:
    """The network with neurons merged and pruned until it is irreducible, its sizes and intercept re-solved; its
    objective is no larger, up to rounding."""
    neurons, t = problem.architecture.from_network(network)
    b, width = network.layers[-1].bias, len(neurons) + 1
    while len(neurons) < width:
        width = len(neurons)
        neurons, t = merge(problem, neurons, t)
        if not _independent(problem, neurons):
            neurons, t = prune(problem, neurons, t)
        solved = solve_master(problem, neurons, t, b)
        kept = solved.t > 0
        neurons, t, b = neurons.take(kept), solved.t[kept], solved.b
    return problem.architecture.to_network(neurons, t, b)


def is_irreducible(problem: Problem, network: Network) -> bool:
    """True if no two neurons share an activation pattern and the direction of their outputs (they could be merged), and
    their predictions on the data are linearly independent (so none can be replaced by others).

    No claim is made about other networks: to find the least width is NP-hard.
    """
    neurons, t = problem.architecture.from_network(network)
    merged, _ = merge(problem, neurons, t)
    return len(merged) == network.n_neurons and _independent(problem, neurons)


def _independent(problem: Problem, neurons: Neurons) -> bool:
    """Whether the neurons' predictions, each one vector of all rows and outputs, are linearly independent."""
    H = problem.architecture.activations(problem.lifted, neurons)
    columns: Matrix = np.einsum("nm,cm->ncm", H, neurons.outputs).reshape(problem.Y.size, len(neurons))
    lengths = np.linalg.norm(columns, axis=0)
    if len(neurons) > problem.Y.size or not lengths.all():
        return False
    sizes = np.linalg.svd(columns / lengths, compute_uv=False)
    return bool(sizes.min(initial=1.0) > DEPENDENT * sizes.max(initial=1.0))

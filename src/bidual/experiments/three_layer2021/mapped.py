"""From fixed gates to ReLU: the network of three layers that has the weights of a gated one."""

from __future__ import annotations

from typing import Any

import numpy as np

from bidual.architectures import ParallelGated, ParallelReLU3
from bidual.certificate import norm_point
from bidual.experiments.base import Data
from bidual.experiments.three_layer2021.image_rows import ImageRows, posed
from bidual.network import Layer, Network
from bidual.typing import Rows


def mapped(architecture: ParallelGated, network: Network, X: Rows) -> Network:
    """The ReLU network of the same units: a sub-network for each branch and output of a gated network of three layers.

    A gated unit may be negative where it is open, and a ReLU unit opens where it is positive. So each unit is given the
    sign that it has in the mean of the rows X where its own gate is open, which the second layer takes back, and each
    branch likewise. Where every unit is positive exactly where its gate is open, with that sign, and so is every
    branch, both networks agree on X; in general they do not.
    """
    neurons, t = architecture.from_network(network)
    assert neurons.gates is not None
    branch, unit = neurons.gates[:2]
    output = np.argmax(np.abs(neurons.outputs), axis=0)
    U = neurons.inputs * t * neurons.outputs[output, np.arange(len(neurons))]
    opened = X @ architecture.gates.weights[0][branch, :, unit].T >= 0
    own = _sign(np.einsum("nm,nm->m", X @ U, opened))
    passed = np.einsum("nm,nm->m", X @ U, architecture.slopes(X, neurons))
    groups = np.unique(np.stack([branch, output]), axis=1, return_inverse=True)[1]
    members = [np.flatnonzero(groups == g) for g in range(int(groups.max(initial=-1)) + 1)]
    members = members or [np.zeros(0, dtype=np.intp)]
    K, width, (p, c) = len(members), max(1, *(each.size for each in members)), (U.shape[0], neurons.outputs.shape[0])
    first, second, last = np.zeros((K, p, width)), np.zeros((K, width, 1)), np.zeros((K, 1, c))
    root = np.sqrt(t)
    for k, units in enumerate(members):
        whole = _sign(passed[units].sum())
        first[k, :, : units.size] = U[:, units] * own[units] / root[units]
        second[k, : units.size, 0] = own[units] * whole * root[units]
        last[k, 0, output[units[:1]]] = whole
    middle = Layer(second, np.zeros((K, 1)), "relu")
    return Network((Layer(first, np.zeros((K, width)), "relu"), middle, Layer(last, np.zeros((K, c)))))


def as_relu(rows: ImageRows, architecture: ParallelGated, network: Network, gated: Data, beta: float) -> Data:
    """What the mapped network is worth as a ReLU network, when the ``gated`` one was there."""
    relu, problem = mapped(architecture, network, rows.X), posed(rows, ParallelReLU3(bias="none"), beta)
    primal, accuracy, spent = problem.objective(relu), rows.accuracy(relu(rows.test_X)), gated["spent"]
    point = norm_point(problem, problem.dual_vector(relu(rows.X)))
    return {
        "seconds": [spent],
        "objective": [primal],
        "accuracy": [accuracy],
        "spent": spent,
        "primal": primal,
        "dual": point.value(problem),
        "scope": point.bound.scope,
        "neurons": relu.n_neurons,
        "final_accuracy": accuracy,
    }


def _sign(values: Any) -> Any:
    return np.where(values >= 0, 1.0, -1.0)

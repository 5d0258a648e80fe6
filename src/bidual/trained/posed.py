"""The objective as a problem of this library, whose networks cost what balanced layers cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from bidual.architectures import ReLU
from bidual.architectures.base import Bias
from bidual.errors import InvalidDataError, RefusedError
from bidual.network import Layer, Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.trained.charged import Charged
from bidual.trained.objective import Objective
from bidual.typing import Outputs, Rows


@final
@dataclass(frozen=True, eq=False)
class Posed:
    """A problem with the least value of the objective over all widths, and its networks in both forms.

    With ``u = (w, b sqrt(q/p))`` a neuron costs at least ``sqrt(p r) |u| |a|``, and exactly that once its layers are
    balanced. So a charged hidden bias is the weight of one more feature, ``sqrt(p/q)`` at every row. A charged output
    bias is what a network predicts at one more row, of zeros, whose squared loss of weight s and target 0 is the
    charge. (Huber's loss charges less beyond its delta: the problem's value is then below the objective's.)
    """

    objective: Objective
    problem: Problem

    @classmethod
    def of(cls, objective: Objective, network: Network, X: Rows, Y: Outputs) -> Posed:
        """The problem of these rows and of networks such as the given one."""
        refuse_other_networks(network)
        if X.shape[1] != network.n_inputs or Y.shape[1] != network.n_outputs:
            raise InvalidDataError(
                f"the network maps {network.n_inputs} features to {network.n_outputs} outputs, but X has "
                f"{X.shape[1]} columns and the targets {Y.shape[1]}"
            )
        loss, weights = objective.loss, objective.weights(X.shape[0])
        loss.check_targets(Y)
        if objective.hidden_bias:
            ones = np.full(X.shape[0], (objective.hidden / objective.hidden_bias) ** 0.5)
            X = np.column_stack([X, ones])
        if objective.output_bias:
            X, Y = (np.vstack([A, np.zeros((1, A.shape[1]))]) for A in (X, Y))
            weights = np.append(weights, objective.output_bias)
            loss = loss if loss.targets == "real" else Charged(loss)
        bias: Bias = "free" if objective.hidden_bias == 0 else "none"
        architecture = ReLU(network.layers[0].slope, bias, objective.outputs if Y.shape[1] > 1 else "separate")
        penalty = Strength(objective.beta)
        return cls(objective, Problem(X, Y, loss, architecture, penalty, weights, objective.output_bias is not None))

    def enter(self, network: Network) -> Network:
        """The network in the problem's form."""
        hidden, last = network.layers
        q, p = self.objective.hidden_bias, self.objective.hidden
        if not q:
            return network
        weight = np.vstack([hidden.weight, hidden.bias * (q / p) ** 0.5])
        return Network((replace(hidden, weight=weight, bias=np.zeros_like(hidden.bias)), last))

    def leave(self, network: Network) -> Network:
        """The network in the user's form, balanced so that its weights cost least."""
        architecture, objective = self.problem.architecture, self.objective
        neurons, t = architecture.from_network(network)
        tilt = (objective.output / objective.hidden) ** 0.25
        W, A = neurons.inputs * (np.sqrt(t) * tilt), neurons.outputs * (np.sqrt(t) / tilt)
        bias = np.zeros(len(neurons))
        if objective.hidden_bias is not None:
            unit = (objective.hidden / objective.hidden_bias) ** 0.5 if objective.hidden_bias else 1.0
            W, bias = W[:-1], W[-1] * unit
        hidden, last = network.layers
        return Network((Layer(W, bias, "relu", slope=hidden.slope), Layer(A.T, last.bias)))


def refuse_other_networks(network: Network) -> None:
    """RefusedError unless the network has one hidden layer of ReLU-like units."""
    if len(network.layers) != 2 or network.n_branches is not None:
        raise RefusedError(
            f"the network must have one hidden layer, got {network!r}: for more, no bound of the objective is known"
        )
    hidden, last = network.layers
    if hidden.activation != "relu" or last.activation != "linear":
        raise RefusedError(
            f"the network must have ReLU or leaky ReLU units and a linear output, got {hidden!r} and {last!r}"
        )
    if not -1.0 <= hidden.slope < 1.0:
        raise RefusedError(f"the slope of the units must lie in [-1, 1), got {hidden.slope:g}")

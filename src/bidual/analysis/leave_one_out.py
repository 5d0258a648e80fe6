"""The networks without each row, from the network with all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.analysis.local_response import LocalResponse
from bidual.architectures import Neurons
from bidual.architectures.pieces import PiecewiseLinear, linear_pieces
from bidual.errors import InvalidDataError, RefusedError
from bidual.network import Network
from bidual.problem import Problem
from bidual.typing import Matrix, Outputs, Rows, Vector

MOST_COORDINATES = 4000
"""The inverse of a larger matrix takes minutes."""


@final
@dataclass(frozen=True, eq=False)
class LeftOut:
    """k networks with the same units; network i is trained without (a share of) row ``rows[i]`` of the problem.

    weights : (k, p, m) input weights, intercepts : (k, c), units : the output weights and gates, rows : (k,).
    """

    problem: Problem
    units: Neurons
    weights: Matrix
    intercepts: Outputs
    rows: NDArray[np.intp]

    def own(self) -> Outputs:
        """(k, c): what each network predicts for the row that it was trained without."""
        X = self.problem.lifted[self.rows]
        return self._outputs(X, np.einsum("kp,kpm->km", X, self.weights), self.intercepts)

    def at(self, X: Rows) -> Matrix:
        """(n, k, c): what each network predicts for the rows of X (n, d)."""
        lifted = self.problem.architecture.lift(X)
        F = np.empty((len(lifted), len(self.rows), self.problem.n_outputs))
        for i, (W, b) in enumerate(zip(self.weights, self.intercepts, strict=True)):
            F[:, i] = self._outputs(lifted, lifted @ W, b)
        return F

    def _outputs(self, X: Rows, Z: Matrix, b: Outputs | Vector) -> Outputs:
        return (linear_pieces(self.problem.architecture).slopes(X, self.units, Z) * Z) @ self.units.outputs.T + b


def leave_one_out(
    problem: Problem,
    network: Network,
    rows: NDArray[np.intp] | None = None,
    shares: Vector | None = None,
    mean: bool = False,
) -> LeftOut:
    """The networks trained without each row, by one Newton step from the network trained with all.

    With ``H_ii`` the derivative of prediction i in target i, the step of the squared loss without a kink near is the
    textbook's ``r_i / (1 - H_ii)`` for the residual of the row that is left out.
    :class:`~bidual.analysis.local_response.LocalResponse` has what a step is at kinks. It finds no new neurons: exact
    where the network without the row has the same ones and no row changes its side, else an approximation.

    rows : (k,) which rows leave, all by default; shares : (k,) how much of their weight, all by default. ``mean`` : the
    weights of the other rows grow to the same total, as where the loss is a mean; else the loss is a sum.

    Raises RefusedError where :func:`refusal` does, InvalidDataError for a problem of one row.
    """
    sentence = refusal(problem, network)
    if sentence is not None:
        raise RefusedError(sentence)
    if problem.X.shape[0] < 2:
        raise InvalidDataError("X has one row (n_samples=1), and nothing is left without it; give at least two rows")
    rows = np.arange(problem.X.shape[0]) if rows is None else rows
    shares = np.ones(rows.size) if shares is None else shares
    response = LocalResponse(problem, network)
    gone = shares * problem.weights[rows] / problem.weights.sum() if mean else np.zeros(rows.size)
    moved = [response.without(i, s, g) for i, s, g in zip(rows, shares, gone, strict=True)]
    weights = np.array([W for W, _ in moved]).reshape(rows.size, *response.W.shape)
    return LeftOut(problem, response.units, weights, np.array([b for _, b in moved]), rows)


def refusal(problem: Problem, network: Network) -> str | None:
    """None, or why the response of the network to its rows is not known."""
    name, c = type(problem.architecture).__name__, problem.n_outputs
    if not problem.loss.smooth:
        return (
            f"loss {problem.loss.name!r} has kinks, so that a row pulls all or nothing; use a smooth loss "
            "(squared error, Huber, log loss, squared hinge), or refit"
        )
    if problem.architecture.patches is not None:
        return f"{name} units see patches, and their response to a row is not known; use units of whole rows, or refit"
    if not isinstance(problem.architecture.units, PiecewiseLinear):
        return f"{name} units do not scale with their weights, which one Newton step needs; use ReLU units, or refit"
    if problem.architecture.outputs == "shared" and c > 1:
        return f"outputs='shared' with {c} outputs lets output weights move; use outputs='separate', or refit"
    coordinates = int(problem.architecture.support(problem.architecture.from_network(network)[0].inputs).sum())
    if coordinates > MOST_COORDINATES:
        return (
            f"{network.n_neurons} neurons have {coordinates} weights, and inverting a Hessian of more than "
            f"{MOST_COORDINATES} rows takes minutes; use fewer neurons (a stronger penalty), or refit"
        )
    return None

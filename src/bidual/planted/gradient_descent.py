"""Gradient descent on the weights of several ReLU neurons: what the convex programs are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.network import Layer, Network
from bidual.planted.data import planted_data
from bidual.planted.objectives import OBJECTIVES, squared_loss
from bidual.typing import Matrix


@final
@dataclass(frozen=True, eq=False)
class Descent:
    """The last weights (d, m) of a descent, and the squared loss ``||sum_j (Ax_j)_+ - y||^2`` at the start and after
    every step, (steps + 1,), whatever the objective; with test data, that of the test data too. For problems side by
    side, each with a leading axis. Nothing is proven of any of it.
    """

    weights: Matrix
    losses: Matrix
    test_losses: Matrix | None

    @property
    def network(self) -> Network:
        """The neurons of one problem as a network, with output weights 1 and without biases."""
        if self.weights.ndim != 2:
            raise InvalidParameterError(f"weights of shape {self.weights.shape} are of several problems; choose one")
        m = self.weights.shape[1]
        return Network((Layer(self.weights, np.zeros(m), "relu"), Layer(np.ones((m, 1)), np.zeros(1))))


def gradient_descent(
    A: ArrayLike,
    y: ArrayLike,
    n_neurons: int = 1,
    method: str = "plain",
    *,
    steps: int = 2000,
    step: float | None = None,
    seed: int = 0,
    start: ArrayLike | None = None,
    test: tuple[ArrayLike, ArrayLike] | None = None,
) -> Descent:
    """Fit ``sum_j (Ax_j)_+`` to y >= 0 by steps of one size down the gradient of an objective.

    Parameters
    ----------
    A, y : (n, d) and (n,), or (k, n, d) and (k, n): k problems side by side
    method : the objective, a name in ``OBJECTIVES``: "plain" is the squared loss, "modified" the paper's modified
        gradient, "continuous" a repair of its objective. For one neuron the last two are the convex f_r that
        :func:`fit_planted_relu` minimises exactly. For more, none is convex and none proves anything
    step : the size of the steps, by default ``1 / (2 m ||A||^2)`` of each problem, m neurons: at fixed activation
        patterns the gradient's Lipschitz constant is no larger than its inverse
    seed, start : standard normal first weights by the seed, or the given ones, (d, m) for each problem
    test : rows and targets of the same kind, of which the loss is recorded too

    Raises
    ------
    InvalidDataError
        Shapes that do not fit, entries that are not finite, negative targets.
    InvalidParameterError
        A parameter outside its domain.

    Notes
    -----
    Ergen & Pilanci (2019), Convex optimization for shallow neural networks.
    """
    rows, targets = planted_data(A, y)
    shape = (*rows.shape[:-2], rows.shape[-1], n_neurons)
    _check(n_neurons, method, steps, step)
    held_out = None if test is None else planted_data(*test)
    if held_out is not None and (held_out[0].shape[:-2], held_out[0].shape[-1]) != (shape[:-2], shape[-2]):
        raise InvalidDataError(f"test rows of shape {held_out[0].shape} do not go with A of shape {rows.shape}")
    X = np.random.default_rng(seed).standard_normal(shape) if start is None else np.array(start, dtype=np.float64)
    if X.shape != shape or not np.isfinite(X).all():
        raise InvalidParameterError(f"start must hold finite weights of shape {shape}, got shape {X.shape}")
    sizes = 1.0 / _lipschitz(rows, n_neurons) if step is None else np.full(shape[:-2], float(step))
    objective = OBJECTIVES[method]
    losses = [squared_loss(rows @ X, targets)]
    test_losses = [] if held_out is None else [squared_loss(held_out[0] @ X, held_out[1])]
    for _ in range(steps):
        X = X - sizes[..., None, None] * objective.gradient(rows, targets, X)
        losses.append(squared_loss(rows @ X, targets))
        if held_out is not None:
            test_losses.append(squared_loss(held_out[0] @ X, held_out[1]))
    return Descent(X, np.stack(losses, axis=-1), np.stack(test_losses, axis=-1) if test_losses else None)


def _check(n_neurons: int, method: str, steps: int, step: float | None) -> None:
    if n_neurons < 1:
        raise InvalidParameterError(f"n_neurons must be at least 1, got {n_neurons!r}")
    if method not in OBJECTIVES:
        raise InvalidParameterError(f"method must be one of {[*OBJECTIVES]}, got {method!r}")
    if steps < 0:
        raise InvalidParameterError(f"steps must be at least 0, got {steps!r}")
    if step is not None and not 0.0 < step < np.inf:
        raise InvalidParameterError(f"step must be a positive number, got {step!r}; leave it out for a safe one")


def _lipschitz(A: Matrix, n_neurons: int) -> Matrix:
    """``2 m ||A||^2`` for each problem, 1 where A is zero."""
    norms = np.asarray(np.linalg.norm(A, 2, axis=(-2, -1)))
    return np.where(norms > 0.0, 2.0 * n_neurons * norms**2, 1.0)

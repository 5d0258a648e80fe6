"""Newton's method for all neurons at once, each inside the closure of its own cell."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Neurons
from bidual.architectures.pieces import linear_pieces
from bidual.problem import Problem
from bidual.solvers.inner.curvature import LocalModel, free_space, gates_itself, rows_on_kinks
from bidual.solvers.inner.master import Amplitudes
from bidual.typing import Masks, Matrix, Vector

WORK = 1500
"""The largest number of variables for which the dense Newton system is formed."""


def slide_in_cells(
    problem: Problem, neurons: Neurons, start: Amplitudes, steps: int = 15
) -> tuple[Neurons, Vector, Vector] | None:
    """Minimise the training objective over ``w_j = t_j u_j`` while no row crosses a neuron's hyperplane.

    There each neuron is linear on the data and ``|w_j|`` is smooth, so the objective is a smooth convex function; rows
    that lie on a hyperplane are kept there by eliminating them, and a row that is reached is added to them. Output
    weights stay as they are. None if the system would have more than ``WORK`` variables, or where units see patches.
    """
    architecture, Xl = linear_pieces(problem.architecture), problem.lifted
    support = problem.architecture.support(neurons.inputs)
    if not 0 < support.sum() <= WORK or problem.architecture.patches is not None:
        return None
    W, A, b = neurons.inputs * start.t, neurons.outputs, start.b
    slopes = architecture.slopes(Xl, neurons)
    on = rows_on_kinks(problem, neurons)
    moves = gates_itself(problem, neurons)
    f = _objective(problem, slopes, W, A, b, start.price)
    for _ in range(steps):
        direction, db, fall = _newton_direction(problem, slopes, on, support, W, A, b, start.price)
        if not fall > 1e-15 * max(abs(f), 1e-300):
            break
        longest, wall = _first_wall(Xl, W, direction, on) if moves else (1.0, None)
        step = longest
        while step > 1e-10:
            f_new = _objective(problem, slopes, W + step * direction, A, b + step * db, start.price)
            if f_new < f:
                break
            step *= 0.5
        else:
            break
        W, b, f = W + step * direction, b + step * db, f_new
        if wall is not None and step == longest:
            on[wall] = True
            normal = Xl[wall[0]] * support[:, wall[1]]
            W[:, wall[1]] -= normal * (normal @ W[:, wall[1]]) / np.linalg.norm(normal) ** 2
        if not architecture.input_norm(W).min() > 0:
            break
    t = architecture.input_norm(W)
    keep = t > 0
    return Neurons(W[:, keep] / t[keep], A[:, keep], neurons.take(keep).gates), t[keep], b


def _objective(problem: Problem, slopes: Matrix, W: Matrix, A: Matrix, b: Vector, price: float) -> float:
    F = (slopes * (problem.lifted @ W)) @ A.T + b
    return problem.loss_value(F) + price * float(problem.architecture.input_norm(W).sum())


def _newton_direction(
    problem: Problem, slopes: Matrix, on: Masks, support: Masks, W: Matrix, A: Matrix, b: Vector, price: float
) -> tuple[Matrix, Vector, float]:
    """(direction (p, m), its intercept part (c,), the decrease that the quadratic model promises)."""
    bases = [free_space(problem.lifted[held], inputs) for held, inputs in zip(on.T, support.T, strict=True)]
    model = LocalModel(problem, slopes, W, A, b, price, bases)
    G, g = model.hessian, model.gradient
    G[np.diag_indices(model.size)] += 1e-13 * np.trace(G) / max(model.size, 1)
    try:
        z = -np.asarray(np.linalg.solve(G, g), dtype=float)
    except np.linalg.LinAlgError:
        return np.zeros_like(W), np.zeros(A.shape[0]), 0.0
    return *model.move(z), float(-g @ z)


def _first_wall(Xl: Matrix, W: Matrix, direction: Matrix, on: Masks) -> tuple[float, tuple[int, int] | None]:
    """The longest step in (0, 1] before a row reaches a neuron's hyperplane, and which row and neuron, if any."""
    Z, D = Xl @ W, Xl @ direction
    approaching = ~on & (Z * D < 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(approaching, -Z / D, np.inf)
    place = np.unravel_index(int(np.argmin(ratios)), ratios.shape)
    step = float(ratios[place])
    return (step, (int(place[0]), int(place[1]))) if step < 1.0 else (1.0, None)

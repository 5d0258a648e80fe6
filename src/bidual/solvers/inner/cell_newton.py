"""Newton's method for all neurons at once, each inside the closure of its own cell."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Neurons
from bidual.architectures.pieces import linear_pieces
from bidual.problem import Problem
from bidual.solvers.inner.master import Amplitudes
from bidual.typing import Masks, Matrix, Vector

KINK = 1e-9
"""A row is on a neuron's hyperplane when its normalised distance is at most this."""

WORK = 1500
"""The largest number of variables for which the dense Newton system is formed."""


def slide_in_cells(
    problem: Problem, neurons: Neurons, start: Amplitudes, steps: int = 15
) -> tuple[Neurons, Vector, Vector] | None:
    """Minimise the training objective over ``w_j = t_j u_j`` while no row crosses a neuron's hyperplane.

    There each neuron is linear on the data and ``|w_j|`` is smooth, so the objective is a smooth convex function; rows
    that lie on a hyperplane are kept there by eliminating them, and a row that is reached is added to them. Output
    weights stay as they are. None if the system would have more than ``WORK`` variables.
    """
    architecture, Xl = linear_pieces(problem.architecture), problem.lifted
    if len(neurons) == 0 or len(neurons) * Xl.shape[1] > WORK:
        return None
    W, A, b = neurons.inputs * start.t, neurons.outputs, start.b
    slopes = architecture.slopes(Xl, neurons)
    moves = not np.array_equal(slopes, architecture.slopes(Xl, Neurons(-neurons.inputs, A, neurons.gates)))
    on = _on_hyperplane(Xl, W) if moves else np.zeros(slopes.shape, dtype=bool)
    lengths = np.linalg.norm(Xl, axis=1)
    f = _objective(problem, slopes, W, A, b, start.price)
    for _ in range(steps):
        direction, db, fall = _newton_direction(problem, slopes, on, W, A, b, start.price)
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
            W[:, wall[1]] -= Xl[wall[0]] * (Xl[wall[0]] @ W[:, wall[1]]) / lengths[wall[0]] ** 2
        if not architecture.input_norm(W).min() > 0:
            break
    t = architecture.input_norm(W)
    keep = t > 0
    return Neurons(W[:, keep] / t[keep], A[:, keep], neurons.take(keep).gates), t[keep], b


def _on_hyperplane(Xl: Matrix, W: Matrix) -> Masks:
    scale = np.linalg.norm(Xl, axis=1)[:, None] * np.linalg.norm(W, axis=0)
    return np.abs(Xl @ W) <= KINK * scale


def _objective(problem: Problem, slopes: Matrix, W: Matrix, A: Matrix, b: Vector, price: float) -> float:
    F = (slopes * (problem.lifted @ W)) @ A.T + b
    return problem.loss_value(F) + price * float(problem.architecture.input_norm(W).sum())


def _newton_direction(
    problem: Problem, slopes: Matrix, on: Masks, W: Matrix, A: Matrix, b: Vector, price: float
) -> tuple[Matrix, Vector, float]:
    """(direction (p, m), its intercept part (c,), the decrease that the quadratic model promises)."""
    architecture, Xl, (p, m), c = problem.architecture, problem.lifted, W.shape, problem.n_outputs
    F = (slopes * (Xl @ W)) @ A.T + b
    R = problem.loss.gradient(F, problem.Y, problem.weights)
    h, q = problem.loss.hessian(F, problem.Y, problem.weights)
    bases = [_null_space(Xl[on[:, j]], p) for j in range(m)]
    start = np.concatenate([[0], np.cumsum([B.shape[1] for B in bases])])
    size = start[-1] + (c if problem.intercept else 0)
    columns = np.hstack([(slopes[:, j : j + 1] * Xl) @ B for j, B in enumerate(bases)])
    owner = np.repeat(np.arange(m), np.diff(start))
    G, g = np.zeros((size, size)), np.zeros(size)
    coupled = None if q is None else np.zeros((Xl.shape[0], size))
    for k in range(c):
        mine = np.flatnonzero(A[k, owner] != 0)
        part = columns[:, mine] * A[k, owner[mine]]
        if problem.intercept:
            mine, part = np.append(mine, start[-1] + k), np.column_stack([part, np.ones(Xl.shape[0])])
        G[np.ix_(mine, mine)] += part.T @ (h[:, k : k + 1] * part)
        g[mine] += part.T @ R[:, k]
        if coupled is not None and q is not None:
            coupled[:, mine] += q[:, k : k + 1] * part
    if coupled is not None:
        G -= coupled.T @ coupled
    norms = architecture.input_norm(W)
    for j, B in enumerate(bases):
        block = slice(start[j], start[j + 1])
        inside = B[:-1] if architecture.bias == "free" else B
        unit = (W[:-1, j] if architecture.bias == "free" else W[:, j]) / norms[j]
        slope = inside.T @ unit
        g[block] += price * slope
        G[block, block] += price / norms[j] * (inside.T @ inside - np.outer(slope, slope))
    G[np.diag_indices(size)] += 1e-13 * np.trace(G) / max(size, 1)
    try:
        z = -np.linalg.solve(G, g)
    except np.linalg.LinAlgError:
        return np.zeros_like(W), np.zeros(c), 0.0
    direction = np.column_stack([B @ z[start[j] : start[j + 1]] for j, B in enumerate(bases)])
    return direction, z[start[-1] :] if problem.intercept else np.zeros(c), float(-g @ z)


def _null_space(rows: Matrix, p: int) -> Matrix:
    """(p, r): an orthonormal basis of the vectors orthogonal to all rows."""
    if rows.shape[0] == 0:
        return np.eye(p)
    _, s, Vt = np.linalg.svd(rows, full_matrices=True)
    rank = int((s > KINK * max(s[0], 1e-300)).sum())
    return Vt[rank:].T


def _first_wall(Xl: Matrix, W: Matrix, direction: Matrix, on: Masks) -> tuple[float, tuple[int, int] | None]:
    """The longest step in (0, 1] before a row reaches a neuron's hyperplane, and which row and neuron, if any."""
    Z, D = Xl @ W, Xl @ direction
    approaching = ~on & (Z * D < 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(approaching, -Z / D, np.inf)
    place = np.unravel_index(int(np.argmin(ratios)), ratios.shape)
    step = float(ratios[place])
    return (step, (int(place[0]), int(place[1]))) if step < 1.0 else (1.0, None)

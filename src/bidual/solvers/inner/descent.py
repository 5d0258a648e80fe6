"""Joint descent of all weights of a network: neurons slide to where the finite list would never put them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from bidual.architectures import Neurons
from bidual.oracles import Expired
from bidual.problem import Problem
from bidual.solvers.inner.master import Amplitudes
from bidual.solvers.inner.rounded import RoundedObjective
from bidual.typing import Matrix, Vector

WIDTHS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""How wide kinks are rounded, one descent after the other, relative to the typical input of a unit."""

FLAT, ROUGH = 1e-8, 1e-4
"""A descent ends at a relative decrease below ``FLAT``, or ``ROUGH`` times the square of the width: what is closer to
the minimum is lost when the kinks are sharpened."""

NEGLIGIBLE = 1e-5
"""A neuron smaller than this, relative to the largest, is left out."""


def descend(
    problem: Problem,
    neurons: Neurons,
    start: Amplitudes,
    max_iter: int,
    expired: Expired,
    widths: tuple[float, ...] = WIDTHS,
) -> tuple[Neurons, Vector, Vector]:
    """The last of the :func:`descents`: neurons (with the gates they had), amplitudes and intercept."""
    stages = [(width, max_iter) for width in widths]
    return [(neurons, start.t, start.b), *descents(problem, neurons, start, stages, expired)][-1]


def descents(
    problem: Problem, neurons: Neurons, start: Amplitudes, stages: list[tuple[float, int]], expired: Expired
) -> Iterator[tuple[Neurons, Vector, Vector]]:
    """L-BFGS on ``L + price/2 sum_j (|u_j|^2 + |a_j|^2)`` over all input and output weights, balanced at the start,
    with kinks that are rounded less and less: stages of (width, steps).

    At a minimum many rows lie on the kinks of neurons, where a descent of the objective itself zigzags; on the rounded
    one it does not. The objective is not convex: this is a source of neurons, nothing rests on it. A neuron keeps the
    inputs it may have and, with separate outputs, the output it feeds. Units without kinks need the last stage only.
    """
    objective, t, b = RoundedObjective(problem, start.price), start.t, start.b
    for width, steps in stages if problem.architecture.slope is not None else stages[-1:]:
        if len(neurons) == 0 or expired():
            break
        neurons, t, b = _descend(problem, objective, neurons, t, b, width, steps, expired)
        yield neurons, t, b


def _descend(
    problem: Problem,
    objective: RoundedObjective,
    neurons: Neurons,
    t: Vector,
    b: Vector,
    width: float,
    max_iter: int,
    expired: Expired,
) -> tuple[Neurons, Vector, Vector]:
    architecture, (p, m), c = problem.architecture, neurons.inputs.shape, problem.n_outputs
    U, A = neurons.inputs * np.sqrt(t), neurons.outputs * np.sqrt(t)
    moves = architecture.support(U)
    allowed = A != 0 if architecture.outputs == "separate" else np.ones_like(A, dtype=bool)
    rough = ROUGH * width**2
    width = width * objective.typical_input(U)

    def split(z: Vector) -> tuple[Matrix, Matrix, Vector]:
        return z[: p * m].reshape(p, m), z[p * m : (p + c) * m].reshape(c, m), z[(p + c) * m :]

    def flat(z: Vector) -> tuple[float, Vector]:
        value, gU, gA, gb = objective(*split(z), neurons.gates, width)
        return value, np.concatenate([(gU * moves).ravel(), (gA * allowed).ravel(), gb])

    def watch(z: Vector) -> None:
        if expired():
            raise StopIteration

    z = np.concatenate([U.ravel(), A.ravel(), b])
    flat_enough = max(FLAT, rough * min(1.0, flat(z)[0]))  # which L-BFGS takes relative to no less than 1
    options = {"maxiter": max_iter, "maxfun": 2 * max_iter, "maxcor": 10, "gtol": 1e-10, "ftol": flat_enough}
    U, A, b = split(minimize(flat, z, jac=True, method="L-BFGS-B", callback=watch, options=options).x)
    u, a = architecture.input_norm(U), architecture.output_norm(A)
    keep = u * a > NEGLIGIBLE * max(float((u * a).max(initial=0.0)), 1e-300)
    gates = None if neurons.gates is None else neurons.gates[:, keep]
    return Neurons(U[:, keep] / u[keep], A[:, keep] / a[keep], gates), (u * a)[keep], b

"""The first neurons of column generation: a wide random network after a joint descent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bidual.architectures import Grouped, Neurons
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.descent import WIDTHS, descents
from bidual.solvers.inner.master import Amplitudes, intercept_only
from bidual.typing import Expired, Vector

STAGES = [(WIDTHS[0], 20), *((width, 100) for width in WIDTHS)]
"""Width of the rounded kinks and steps of one descent after the other: most of the way takes few steps."""


def first_width(problem: Problem, wanted: int | None) -> int:
    """How many neurons are ``wanted`` or, if that is None, affordable.

    0 where a joint descent is of no use: it needs a price on size, which a ball has not until its first master problem
    is solved; nor where units see few features, and their best neurons are found at once.
    """
    grouped = isinstance(problem.architecture, Grouped)
    if problem.architecture.slope is None or grouped or not isinstance(problem.penalty, Strength):
        return 0
    if wanted is not None:
        return wanted
    c = problem.n_outputs
    each = int(np.clip(5e7 // problem.lifted.size // c, 20, max(20, 300 // c)))
    return min(each, 50 * problem.X.shape[0]) * c


def random_descent(
    problem: Problem, width: int, rng: np.random.Generator, expired: Expired
) -> Iterator[tuple[Neurons, Vector, Vector]]:
    """(neurons, amplitudes, intercept) of a random network, again and again on its way down. Needs a strength."""
    assert isinstance(problem.penalty, Strength)
    b, F = intercept_only(problem)
    V = problem.dual_vector(F)
    spread = float(np.abs(V).mean()) * problem.lifted.shape[1] ** 0.5 / width + 1e-12
    begun = Amplitudes(np.full(width, spread), b, V, problem.penalty.beta)
    yield from descents(problem, random_neurons(problem, width, rng), begun, STAGES, expired)


def random_neurons(problem: Problem, width: int, rng: np.random.Generator) -> Neurons:
    """Gaussian inputs; outputs in turn, with both signs (separate), or Gaussian (shared)."""
    architecture, p, c = problem.architecture, problem.lifted.shape[1], problem.n_outputs
    U = architecture.confined(rng.standard_normal((p, width)), rng)
    if architecture.outputs == "separate":
        signs = np.where((np.arange(width) // c) % 2, 1.0, -1.0)
        A = np.eye(c)[:, np.arange(width) % c] * signs
    else:
        A = rng.standard_normal((c, width))
    return Neurons(U / architecture.input_norm(U), A / architecture.output_norm(A))

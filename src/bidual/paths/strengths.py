"""The strengths of a path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bidual.architectures import no_neurons
from bidual.errors import InvalidParameterError
from bidual.oracles import Oracle
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.master import intercept_only
from bidual.typing import Vector


def at_strength(problem: Problem, beta: float) -> Problem:
    """The problem with the penalty ``beta * size``."""
    return replace(problem, penalty=Strength(float(beta)))


def falling_strengths(problem: Problem, oracle: Oracle, n: int = 20, least: float = 1e-3, seed: int = 0) -> Vector:
    """(n,): strengths in geometric progression from the largest that pays for a neuron of the oracle, down to ``least``
    times that.

    The largest is the score of the oracle's best neuron against ``-grad L`` at the best constant: from there on no
    neuron of the oracle pays. A loss with kinks is taken smoothed, and its largest strength is only near that.
    """
    if n < 1 or not 0.0 < least <= 1.0:
        raise InvalidParameterError(f"n must be at least 1 and least in (0, 1], got {n!r} and {least!r}")
    smooth = problem.smoothed(1e-2)
    V = smooth.dual_vector(intercept_only(smooth)[1])
    none = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    largest = oracle.price(problem, V, none, 0.0, np.random.default_rng(seed)).best_found * (1.0 + 1e-12)  # rounding
    if not largest > 0.0:
        raise InvalidParameterError("no neuron scores against the best constant: it fits as well as any network")
    return np.asarray(largest * np.geomspace(1.0, least, n))

"""Data from a known network of few neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidual.errors import InvalidParameterError
from bidual.typing import Matrix, Rows, Vector


@dataclass(frozen=True, eq=False)
class Planted:
    """``y = f(X) + noise`` with ``f(x) = sum_j amplitudes_j max(x'weights_j + biases_j, 0)``.

    X : (n, d) standard normal; y, clean : (n,), with and without noise; weights : (d, m) unit columns.
    """

    X: Rows
    y: Vector
    clean: Vector
    weights: Matrix
    biases: Vector
    amplitudes: Vector


def planted_network(n: int, d: int, neurons: int = 3, noise: float = 0.1, seed: int = 0) -> Planted:
    """Rows and targets of a random ReLU network; ``noise`` is relative to the spread of ``f(X)``."""
    for name, value, least in (("n", n, 1), ("d", d, 1), ("neurons", neurons, 1), ("noise", noise, 0)):
        if not value >= least:
            raise InvalidParameterError(f"{name} must be at least {least}, got {value!r}")
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    weights = rng.standard_normal((d, neurons))
    weights /= np.linalg.norm(weights, axis=0)
    biases = 0.5 * rng.standard_normal(neurons)
    amplitudes = rng.choice([-1.0, 1.0], neurons) * rng.uniform(0.5, 1.5, neurons)
    clean = np.maximum(X @ weights + biases, 0.0) @ amplitudes
    y = clean + noise * clean.std() * rng.standard_normal(n)
    return Planted(X, y, clean, weights, biases, amplitudes)

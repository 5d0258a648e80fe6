"""Planted data: rows and weights standard normal, as in the paper."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from bidual.planted import PlantedFit, fit_planted_relu
from bidual.typing import Matrix, Vector

EXACT = 1e-8
"""A loss below this share of ``||y||^2`` counts as zero."""
TEST_ROWS = 100


@dataclass(frozen=True, eq=False)
class Planted:
    """k problems ``y = sum_j (Ax_j)_+`` side by side: A (k, n, d), y (k, n), weights (k, d, m), and rows to test on."""

    A: Matrix
    y: Matrix
    weights: Matrix
    test_A: Matrix
    test_y: Matrix

    @property
    def test(self) -> tuple[Matrix, Matrix]:
        return self.test_A, self.test_y


def planted_problems(k: int, n: int, d: int, m: int = 1, noise: float = 0.0, seed: int = 0) -> Planted:
    """Noise is added to the inputs of the ReLU, relative to their spread, so that y stays nonnegative; the rows to test
    on have none."""
    rng = np.random.default_rng([seed, n, d, m])
    A, weights = rng.standard_normal((k, n, d)), rng.standard_normal((k, d, m))
    test = rng.standard_normal((k, TEST_ROWS, d))
    spread = np.linalg.norm(weights, axis=1)[:, None, :]
    Z = A @ weights + noise * spread * rng.standard_normal((k, n, m))
    return Planted(A, np.maximum(Z, 0.0).sum(axis=-1), weights, test, np.maximum(test @ weights, 0.0).sum(axis=-1))


def convex_fits(problems: Planted) -> list[PlantedFit]:
    """The exact minimiser of the relaxation for each problem of one neuron; that it may not fit is no news here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return [fit_planted_relu(A, y) for A, y in zip(problems.A, problems.y, strict=True)]


def relative(losses: Matrix, y: Matrix) -> Matrix:
    """Losses (k, ...) as shares of the problems' ``||y||^2``; as they are where y is zero."""
    squares = np.sum(y * y, axis=1)
    squares = np.where(squares > 0.0, squares, 1.0)
    return np.asarray(losses / squares.reshape(-1, *[1] * (losses.ndim - 1)))


def loss_on_test_rows(problems: Planted, weights: Matrix) -> Vector:
    """(k,): the relative loss of weights (k, d, m) on the rows to test on."""
    F = np.maximum(problems.test_A @ weights, 0.0).sum(axis=-1)
    return relative(np.sum((F - problems.test_y) ** 2, axis=1), problems.test_y)

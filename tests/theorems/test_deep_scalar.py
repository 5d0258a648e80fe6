"""Branch and bound over the norm, against a grid."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidual.theorems import DeepProblem, DeepScalar, solve
from bidual.theorems.ridge import RidgePath


def badly_scaled(seed: int, n_layers: int) -> DeepProblem:
    rng = np.random.default_rng(seed)
    X = np.diag(10.0 ** rng.uniform(-3, 1, size=5))
    return DeepProblem(X, 10.0 ** rng.uniform(-1, 2, size=5), n_layers, "linear", 10.0 ** rng.uniform(-2, 1))


def on_grid(problem: DeepProblem) -> tuple[np.ndarray, np.ndarray]:
    """Norms and objectives on the ridge path, by normal equations, which are diagonal."""
    x, y = np.diag(problem.X), problem.Y[:, 0]
    w = x * y / (x**2 + np.logspace(5, -9, 3000)[:, None])
    norms = np.linalg.norm(w, axis=1)
    return norms, 0.5 * np.sum((x * w - y) ** 2, axis=1) + problem.cost(norms)


@given(st.integers(0, 10**6), st.integers(3, 6))
def test_nothing_on_a_grid_is_better(seed: int, n_layers: int) -> None:
    problem = badly_scaled(seed, n_layers)
    found = solve(problem)
    best = min(on_grid(problem)[1].min(), 0.5 * np.sum(problem.Y**2))
    assert found.certificate.dual <= best * (1 + 1e-12)
    assert found.certificate.primal <= best * (1 + 1e-12)
    assert found.certificate.relative_gap < 1e-10


@given(st.integers(0, 10**6), st.integers(3, 6))
def test_bounds_of_intervals(seed: int, n_layers: int) -> None:
    """Each is below the objective all over its interval; few intervals are needed."""
    problem = badly_scaled(seed, n_layers)
    search = DeepScalar()._search(problem)
    norms, objectives = on_grid(problem)
    nodes = sorted(search.nodes, key=lambda node: node.s)
    for a, b in pairwise(nodes):
        inside = objectives[(norms >= a.s) & (norms <= b.s)]
        assert search.bound(a, b) <= inside.min(initial=np.inf) * (1 + 1e-9)
    assert len(nodes) < 200


@given(st.integers(0, 10**6), st.floats(1e-6, 0.999))
def test_ridge_path(seed: int, share: float) -> None:
    """Both parameters are found again: the norm of the weights, and the slope of the loss."""
    problem = badly_scaled(seed, 3)
    path = RidgePath.of(problem)
    norm, slope = share * path.norm(np.inf), share * path.slope(0.0)
    assert path.norm(path.with_norm(norm)) == pytest.approx(norm, rel=1e-9)
    nu = path.with_slope(slope)
    residual = problem.Y[:, 0] - problem.X @ path.weights(nu)
    assert np.linalg.norm(problem.X.T @ residual) == pytest.approx(slope, rel=1e-8) == path.slope(nu)
    assert path.with_slope(1.01 * path.slope(0.0)) == 0.0 and path.with_norm(2 * path.norm(np.inf)) == np.inf

"""The fallback: a local minimum, and a bound that is true."""

from __future__ import annotations

import numpy as np
import pytest

from bidual import closed_form
from bidual.errors import InvalidParameterError, RefusedError
from bidual.theorems import DeepProblem, ProximalDescent, WhitenedLinear, solve

from .adam import adam
from .cases import Draw, Q

normal = np.random.default_rng(3).standard_normal
X = normal((10, 4)) * [1, 0.7, 0.4, 0.2]
Y = X @ normal((4, 3)) + 0.3 * normal((10, 3))


@pytest.mark.parametrize(("n_layers", "beta"), [(3, 0.1), (3, 0.5), (4, 0.5)])
def test_as_good_as_adam_with_a_proven_gap(n_layers: int, beta: float) -> None:
    problem = DeepProblem(X, Y, n_layers, "linear", beta)
    found = solve(problem, fallback="local")
    best = adam(problem, (4,) * (n_layers - 1))
    assert found.theorem == "proximal descent"
    assert found.certificate.dual < best == pytest.approx(found.certificate.primal, rel=1e-6)
    assert 0.1 < found.certificate.relative_gap < 0.6
    found.certificate.verify(problem, found.network)


def test_theorems_come_first(draw: Draw) -> None:
    assert closed_form(Q, draw((6, 2)), n_layers=3, beta=0.1, fallback="local").theorem == "whitened linear"


@pytest.mark.parametrize("data", [3 * Q[:, :4], 3 * Q[:4]])
def test_on_whitened_data_it_finds_the_closed_form(draw: Draw, data: np.ndarray) -> None:
    problem = DeepProblem(data, draw((len(data), 3)), 3, "linear", 0.3)
    paths, _ = ProximalDescent().solve(problem)
    assert problem.objective(paths.to_network(problem)) == pytest.approx(solve(problem).certificate.primal, rel=1e-9)
    assert WhitenedLinear().accepts(problem) is None


def test_it_is_for_deep_linear_networks_only() -> None:
    with pytest.raises(RefusedError, match="whitened rows"):
        closed_form(X, Y, n_layers=3, activation="relu", beta=0.1, fallback="local")
    with pytest.raises(InvalidParameterError, match="fallback must be 'local' or None, got 'adam'"):
        closed_form(X, Y, n_layers=3, beta=0.1, fallback="adam")  # type: ignore[arg-type]

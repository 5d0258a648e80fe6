"""Optima known from elsewhere: two independent computations each, in 40 digits or by interior points."""

from __future__ import annotations

import numpy as np
import pytest

from bidual import closed_form
from bidual.theorems import prox

X = np.array([[1, 2], [3, 4], [5, 6]])
Y = np.array([1, 0, -1])
CLASSES = np.repeat(np.eye(3), [1, 2, 3], axis=0)


@pytest.mark.parametrize(
    ("sigma", "beta", "n_layers", "expected"),
    [
        (2, 0.5, 3, 1.569780205828471),
        (2, 0.5, 4, 1.605377940479596),
        (1.5, 0.1, 5, 1.418937104420566),
        (0.9, 0.3, 3, 0.529079381082822),
        (0.8, 0.3, 3, 0.0),
    ],
)
def test_prox(sigma: float, beta: float, n_layers: int, expected: float) -> None:
    assert prox(sigma, beta, n_layers)[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("n_layers", "beta", "optimum"),
    [
        (2, 1, 0.869712915049072),
        (2, 0.1, 0.231110384403103),
        (3, 0.5, 0.925568327062272),
        (4, 0.25, 0.735676837962106),
    ],
)
def test_linear_one_output(n_layers: int, beta: float, optimum: float) -> None:
    found = closed_form(X, Y, n_layers=n_layers, beta=beta)
    assert found.certificate.primal == pytest.approx(optimum, abs=1e-12)
    assert optimum - 1e-11 <= found.certificate.dual <= optimum


def test_the_global_one_of_three_local_minima() -> None:
    """Zero has 454.5, the minimum nearest to it 453.982."""
    found = closed_form(np.diag([1, 0.01]), [3, 30], n_layers=3, beta=1.5)
    w = np.linalg.multi_dot([layer.weight for layer in found.network.layers])
    assert found.certificate.primal == pytest.approx(404.867703437, abs=1e-9)
    assert np.linalg.norm(w) == pytest.approx(1756.895, abs=1e-3)
    assert found.certificate.relative_gap < 1e-11


@pytest.mark.parametrize(
    ("n_layers", "beta", "optimum"), [(2, 0.4, 1.418505748), (3, 0.4, 1.991322), (4, 0.3, 1.939875), (3, 0.9, 3.0)]
)
def test_one_hot_targets_on_whitened_data(n_layers: int, beta: float, optimum: float) -> None:
    found = closed_form(np.eye(6), CLASSES, n_layers=n_layers, beta=beta, activation="relu")
    assert found.certificate.primal == pytest.approx(optimum, abs=5e-7)
    assert found.certificate.relative_gap < 1e-11


def test_batch_norm_makes_any_data_whitened() -> None:
    rows = np.random.default_rng(0).standard_normal((6, 7))
    found = closed_form(rows, CLASSES, beta=0.4, activation="relu", batch_norm=True)
    assert found.certificate.primal == pytest.approx(1.418505748, abs=1e-9)


def test_least_norm() -> None:
    """Half the squared weights add up to ``||X^+ y||``: the sum without the half is twice that."""
    found = closed_form([[3.0, 4.0]], [10.0])
    squares = sum(np.sum(layer.weight**2) for layer in found.network.layers)
    assert found.certificate.primal == pytest.approx(2.0, abs=1e-14) and squares == pytest.approx(4.0, abs=1e-14)

"""The rounded objective: its slow twin, its gradient, and what rounding costs."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import Architecture, GatedReLU, Linear, Neurons, ReLU
from bidual.losses import Loss, Multinomial, Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner import rounded
from bidual.solvers.inner.descent import descend
from bidual.solvers.inner.master import Amplitudes
from bidual.solvers.inner.rounded import RoundedObjective

RNG = np.random.default_rng(0)
X, Y, B = RNG.normal(size=(40, 3)), np.eye(2)[RNG.integers(2, size=40)], np.array([0.1, -0.2])
ARCHITECTURES = [ReLU(), ReLU(0.1), ReLU(-1.0), ReLU(bias="free"), GatedReLU(), Linear(outputs="shared")]


def point(architecture: Architecture, m: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    p = architecture.lift(X).shape[1]
    rng = np.random.default_rng(1)
    return rng.normal(size=(p, m)), rng.normal(size=(2, m)), B, rng.normal(size=(p, m))


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
@pytest.mark.parametrize("loss", [Squared(), Multinomial()], ids=repr)
def test_a_narrow_width_is_the_objective_itself(architecture: Architecture, loss: Loss) -> None:
    problem = Problem(X, Y, loss, architecture, Strength(0.3))
    U, A, b, G = point(architecture)
    gates = G if architecture.gated else None
    F = architecture.activations(problem.lifted, Neurons(U, A, gates)) @ A.T + b
    decay = np.sum(architecture.input_norm(U) ** 2) + np.sum(A**2)
    value = RoundedObjective(problem, 0.3)(U, A, b, gates, 1e-6)[0]
    assert value == pytest.approx(problem.loss_value(F) + 0.15 * decay, rel=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_the_gradient_is_the_slope_of_the_value(architecture: Architecture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounded, "BLOCK", 80)  # blocks of sixteen rows
    objective = RoundedObjective(Problem(X, Y, Multinomial(), architecture, Strength(0.3)), 0.3)
    *weights, G = point(architecture)
    gates = G if architecture.gated else None
    _, *gradients = objective(*weights, gates, 0.5)
    for k, gradient in enumerate(gradients):
        D = np.random.default_rng(k).normal(size=gradient.shape)
        up, down = ([w + s * D if i == k else w for i, w in enumerate(weights)] for s in (1e-2, -1e-2))
        slope = (objective(*up, gates, 0.5)[0] - objective(*down, gates, 0.5)[0]) / 2e-2
        assert slope == pytest.approx(float(np.sum(D * gradient)), rel=5e-3, abs=5e-3)


def test_a_rounded_kink_is_above_by_a_quarter_of_the_width() -> None:
    zero = Problem(np.zeros((1, 1)), [[0.0]], Squared(), ReLU(bias="none"), Strength(1.0), intercept=False)
    U, A, b = np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)
    value = RoundedObjective(zero, 0.0)(U, A, b, None, 0.8)[0]
    assert value == pytest.approx(0.5 * 0.2**2)  # phi_w(0) = w/4


def test_a_descent_on_rounded_kinks_ends_lower() -> None:
    """Where rows lie on kinks, the descent of the almost exact objective gets stuck."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 8))
    Y = np.maximum(X @ rng.normal(size=(8, 4)), 0) @ rng.normal(size=(4, 1)) + 0.1 * rng.normal(size=(200, 1))
    problem = Problem(X, Y, Squared(), ReLU(), Strength(2.0))
    U = rng.normal(size=(9, 60))
    neurons = Neurons(U / np.linalg.norm(U, axis=0), np.where(np.arange(60) % 2, 1.0, -1.0)[None])
    start = Amplitudes(np.full(60, 0.05), np.zeros(1), np.zeros_like(Y), 2.0)

    def end(widths: tuple[float, ...]) -> float:
        found, t, b = descend(problem, neurons, start, 600 // len(widths), lambda: False, widths)
        return problem.objective(problem.architecture.to_network(found, t, b))

    assert end((0.3, 0.1, 0.03, 0.01, 0.003, 0.001)) < end((0.001,)) * (1 - 1e-4)

"""Networks without a row, by one Newton step, against networks trained without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.analysis import leave_one_out
from bidual.architectures import Architecture, Convolutional, GatedReLU, Linear, Neurons, ReLU, Sign, Tanh
from bidual.errors import InvalidDataError, RefusedError
from bidual.losses import Hinge, Huber, Logistic, Loss, Multinomial, SmoothedHinge, Squared, SquaredHinge
from bidual.network import Network
from bidual.patches import Patches
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet
from bidual.typing import Outputs

PLAIN = ReLU(bias="none")
SMOOTH = [Squared(), Huber(0.4), Logistic(), Multinomial(), SmoothedHinge(), SquaredHinge()]
ARCHITECTURES = [PLAIN, ReLU(), ReLU(bias="free"), ReLU(slope=0.1), ReLU(slope=-1.0), GatedReLU(), Linear()]


def make(loss: Loss, architecture: Architecture, penalty: Penalty | None = None, n: int = 9, d: int = 2) -> Problem:
    """Weighted rows that no network fits."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    y = np.abs(X[:, 0]) - X[:, -1] / 2 + 0.3 * rng.normal(size=n)
    if loss.targets == "real":
        Y = y[:, None]
    elif loss.targets == "signs":
        Y = np.where(y > np.median(y), 1.0, -1.0)[:, None]
    else:
        Y = np.eye(3)[np.searchsorted(np.quantile(y, [0.3, 0.6]), y)]
    return Problem(X, Y, loss, architecture, penalty or Strength(0.25), rng.uniform(0.5, 2.0, size=n))


def train(problem: Problem, start: Network | None = None) -> Network:
    return WorkingSet(seed=0).solve(problem, Stop(tol=1e-11), start=start).network


def without(problem: Problem, row: int, share: float = 1.0, mean: bool = False) -> Problem:
    """The problem that the step is about."""
    weights = problem.weights.copy()
    weights[row] *= 1.0 - share
    kept = weights > 0
    if mean:
        weights *= problem.weights.sum() / weights.sum()
    return replace(problem, X=problem.X[kept], Y=problem.Y[kept], weights=weights[kept])


def known(problem: Problem, F: Outputs) -> Outputs:
    """The predictions up to what the loss does not see: a common constant of all classes."""
    return F - F.mean(axis=-1, keepdims=True) if problem.loss.targets == "one_hot" else F


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: loss.name)
@pytest.mark.parametrize("architecture", [ReLU(), GatedReLU()], ids=repr)
def test_rates_of_every_loss(architecture: Architecture, loss: Loss, mean: bool) -> None:
    check_rate(make(loss, architecture), mean)


@pytest.mark.parametrize("penalty", [Strength(0.25), Ball(0.8)], ids=repr)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_rates_of_every_architecture_and_penalty(architecture: Architecture, penalty: Penalty) -> None:
    check_rate(make(Squared(), architecture, penalty), False)


def check_rate(problem: Problem, mean: bool, share: float = 1e-2) -> None:
    network, rows = train(problem), np.array([1, 4])
    left = leave_one_out(problem, network, rows, np.full(rows.size, share), mean)
    F = network(problem.X)
    exact = np.stack([train(without(problem, i, share, mean), network)(problem.X) for i in rows], axis=1)
    change = known(problem, exact - F[:, None])
    assert np.abs(change).max() > 1e-4
    np.testing.assert_allclose(
        known(problem, left.at(problem.X) - F[:, None]), change, atol=0.03 * np.abs(change).max()
    )


@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: loss.name)
def test_whole_rows(loss: Loss) -> None:
    problem = make(loss, ReLU(), Strength(0.5), n=40, d=1)
    network, rows = train(problem), np.arange(0, 40, 4)
    exact = np.stack([train(without(problem, i), network)(problem.X[i : i + 1])[0] for i in rows])
    own, F = leave_one_out(problem, network, rows).own(), network(problem.X[rows])
    own, F, exact = known(problem, own), known(problem, F), known(problem, exact)

    assert np.corrcoef(own.ravel(), exact.ravel())[0, 1] > 0.999
    assert np.linalg.norm(own - exact) < 0.35 * np.linalg.norm(F - exact)


def test_rows_are_released() -> None:
    """Row 4 lies on a hyperplane; without row 3, or row 7, the hyperplane moves off it."""
    X = np.arange(8)[:, None] / 2 - 1.75
    Y = np.abs(X) + 0.3 * np.random.default_rng(8).normal(size=(8, 1))
    problem = Problem(X, Y, Squared(), ReLU(), Strength(0.1))
    network, rows = train(problem), np.array([3, 7])
    exact = np.stack([train(without(problem, i), network)(X[i : i + 1])[0] for i in rows])
    own, change = leave_one_out(problem, network, rows).own(), exact - network(X[rows])
    assert (np.abs(own - exact) < 0.05 * np.abs(change)).all()


def test_textbook_formula() -> None:
    """Where all neurons stay, a network is a regression on them: ``y_i - f_-i(x_i) = r_i / (1 - H_ii)``."""
    problem = make(Squared(), GatedReLU(), Strength(0.5), n=30)
    network, step = train(problem), 1e-3
    F, left = network(problem.X), leave_one_out(problem, network)
    stay = np.flatnonzero(left.weights.any(axis=1).all(axis=1))[:4]
    assert stay.size == 4
    for i in stay:
        Y = problem.Y.copy()
        Y[i] += step
        leverage = (train(replace(problem, Y=Y), network)(problem.X[i : i + 1])[0] - F[i]) / step
        assert problem.Y[i] - left.own()[i] == pytest.approx((problem.Y[i] - F[i]) / (1 - leverage), rel=1e-2)


def test_lonely_neuron_vanishes() -> None:
    X = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    Y = np.array([[0.0], [0.0], [0.0], [0.0], [3.0]])
    problem = Problem(X, Y, Squared(), ReLU(), Strength(0.1))
    network = train(problem)
    left = leave_one_out(problem, network)
    assert network(X)[4] > 2.5
    assert left.own()[4] == pytest.approx(0.0, abs=1e-6)
    assert not left.weights[4].any()


def test_without_neurons_and_intercept_nothing_moves() -> None:
    problem = replace(make(Squared(), ReLU(), Strength(100.0)), intercept=False)
    left = leave_one_out(problem, train(problem))
    assert left.weights.size == 0
    assert not left.own().any()
    assert left.at(np.zeros((2, 2))).shape == (2, 9, 1)


REFUSED = [
    (Hinge(), ReLU(), "'hinge' has kinks.*smooth loss"),
    (Squared(), Sign(), "Sign units.*use ReLU units"),
    (Squared(), Tanh(), "Tanh units"),
    (Squared(), Convolutional(ReLU(), Patches((1, 2, 1), 1)), "Convolutional units see patches.*whole rows"),
    (Multinomial(), GatedReLU(outputs="shared"), "outputs='shared' with 3.*outputs='separate'"),
]


@pytest.mark.parametrize(("loss", "architecture", "sentence"), REFUSED)
def test_refusals(loss: Loss, architecture: Architecture, sentence: str) -> None:
    problem = make(loss, architecture)
    width = problem.lifted.shape[1]
    units = Neurons(np.eye(width, 1), np.eye(problem.n_outputs, 1), np.eye(width, 1) if architecture.gated else None)
    network = architecture.to_network(units, np.ones(1), np.zeros(problem.n_outputs))
    with pytest.raises(RefusedError, match=sentence):
        leave_one_out(problem, network)


def test_refusals_of_size() -> None:
    problem = make(Squared(), ReLU())
    wide = ReLU().to_network(Neurons(np.ones((3, 1400)), np.ones((1, 1400))), np.ones(1400), np.zeros(1))
    with pytest.raises(RefusedError, match="1400 neurons have 4200 weights.*fewer neurons"):
        leave_one_out(problem, wide)
    alone = replace(problem, X=problem.X[:1], Y=problem.Y[:1], weights=None)
    with pytest.raises(InvalidDataError, match="X has one row.*at least two"):
        leave_one_out(alone, train(alone))

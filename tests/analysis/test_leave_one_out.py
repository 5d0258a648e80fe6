"""Networks without a row, by one Newton step, against networks trained without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.analysis import leave_one_out
from bidual.architectures import Architecture, GatedReLU, Linear, ReLU, Sign, Tanh
from bidual.errors import InvalidDataError, RefusedError
from bidual.losses import Hinge, Huber, Logistic, Loss, Multinomial, SmoothedHinge, Squared, SquaredHinge
from bidual.network import Network
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
def test_small_shares_move_predictions_at_the_rate_of_refits(
    architecture: Architecture, loss: Loss, mean: bool
) -> None:
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
    np.testing.assert_allclose(known(problem, left.at(problem.X) - F[:, None]), change, atol=0.03 * np.abs(change).max())


@pytest.mark.parametrize("loss", SMOOTH, ids=lambda loss: loss.name)
def test_whole_rows(loss: Loss) -> None:
    problem = make(loss, ReLU(), Strength(0.5), n=40, d=1)
    network, rows = train(problem), np.arange(0, 40, 4)
    exact = np.stack([train(without(problem, i), network)(problem.X[i : i + 1])[0] for i in rows])
    own, F = leave_one_out(problem, network, rows).own(), network(problem.X[rows])
    own, F, exact = known(problem, own), known(problem, F), known(problem, exact)
    print(np.corrcoef(own.ravel(), exact.ravel())[0, 1] , np.linalg.norm(own - exact) / np.linalg.norm(F - exact))
    assert np.corrcoef(own.ravel(), exact.ravel())[0, 1] > 0.999
    assert np.linalg.norm(own - exact) < 0.35 * np.linalg.norm(F - exact)

"""The range of a prediction over all nearly optimal networks: attained and proven ends around the exact one."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from bidual.analysis import furthest, rashomon_end
from bidual.architectures import GatedReLU, ReLU, Sign
from bidual.architectures.base import Architecture
from bidual.errors import CertificateError, InvalidParameterError, RefusedError
from bidual.losses import Hinge, Huber, Logistic, Loss, Multinomial, Squared
from bidual.network import Network
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers import Incremental, Stop, WorkingSet

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, size=(9, 1))
Y = np.abs(X) + 0.3 * RNG.normal(size=(9, 1))
NEW = np.array([0.4])
SOLVER = WorkingSet(seed=0)


def make(loss: Loss, architecture: Architecture | None = None, penalty: Penalty | None = None) -> Problem:
    targets = Y if loss.targets == "real" else np.where(Y > 1.0, 1.0, -1.0)
    return Problem(X, targets, loss, architecture or ReLU(), penalty or Strength(0.3))


def train(problem: Problem) -> Network:
    return SOLVER.solve(problem, Stop(tol=1e-8)).network


def exact_end(problem: Problem, sign: int, budget: float) -> float:
    """The convex program over all activation patterns of the rows and the new one, by an interior-point method."""
    rows = problem.architecture.lift(np.vstack([problem.X, NEW]))
    f, size, inside = cp.Variable(), 0.0, []
    for mask in problem.architecture.all_patterns(rows).masks.T:
        for out in (1.0, -1.0):
            u = cp.Variable(rows.shape[1])
            f = f + out * cp.multiply(mask.astype(float), rows @ u)
            size = size + cp.norm(u)
            inside.append(cp.multiply(np.where(mask, 1.0, -1.0), rows @ u) >= 0)
    y = problem.Y[:, 0]
    if isinstance(problem.loss, Huber):
        loss = 0.5 * cp.sum(cp.huber(f[:-1] - y, problem.loss.delta))
    elif isinstance(problem.loss, Logistic):
        loss = cp.sum(cp.logistic(-cp.multiply(y, f[:-1])))
    else:
        loss = 0.5 * cp.sum_squares(f[:-1] - y)
    if isinstance(problem.penalty, Strength):
        inside.append(loss + problem.penalty.beta * size <= budget)
    else:
        inside += [loss <= budget, size <= problem.penalty.radius]
    return sign * float(cp.Problem(cp.Maximize(sign * f[-1]), inside).solve(solver=cp.CLARABEL))


CASES = [
    make(Squared()),
    make(Huber(0.4)),
    make(Logistic(), penalty=Strength(0.2)),
    make(Squared(), penalty=Ball(1.0)),
    make(Squared(), ReLU(bias="none")),
]


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("problem", CASES, ids=lambda problem: f"{problem.loss.name} {problem.penalty}")
@pytest.mark.parametrize("eps", [0.01, 0.2])
def test_around_the_exact_end(problem: Problem, sign: int, eps: float) -> None:
    network = train(problem)
    end = rashomon_end(problem, network, NEW, sign, SOLVER, eps)
    end.verify()
    exact = exact_end(problem, sign, end.budget)
    assert end.point.bound.scope == "global"
    assert problem.objective(end.network) <= end.budget * (1 + 1e-12)
    half = abs(exact - float(network(NEW[None]).item()))
    assert 0.0 <= sign * (exact - end.attained) + 1e-5 * half <= 0.05 * half
    assert 0.0 <= sign * (end.certified - exact) + 1e-5 * half <= 0.08 * half
    assert sign * end.certified_global >= sign * exact - 1e-5 * half


@pytest.mark.parametrize("architecture", [GatedReLU(), ReLU(slope=-1.0), Sign()], ids=repr)
def test_networks_trained_otherwise_are_inside(architecture: Architecture) -> None:
    """Networks of other weights and targets, mixed with the best until they are within the budget."""
    problem, solver = make(Squared(), architecture), Incremental() if architecture == Sign() else SOLVER
    network = solver.solve(problem, Stop(tol=1e-3)).network
    ends = {sign: rashomon_end(problem, network, NEW, sign, solver, 0.05) for sign in (-1, 1)}
    units, t = architecture.from_network(network)
    rng, budget = np.random.default_rng(1), ends[1].budget
    for _ in range(5):
        moved = replace(problem, Y=problem.Y + 0.3 * rng.normal(size=Y.shape), weights=rng.uniform(0.5, 2, size=9))
        others, r = architecture.from_network(other := solver.solve(moved, Stop(tol=1e-2)).network)
        for share in np.linspace(1.0, 0.0, 21):
            b = (1 - share) * network.layers[-1].bias + share * other.layers[-1].bias
            mixture = architecture.to_network(units.join(others), np.append((1 - share) * t, share * r), b)
            if problem.objective(mixture) <= budget:
                f = float(mixture(NEW[None]).item())
                assert ends[-1].certified_global <= f <= ends[1].certified_global
                break


def test_a_larger_budget_bounds_less() -> None:
    problem = make(Squared())
    end = rashomon_end(problem, train(problem), NEW, 1, SOLVER)
    bounds = [furthest(end.problem, end.whole, 1, factor * end.budget) for factor in (1.0, 1.1, 2.0)]
    assert bounds == sorted(bounds)
    assert furthest(end.problem, end.whole, -1, end.budget) == np.inf


def test_forged_ends_are_caught() -> None:
    problem = make(Squared())
    end = rashomon_end(problem, train(problem), NEW, 1, SOLVER)
    bound = replace(end.point.bound, value=0.9 * end.point.bound.value)
    with pytest.raises(CertificateError):
        replace(end, point=replace(end.point, bound=bound)).verify()
    with pytest.raises(CertificateError, match="above the budget"):
        replace(end, budget=0.9 * end.budget).verify()


def test_refusals() -> None:
    problem = make(Squared())
    network = train(problem)
    with pytest.raises(InvalidParameterError, match="eps must be a positive finite number, got 0"):
        rashomon_end(problem, network, NEW, 1, SOLVER, 0)
    with pytest.raises(RefusedError, match="'hinge' stops pulling.*Huber"):
        rashomon_end(make(Hinge()), network, NEW, 1, SOLVER)
    several = Problem(X, np.eye(3)[np.arange(9) % 3], Multinomial(), ReLU(), Strength(0.3))
    with pytest.raises(RefusedError, match="3 outputs.*a fit for each target"):
        rashomon_end(several, network, NEW, 1, SOLVER)
    nothing = replace(problem, Y=0.0 * Y)
    with pytest.raises(RefusedError, match="objective is 0.0"):
        rashomon_end(nothing, train(nothing), NEW, 1, SOLVER)

"""ConvexNN: known answers of sign networks, its variants, and what it refuses."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from sklearn.datasets import make_moons

from bidual.architectures import ReLU, Sign, Tanh
from bidual.errors import InvalidParameterError, RefusedError
from bidual.losses import Hinge, Logistic, Loss, Multinomial, Squared, SquaredHinge
from bidual.oracles import Enumerated, TanhAscent
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import Incremental, Solution, Status, Stop
from bidual.testing import check_solver, example_problems

XOR = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
SIX = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [1.0, 3.0]])
LABELS = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0])


def pose(X: np.ndarray, y: np.ndarray, loss: Loss, strength: float) -> Problem:
    """In units of half the squares for the squared loss, so that optima and strengths of whole ones are doubled."""
    beta = strength / 2 if isinstance(loss, Squared) else strength
    return Problem(X, np.asarray(y, dtype=float).reshape(len(X), -1), loss, Sign(), Strength(beta), None, False)


def solve(problem: Problem, solver: Incremental | None = None, tol: float = 1e-10) -> Solution:
    solution = (solver or Incremental(Enumerated())).solve(problem, Stop(tol))
    solution.certificate.verify(problem, solution.network)
    return solution


def optimum(solution: Solution, loss: Loss) -> float:
    assert solution.status == Status.OPTIMAL and solution.certificate.scope == "global"
    return solution.certificate.primal * (2 if isinstance(loss, Squared) else 1)


a = log(2 / 0.5 - 1)
KNOWN = [
    *((XOR, [1, 1, -1, -1], Squared(), strength, 2 * strength - strength**2 / 4) for strength in (0.5, 2.0)),
    (XOR, [1, 1, -1, -1], Squared(), 4.5, 4.0),
    *((XOR, [1, 1, -1, -1], Hinge(), strength, min(2 * strength, 4)) for strength in (0.5, 3.0)),
    (XOR, [1, 1, -1, -1], Logistic(), 0.5, 2.249340578475),
    *((SIX, LABELS, Squared(), lam, value) for lam, value in ((0.5, 21 / 16), (1.0, 109 / 48), (2.0, 3.75))),
    *((SIX, LABELS, Hinge(), lam, value) for lam, value in ((0.5, 1.5), (1.0, 3.0), (2.0, 4.0))),
    *((SIX, LABELS, Logistic(), lam, value) for lam, value in ((0.5, 2.922368317764), (1.0, 3.819085009769))),
    (np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), [3, -1, 0.5], Squared(), 2.0, 5.0),
    (np.arange(7.0)[:, None], np.ones(7), Squared(), 1.0, 1 - 1 / 28),
    (np.arange(7.0)[:, None], np.ones(7), Hinge(), 1.0, 1.0),
    (np.arange(7.0)[:, None], np.ones(7), Logistic(), 1.0, 2.870814228019),
    (np.ones((6, 2)), [1, 1, 1, 1, -1, -1], Squared(), 1.0, 5.625),
]


@pytest.mark.parametrize(("X", "y", "loss", "strength", "value"), KNOWN)
def test_known_optima(X: np.ndarray, y: np.ndarray, loss: Loss, strength: float, value: float) -> None:
    solution = solve(pose(X, y, loss, strength))
    assert optimum(solution, loss) == pytest.approx(value, abs=1e-8)
    assert solution.network.n_neurons <= len(X)


@pytest.mark.parametrize(
    ("loss", "strength", "value"),
    [(Squared(), 5.0, 13.8165127401), (Logistic(), 5.0, 33.4544632720), (Hinge(), 1.0, 3.0)],
)
def test_two_moons(loss: Loss, strength: float, value: float) -> None:
    X, y = make_moons(100, noise=0.15, random_state=0)
    solution = solve(pose(X, 2 * y - 1, loss, strength), Incremental())
    assert optimum(solution, loss) == pytest.approx(value, abs=1e-8)
    if isinstance(loss, Hinge):
        assert solution.network.n_neurons == 3


def test_the_papers_own_test_never_fires() -> None:
    """At the minimum over the output weights the best score is the price, not less: E7."""
    problem = pose(SIX, LABELS, Squared(), 1.0)
    V = problem.dual_vector(solve(problem).network(problem.X))
    nothing = problem.architecture.from_network(solve(problem).network)[0]
    best = Enumerated().price(problem, V, nothing, 0.0, np.random.default_rng(0)).best_found
    assert best == pytest.approx(0.5, rel=1e-9) and not best < 0.5 * (1 - 1e-12)


def test_boosting_ends_at_the_same_optimum_in_more_rounds() -> None:
    for loss in (Squared(), Logistic(), SquaredHinge()):
        problem = pose(SIX, LABELS, loss, 0.5)
        corrective, boosted = (
            solve(problem, Incremental(Enumerated(), corrective=word), 1e-8) for word in ("totally", "boosting")
        )
        assert boosted.status == Status.OPTIMAL
        assert boosted.certificate.primal == pytest.approx(corrective.certificate.primal, rel=1e-7)
        assert len(boosted.history) > len(corrective.history)


def test_one_column_at_a_time_needs_more_rounds() -> None:
    X, y = make_moons(30, noise=0.3, random_state=0)
    problem = pose(X, 2 * y - 1, Squared(), 1.0)
    one, many = (solve(problem, Incremental(Enumerated(), columns=k)) for k in (1, 20))
    assert one.certificate.primal == pytest.approx(many.certificate.primal, rel=1e-9)
    assert len(one.history) > len(many.history)


def test_tuned_networks_need_fewer_rounds() -> None:
    X, y = make_moons(30, noise=0.2, random_state=1)
    Y = 2.0 * y[:, None] - 1
    for architecture in (ReLU(), Tanh()):
        problem = Problem(X, Y, Squared(), architecture, Strength(0.5))
        oracle = TanhAscent(max_weight=5.0) if isinstance(architecture, Tanh) else None
        plain, tuned = (
            Incremental(oracle, columns=1, tune=tune).solve(problem, Stop(1e-3, max_iter=60)) for tune in (False, True)
        )
        least = min(plain.certificate.primal, tuned.certificate.primal)
        assert tuned.certificate.primal <= least * (1 + 1e-3)
        assert len(tuned.history) < len(plain.history)


def test_several_outputs_and_a_ball() -> None:
    Y = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    for loss, Z in ((Multinomial(), Y), (Squared(), Y), (Hinge(), 2 * Y - 1)):
        for penalty in (Strength(0.3), Ball(2.0)):
            problem = Problem(SIX, Z, loss, Sign(), penalty)
            solution = solve(problem, tol=1e-7)
            assert solution.status == Status.OPTIMAL
            assert problem.architecture.size(solution.network) <= 2.0 + 1e-9 or isinstance(penalty, Strength)


def test_limits_and_starts() -> None:
    problem = pose(SIX, LABELS, Squared(), 0.5)
    limited = solve(problem, Incremental(Enumerated(), columns=1, max_neurons=2))
    assert limited.status == Status.NEURON_LIMIT and limited.network.n_neurons <= 2
    best = solve(problem)
    again = Incremental(Enumerated()).solve(problem, Stop(1e-10), start=best.network)
    assert len(again.history) < len(best.history) and again.status == Status.OPTIMAL


def test_what_it_refuses() -> None:
    with pytest.raises(InvalidParameterError, match="columns"):
        Incremental(columns=0)
    with pytest.raises(InvalidParameterError, match="corrective"):
        Incremental(corrective="sometimes")  # type: ignore[arg-type]
    for solver, word in ((Incremental(corrective="boosting"), "smooth loss"), (Incremental(tune=True), "smooth")):
        with pytest.raises(RefusedError, match=word):
            solver.solve(pose(SIX, LABELS, Hinge(), 1.0))
    with pytest.raises(RefusedError, match="no slope"):
        Incremental(tune=True).solve(pose(SIX, LABELS, Squared(), 1.0))


def test_sign_units_bound_tanh_units() -> None:
    """Tanh networks have the same infimum, and do not go below it."""
    problem = pose(SIX, LABELS, Squared(), 1.0)
    least, network = solve(problem).certificate.dual, solve(problem).network
    smooth = Problem(problem.X, problem.Y, problem.loss, Tanh(), problem.penalty, None, False)
    neurons, t = problem.architecture.from_network(network)
    for steep in (10.0, 100.0, 1000.0):
        steeper = type(neurons)(steep * neurons.inputs, neurons.outputs)
        value = smooth.objective(smooth.architecture.to_network(steeper, t, np.zeros(1)))
        assert value >= least * (1 - 1e-9)
    assert value == pytest.approx(least, rel=1e-6)


def test_contract() -> None:
    check_solver(Incremental(), example_problems()[:18], tol=1e-4)

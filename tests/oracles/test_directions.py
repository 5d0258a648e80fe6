"""The search over directions: never below the best neuron of all cells, wherever it stops, and proven again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from architectures.cases import DATA, random_rows

from bidual import load_model
from bidual.architectures import GatedReLU, ReLU
from bidual.architectures.boxes import BoxSearch
from bidual.certificate import Bound, DualPoint, verify_bound
from bidual.errors import CertificateError, InvalidParameterError
from bidual.estimators import MLPClassifier, MLPRegressor
from bidual.estimators.stored import get_certificate, put_certificate
from bidual.losses import LOSSES
from bidual.oracles import BranchAndBound, Enumerated, LocalSearch
from bidual.oracles.directions import directions_are_few
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Status, Stop, WorkingSet
from bidual.testing import check_oracle
from bidual.testing.examples import random_targets
from oracles.test_oracles import ask, make_problem

alone = BranchAndBound(search=None)


def test_contract() -> None:
    rng = np.random.default_rng(0)
    problems = []
    for i, loss in enumerate(kind() for kind in LOSSES.values()):
        c = 2 if loss.targets == "one_hot" else 1 + i % 2
        architecture = ReLU((0.0, 0.1, -1.0)[i % 3], ("none", "penalized")[i % 2])
        Y = random_targets(loss, 40, c, rng)
        problems.append(Problem(rng.normal(size=(40, 2)), Y, loss, architecture, Strength(0.3), intercept=i % 2 == 0))
    assert all(map(directions_are_few, problems))
    for oracle in (BranchAndBound(LocalSearch(20)), alone):
        check_oracle(oracle, problems)


@pytest.mark.parametrize("part", range(4))
def test_75_small_problems(part: int) -> None:
    """All slopes, one and two outputs; ties, duplicate, opposite and zero rows, few dimensions, tiny and huge entries.

    The bound is compared without any tolerance: it is rounded up.
    """
    for seed in range(75 * part, 75 * (part + 1)):
        rng = np.random.default_rng(seed)
        X = random_rows(rng, int(rng.integers(1, 11)), int(rng.integers(1, 4)), DATA[seed % len(DATA)])
        V = rng.normal(size=(len(X), 1 + seed % 2))
        V = np.round(V) if seed % 5 == 0 else V
        slope = (0.0, 0.1, -1.0)[seed // 3 % 3]
        size, unit = 2.0 ** rng.choice([0, -300, 300], size=2)
        best = size * unit * ask(Enumerated(), make_problem(X, V.shape[1], ReLU(slope, "none")), V).best_found
        search = BoxSearch(size * X, unit * V, slope)
        while not search.done and search.count < 5000 and search.bound > best * (1 + 1e-4):
            assert search.bound >= best
            assert search.score(*search.step(best * (1 + 1e-4))) <= best * (1 + 1e-12)
        assert best <= search.bound <= best * (1 + 1e-4) + 1e-9 * size * unit


def hard() -> tuple[Problem, np.ndarray]:
    rng = np.random.default_rng(0)
    return make_problem(rng.normal(size=(60, 4))), rng.normal(size=(60, 1))


def test_bounds_are_valid_when_time_expires() -> None:
    problem, V = hard()
    exact = ask(alone, problem, V, np.inf)
    assert exact.best_found <= exact.dual.bound.value <= exact.best_found * (1 + 1.1e-4)
    assert exact.best_found >= ask(LocalSearch(50), problem, V).best_found * (1 - 1e-9)
    values = []
    for looks in (0, 8, 20):
        calls = iter(range(10**9))
        priced = ask(alone, problem, V, np.inf, expired=lambda looks=looks, calls=calls: next(calls) >= looks)
        verify_bound(problem, priced.dual)
        assert priced.dual.bound.value >= exact.best_found
        values.append(priced.dual.bound.value)
    assert values[0] >= values[1] > values[2] > exact.dual.bound.value
    few = ask(replace(alone, boxes=200), problem, V, np.inf)
    verify_bound(problem, few.dual)
    assert exact.best_found < few.dual.bound.value and few.dual.bound.boxes < exact.dual.bound.boxes


def test_stops_at_a_neuron_above_the_target_or_near_enough_below() -> None:
    problem, V = hard()
    assert ask(BranchAndBound(), problem, V, 0.0).dual is None
    first, exact = ask(alone, problem, V, 0.0), ask(alone, problem, V, np.inf)
    verify_bound(problem, first.dual)
    assert 0 < first.best_found <= exact.best_found <= first.dual.bound.value
    near = ask(alone, problem, V, 1.1 * exact.best_found)
    assert near.dual.bound.boxes < exact.dual.bound.boxes
    assert near.dual.bound.value <= near.best_found + 0.1 * (1.1 * exact.best_found - near.best_found)


@cache
def proven() -> tuple[Problem, DualPoint]:
    problem, V = hard()
    point = ask(alone, problem, V, np.inf).dual
    verify_bound(problem, point)
    assert point.bound.method == "branch and bound" and point.bound.branches is None
    return problem, point


Change = Callable[[Bound], Bound]
FORGERIES: dict[str, Change] = {
    "smaller": lambda b: replace(b, value=b.value * (1 - 2e-4)),
    "much smaller": lambda b: replace(b, value=0.5 * b.value),
    "nothing": lambda b: replace(b, value=0.0),
    "no number": lambda b: replace(b, value=np.nan),
    "fewer boxes": lambda b: replace(b, boxes=-(10**6)),
    "no boxes": lambda b: replace(b, boxes=None),
    "boxes in words": lambda b: replace(b, boxes="many"),
    "other scope": lambda b: replace(b, scope="patterns"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_rejected(name: str) -> None:
    problem, point = proven()
    with pytest.raises(CertificateError):
        verify_bound(problem, DualPoint(point.V, FORGERIES[name](point.bound)))


def test_other_problems_are_not_proven() -> None:
    problem, point = proven()
    for other in (
        replace(problem, X=2.0 * problem.X),
        replace(problem, architecture=GatedReLU(bias="none")),
        replace(problem, architecture=ReLU(bias="free"), intercept=True),
        replace(problem, X=np.random.default_rng(0).normal(size=(60, 20))),
    ):
        with pytest.raises(CertificateError):
            verify_bound(other, point)


def test_networks_are_certified_globally(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = np.abs(X[:, 0]) + X[:, 1] * (X[:, 2] > 0) + 0.3 * rng.normal(size=200)
    model = MLPRegressor(oracle="branch_and_bound", random_state=0).fit(X, y)
    assert (model.status_, model.certificate_.scope) == ("optimal", "global")
    assert model.certificate_.method == "branch and bound"
    model.save(tmp_path / "model.npz")
    load_model(tmp_path / "model.npz").certificate_.verify(X, y)
    model = MLPClassifier(oracle="branch_and_bound", random_state=0, alpha=0.02).fit(X, np.digitize(y, [0.5, 1.5]))
    assert (model.status_, model.certificate_.scope) == ("optimal", "global")
    model.certificate_.verify(X, np.digitize(y, [0.5, 1.5]))


def test_certificates_are_stored() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 3))
    problem = Problem(X, np.abs(X[:, :1]), LOSSES["squared"](), ReLU(bias="none"), Strength(2.0), intercept=False)
    solution = WorkingSet(oracle=BranchAndBound()).solve(problem, Stop(tol=1e-3))
    assert solution.status == Status.OPTIMAL
    described, arrays = put_certificate(solution.certificate)
    get_certificate(json.loads(json.dumps(described)), arrays).verify(problem, solution.network)


def test_answers_repeat() -> None:
    problem, V = hard()
    one, two = (ask(BranchAndBound(LocalSearch(20)), problem, V, np.inf) for _ in range(2))
    assert one.dual.bound == two.dual.bound and one.scores.tobytes() == two.scores.tobytes()


def test_refusals() -> None:
    for wrong in ({"boxes": 0}, {"boxes": 10**10}):
        with pytest.raises(InvalidParameterError, match="boxes"):
            BranchAndBound(**wrong)

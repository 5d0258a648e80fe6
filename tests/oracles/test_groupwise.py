"""Units of groups of features: never a bound below the best neuron of all groups, and no network from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from architectures.cases import DATA, random_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import Grouped, Neurons, Patterns, ReLU
from bidual.architectures.cones import ConeSearch
from bidual.architectures.grouped import pairs, singles
from bidual.certificate import Bound, DualPoint, certify, verify_bound
from bidual.errors import CertificateError, InvalidDataError, InvalidParameterError, RefusedError
from bidual.losses import LOSSES, Squared
from bidual.oracles import Enumerated, Groupwise, LocalSearch
from bidual.penalties import Ball, Strength
from bidual.problem import Problem
from bidual.solvers import Conic, FixedPatterns, Restarts, Status, Stop, WorkingSet
from bidual.solvers.prune import merge
from oracles.test_oracles import ask, make_problem


def best_of_groups(X: np.ndarray, V: np.ndarray, inner: ReLU, groups: tuple[tuple[int, ...], ...]) -> float:
    """By the cells of the data of every group."""
    return max(ask(Enumerated(), make_problem(X[:, list(g)], V.shape[1], inner), V).best_found for g in groups)


@pytest.mark.parametrize("part", range(4))
def test_the_bound_is_never_below_enumeration(part: int) -> None:
    """All slopes, one and two outputs, data in every way degenerate; the bound is compared without any tolerance."""
    for seed in range(40 * part, 40 * (part + 1)):
        rng = np.random.default_rng(seed)
        d = int(rng.integers(1, 5))
        X = random_rows(rng, int(rng.integers(1, 10)), d, DATA[seed % len(DATA)])
        V = rng.normal(size=(len(X), 1 + seed % 2))
        inner = ReLU((0.0, 0.1, -1.0)[seed // 3 % 3], ("none", "penalized")[seed % 2])
        groups = pairs(d) if seed % 3 else singles(d)
        problem, best = make_problem(X, V.shape[1], Grouped(inner, groups)), best_of_groups(X, V, inner, groups)
        priced = ask(Groupwise(10), problem, V, np.inf)
        assert best <= priced.dual.bound.value <= priced.best_found * (1 + 1.1e-4) + 1e-9
        assert priced.best_found <= best * (1 + 1e-9) + 1e-12
        verify_bound(problem, priced.dual)


@given(seed=st.integers(0, 2**32 - 1), p=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_bound_falls_and_holds_at_every_step(seed: int, p: int) -> None:
    """With rows and dual vectors of any size."""
    rng = np.random.default_rng(seed)
    X, V, slope = rng.normal(size=(12, p)), rng.normal(size=(12, 2)), float(rng.choice([0.0, 0.1, -1.0]))
    size, unit = 2.0 ** rng.choice([0, -300, 300], size=2)
    search = ConeSearch(size * X, unit * V, slope)
    U = rng.normal(size=(500, p))
    reached = max(search.score(k, sign, u) for k in (0, 1) for sign in (1, -1) for u in U)
    before = np.inf
    for _ in range(4):
        assert reached * (1 - 1e-12) <= search.bound <= before
        if search.done:
            break
        before = search.bound
        assert search.score(*search.step(reached)) <= search.bound


@cache
def proven() -> tuple[Problem, DualPoint]:
    rng = np.random.default_rng(0)
    problem = make_problem(rng.normal(size=(40, 4)), 1, Grouped(ReLU(), pairs(4)))
    point = ask(Groupwise(), problem, rng.normal(size=(40, 1)), np.inf).dual
    assert (point.bound.scope, point.bound.method) == ("global", "branch and bound")
    return problem, point


Change = Callable[[Bound], Bound]
FORGERIES: dict[str, Change] = {
    "smaller": lambda b: replace(b, value=b.value * (1 - 2e-4)),
    "nothing": lambda b: replace(b, value=0.0),
    "no number": lambda b: replace(b, value=np.nan),
    "fewer boxes": lambda b: replace(b, boxes=-(10**6)),
    "no boxes": lambda b: replace(b, boxes=None),
    "other scope": lambda b: replace(b, scope="patterns"),
    "other method": lambda b: replace(b, method="sweep"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forgeries_are_rejected(name: str) -> None:
    problem, point = proven()
    verify_bound(problem, point)
    with pytest.raises(CertificateError):
        verify_bound(problem, DualPoint(point.V, FORGERIES[name](point.bound)))


def test_more_groups_have_a_bound_of_their_own() -> None:
    problem, point = proven()
    for other in (ReLU(), Grouped(ReLU(), ((0, 1, 2), (3,)))):
        with pytest.raises(CertificateError):
            verify_bound(replace(problem, architecture=other), point)


def solved(groups: tuple[tuple[int, ...], ...], name: str = "squared", **settings) -> tuple[Problem, object]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4))[:, : 1 + max(map(max, groups))]
    f = np.abs(X[:, 0]) + np.maximum(X[:, 1] - X[:, 2], 0) - X[:, -1]
    Y = {"squared": f[:, None], "logistic": np.sign(f[:, None] - 1), "multinomial": np.eye(3)[np.digitize(f, [0, 1])]}
    settings = {"penalty": Strength(2.0), **settings}
    problem = Problem(X, Y[name], LOSSES[name](), Grouped(ReLU(), groups), **settings)
    return problem, WorkingSet().solve(problem, Stop(tol=1e-3))


@pytest.mark.parametrize("name", ["squared", "logistic", "multinomial"])
@pytest.mark.parametrize("groups", [pairs(4), singles(4), ((0, 1, 2),), ((0, 3), (1, 2))])
def test_networks_are_optimal_in_their_class(name: str, groups: tuple[tuple[int, ...], ...]) -> None:
    problem, solution = solved(groups, name)
    assert (solution.status, solution.certificate.scope) == (Status.OPTIMAL, "global")
    solution.certificate.verify(problem, solution.network)
    inputs = problem.architecture.from_network(solution.network)[0].inputs
    assert all(any(set(np.flatnonzero(u[:-1])) <= set(g) for g in groups) for u in inputs.T)
    everything = replace(problem, architecture=ReLU())
    best = WorkingSet().solve(everything, Stop(tol=1e-3)).certificate
    assert solution.certificate.primal >= best.global_dual
    if len(groups) == 1:
        assert solution.certificate.primal == pytest.approx(best.primal, rel=2e-3)


def test_a_ball_weights_and_restarts() -> None:
    problem, solution = solved(pairs(4), penalty=Ball(2.0), weights=np.linspace(0.5, 2.0, 60))
    assert solution.status == Status.OPTIMAL
    problem, solution = solved(pairs(4))
    again = Restarts(WorkingSet()).solve(problem, Stop(tol=1e-4))
    assert again.certificate.primal == pytest.approx(solution.certificate.primal, rel=2e-4)
    few = WorkingSet(max_neurons=2).solve(problem, Stop(tol=1e-4))
    assert few.network.n_neurons <= 2 and few.status == Status.NEURON_LIMIT
    few.certificate.verify(problem, few.network)


def test_units_of_two_groups_are_not_merged() -> None:
    """Both are active on every row, where their sum is a unit of the inner class."""
    X, groups = np.random.default_rng(0).uniform(-1, 1, size=(9, 4)), ((0, 1), (2, 3))
    U = np.array([[1.0, 0, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [9, 9, 9, 9, 9]])
    neurons, t = Neurons(U / np.linalg.norm(U, axis=0), np.ones((1, 5))), np.ones(5)
    problem = make_problem(X, 1, Grouped(ReLU(), groups))
    merged, _ = merge(problem, neurons, t)
    assert sorted(problem.architecture.group_of(merged.inputs)) == [0, 1]
    assert len(merge(replace(problem, architecture=ReLU()), neurons, t)[0]) == 1


def test_networks_from_outside_are_refused() -> None:
    problem, solution = solved(pairs(4))
    outside = WorkingSet().solve(replace(problem, architecture=ReLU())).network
    with pytest.raises(InvalidDataError, match="in no group together"):
        certify(problem, outside)
    with pytest.raises(CertificateError, match="in no group together"):
        solution.certificate.verify(problem, outside)


def test_patterns_are_of_their_group() -> None:
    """Without time for a search, the scope is the patterns of the neurons, each in its group."""
    problem, solution = solved(pairs(4))
    certificate = certify(problem, solution.network)
    assert certificate.scope == "patterns" and certificate.relative_gap < 1e-2
    certificate.verify(problem, solution.network)
    bound = certificate.point.bound
    dense = replace(bound, patterns=replace_gates(bound))
    with pytest.raises(CertificateError):
        verify_bound(problem, DualPoint(certificate.point.V, dense))
    fewer = replace(bound, value=0.9 * bound.value)
    with pytest.raises(CertificateError):
        verify_bound(problem, DualPoint(certificate.point.V, fewer))


def replace_gates(bound: Bound):
    return Patterns(bound.patterns.bits, bound.patterns.gates + 1.0)


def test_many_features_have_no_search() -> None:
    rng = np.random.default_rng(0)
    X, V = rng.normal(size=(30, 14)), rng.normal(size=(30, 1))
    problem = make_problem(X, 1, Grouped(ReLU(), ((0,), tuple(range(1, 14)))))
    priced = ask(Groupwise(), problem, V, np.inf)
    whole = ask(LocalSearch(), make_problem(X[:, 1:], 1, ReLU()), V)
    assert priced.dual is None and priced.best_found >= whole.best_found * (1 - 1e-3)
    assert problem.architecture.box_bound(problem.lifted, V, 1e9, 10**6) == np.inf


def test_time_expires() -> None:
    problem, point = proven()
    assert ask(Groupwise(), problem, point.V, np.inf, expired=lambda: True).dual is None


@pytest.mark.parametrize("groups", [(), ((),), ((0,), (2,)), ((-1, 0),)])
def test_groups_hold_every_feature(groups: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(InvalidParameterError, match="groups must be nonempty sets"):
        Grouped(ReLU(), groups)


def test_refusals() -> None:
    for inner in (ReLU(bias="free"), ReLU(outputs="shared")):
        with pytest.raises(InvalidParameterError, match="use ReLU"):
            Grouped(inner, ((0,),))
    with pytest.raises(InvalidParameterError, match="n_directions"):
        Groupwise(0)
    with pytest.raises(InvalidParameterError, match="boxes"):
        Groupwise(boxes=0)
    rng = np.random.default_rng(0)
    with pytest.raises(RefusedError, match="not ReLU units"):
        ask(Groupwise(), make_problem(rng.normal(size=(5, 2)), 1, ReLU()), rng.normal(size=(5, 1)))
    problem = Problem(rng.normal(size=(5, 2)), np.ones((5, 1)), Squared(), Grouped(ReLU(), ((0, 1),)), Strength(1.0))
    for solver in (Conic(), FixedPatterns()):
        assert "use the solver WorkingSet" in solver.accepts(problem)
    with pytest.raises(RefusedError, match="use the oracle Groupwise"):
        ask(Enumerated(), problem, problem.Y)
    with pytest.raises(InvalidDataError, match="networks on 2 features"):
        replace(problem, X=rng.normal(size=(5, 3)))

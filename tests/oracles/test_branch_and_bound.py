"""Branch and bound: known answers, equal to enumeration, and a bound that holds wherever it stops."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from architectures.cases import DATA, random_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual import load_model
from bidual.architectures import Branches, Linear, ReLU, Tanh
from bidual.architectures.branches import covers
from bidual.certificate import DualPoint, verify_bound
from bidual.errors import CertificateError, InvalidParameterError, RefusedError
from bidual.estimators import MLPRegressor
from bidual.estimators.stored import get_certificate, put_certificate
from bidual.losses import Squared
from bidual.operators.enclosures import Enclosures, Place
from bidual.oracles import BranchAndBound, Counted, Enumerated, LocalSearch, Pricing, SpikeFree
from bidual.penalties import Ball
from bidual.problem import Problem
from bidual.solvers import FrankWolfe, Status, Stop, WorkingSet
from bidual.testing import check_oracle
from oracles.test_oracles import O3, O4, ask, make_problem, stream

seeds = st.integers(0, 2**32 - 1)
alone = BranchAndBound(search=None)


def test_contract() -> None:
    for oracle in (alone, SpikeFree()):
        check_oracle(oracle)


@pytest.mark.parametrize(
    ("data", "bias", "best"),
    [
        (O3, "none", 14.5**0.5),
        (O4, "penalized", 5.0),
        (stream(8, 2), "none", 4.940168265289),
        (stream(8, 3), "none", 5.387192172940),
        (stream(10, 5), "none", 3.769165306611),
        (stream(20, 25), "none", 15.461077580216),
    ],
    ids=["O3", "O4", "O10-8-2", "O10-8-3", "O10-10-5", "O10-20-25"],
)
def test_known_answers(data: tuple[np.ndarray, np.ndarray], bias: str, best: float) -> None:
    X, v = data
    problem = make_problem(X, 1, ReLU(bias=bias))
    for V in (v[:, None], -v[:, None]):
        priced = ask(alone, problem, V, np.inf)
        assert priced.best_found == pytest.approx(best, abs=1e-8)
        assert best * (1 - 1e-12) <= priced.dual.bound.value <= best * (1 + 2e-8)


def test_equals_enumeration() -> None:
    """One output or two, all slopes, with and without bias; ties, duplicate, opposite and zero rows."""
    for seed in range(63):
        rng = np.random.default_rng(seed)
        X = random_rows(rng, int(rng.integers(1, 9)), int(rng.integers(1, 4)), DATA[seed % len(DATA)])
        V = rng.normal(size=(len(X), 1 + seed % 2))
        V = np.round(V) if seed % 5 == 0 else V
        architecture = ReLU((0.0, 0.1, -1.0)[seed // 3 % 3], ("none", "penalized")[seed // 2 % 2])
        problem = make_problem(X, V.shape[1], architecture)
        best = ask(Enumerated(), problem, V).best_found
        priced = ask(alone, problem, V, np.inf)
        verify_bound(problem, priced.dual)
        assert priced.best_found == pytest.approx(best, rel=1e-8, abs=1e-8)
        assert priced.dual.bound.value == pytest.approx(best, rel=3e-8, abs=3e-8)


@given(seed=seeds, limit=st.integers(2, 12), kind=st.sampled_from(DATA))
@settings(max_examples=15, deadline=None)
def test_no_neuron_exceeds_the_bound_wherever_it_stops(seed: int, limit: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X, V = random_rows(rng, 9, 3, kind), rng.normal(size=(9, 1))
    problem = make_problem(X, 1, ReLU(float(rng.uniform(-1, 0.9)), "none"))
    priced = ask(replace(alone, limit=limit), problem, V, np.inf)
    verify_bound(problem, priced.dual)
    U = rng.normal(size=(3, 500))
    scores = V[:, 0] @ (lambda z: np.where(z > 0, z, problem.architecture.slope * z))(
        X @ (U / np.linalg.norm(U, axis=0))
    )
    most = max(np.abs(scores).max(), ask(Enumerated(), problem, V).best_found)
    assert most <= priced.dual.bound.value * (1 + 1e-12)


def hard() -> tuple[Problem, np.ndarray]:
    """Rows and a vector whose root bound is loose."""
    rng = np.random.default_rng(0)
    return make_problem(rng.normal(size=(24, 4))), rng.normal(size=(24, 1))


def test_bounds_are_valid_when_time_expires() -> None:
    problem, V = hard()
    exact = ask(BranchAndBound(), problem, V, np.inf)
    assert exact.dual.bound.value <= exact.best_found * (1 + 2e-8)
    values = []
    for looks in (0, 300, 900):
        calls = iter(range(10**9))
        priced = ask(alone, problem, V, np.inf, expired=lambda looks=looks, calls=calls: next(calls) >= looks)
        verify_bound(problem, priced.dual)
        assert priced.dual.bound.value >= exact.best_found
        values.append(priced.dual.bound.value)
    assert values[0] > values[1] > values[2]


def test_stops_at_a_neuron_above_the_target() -> None:
    problem, V = hard()
    searched = ask(BranchAndBound(), problem, V, 0.0)
    assert searched.dual is None and searched.best_found > 0.0
    first, exact = ask(alone, problem, V, 0.0), ask(alone, problem, V, np.inf)
    verify_bound(problem, first.dual)
    assert 0 < first.best_found <= exact.best_found <= first.dual.bound.value
    assert len(first.dual.bound.branches.sign) < len(exact.dual.bound.branches.sign)


def test_search_is_overruled() -> None:
    """A search that finds little does not make the bound, or the neuron, any worse."""
    problem, V = hard()
    searched = Counted(SpikeFree())
    priced = ask(BranchAndBound(searched), problem, V, np.inf)
    assert searched.calls == 1
    assert ask(SpikeFree(), problem, V).best_found < priced.best_found
    assert priced.best_found == pytest.approx(ask(alone, problem, V, np.inf).best_found, rel=1e-9)
    assert priced.best_found == pytest.approx(ask(Enumerated(), problem, V).best_found, rel=1e-9)


def twin(sides: np.ndarray) -> bool:
    """Every choice is in a leaf."""
    choices = np.array(np.meshgrid(*[[-1, 1]] * sides.shape[1])).reshape(sides.shape[1], -1).T
    return bool(((sides[None] == 0) | (sides[None] == choices[:, None])).all(axis=2).any(axis=1).all())


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_covers_knows_trees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    leaves = [np.zeros(4, dtype=np.int8)]
    for _ in range(rng.integers(0, 12)):
        leaf = leaves.pop(rng.integers(len(leaves)))
        free = np.flatnonzero(leaf == 0)
        row = rng.choice(free) if free.size else 0
        leaves += [np.where(np.arange(4) == row, side, leaf) for side in (1, -1)] if free.size else [leaf]
    tree = np.array(leaves, dtype=np.int8)[rng.permutation(len(leaves))]
    assert covers(tree) and twin(tree)
    assert not covers(np.delete(tree, 0, axis=0))
    changed = tree.copy()
    changed[rng.integers(len(tree)), rng.integers(4)] = rng.integers(-1, 2)
    assert twin(changed) or not covers(changed)


@cache
def proven() -> tuple[Problem, DualPoint]:
    problem, V = hard()
    point = ask(BranchAndBound(), problem, V, np.inf).dual
    verify_bound(problem, point)
    assert point.bound.method == "branch and bound" and len(point.bound.branches.sign) > 4
    return problem, point


Change = Callable[[Branches], object]
FORGERIES: dict[str, Change] = {
    "no leaves": lambda b: None,
    "a leaf less": lambda b: Branches(b.output[1:], b.sign[1:], b.sides[1:], b.touch[1:]),
    "one sign": lambda b: Branches(*(getattr(b, name)[b.sign > 0] for name in ("output", "sign", "sides", "touch"))),
    "other signs": lambda b: replace(b, sign=-b.sign),
    "sign two": lambda b: replace(b, sign=2 * b.sign),
    "another output": lambda b: replace(b, output=b.output + 1),
    "other sides": lambda b: replace(b, sides=-b.sides[::-1]),
    "one side": lambda b: replace(b, sides=np.abs(b.sides)),
    "halves": lambda b: replace(b, sides=0.5 * b.sides),
    "double": lambda b: replace(b, sides=2 * b.sides),
    "all decided": lambda b: replace(b, sides=np.where(b.sides == 0, 1, b.sides).astype(np.int8)),
    "none decided": lambda b: replace(b, sides=0 * b.sides),
    "rows less": lambda b: replace(b, sides=b.sides[:, 1:], touch=b.touch[:, 1:]),
    "touch nan": lambda b: replace(b, touch=np.nan * b.touch),
    "touch negative": lambda b: replace(b, touch=-b.touch),
    "touch scaled": lambda b: replace(b, touch=1.1 * b.touch),
    "touch missing": lambda b: replace(b, touch=b.touch[:-1]),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_leaves_are_rejected(name: str) -> None:
    problem, point = proven()
    forged = replace(point.bound, branches=FORGERIES[name](point.bound.branches))
    with pytest.raises(CertificateError):
        verify_bound(problem, DualPoint(point.V, forged))


def test_forged_bounds_are_rejected() -> None:
    problem, point = proven()
    for bound in (
        replace(point.bound, value=point.bound.value * (1 - 1e-6)),
        replace(point.bound, method="semidefinite"),
        replace(point.bound, scope="patterns"),
    ):
        with pytest.raises(CertificateError):
            verify_bound(problem, DualPoint(point.V, bound))


def toy(n: int, d: int, seed: int) -> Problem:
    """Ten Gaussian neurons with Gaussian weights, and a fifth of their size."""
    rng = np.random.default_rng(seed)
    X, W, a = rng.standard_normal((n, d)), rng.standard_normal((10, d)), rng.standard_normal(10)
    size = float(np.abs(a) @ np.linalg.norm(W, axis=1))
    y = np.maximum(X @ W.T, 0.0) @ a
    return Problem(X, y[:, None], Squared(), ReLU(bias="none"), Ball(0.2 * size), intercept=False)


@pytest.mark.parametrize(("seed", "least"), [(0, 0.1114488308), (1, 0.04275963152), (4, 0.1994285994)])
@pytest.mark.parametrize("kind", [WorkingSet, FrankWolfe])
def test_planted_neurons_are_certified_globally(kind: type[WorkingSet | FrankWolfe], seed: int, least: float) -> None:
    """20 rows in 25 dimensions have 2^20 cells: no enumeration."""
    problem = toy(20, 25, seed)
    solution = kind(oracle=BranchAndBound(LocalSearch(100))).solve(problem, Stop(tol=1e-6))
    certificate = solution.certificate
    assert (solution.status, certificate.scope, certificate.method) == (Status.OPTIMAL, "global", "branch and bound")
    scale = 2.0 / float(np.sum(problem.Y**2))
    assert certificate.dual * scale <= least * (1 + 1e-9)
    assert certificate.primal * scale == pytest.approx(least, rel=2e-6)
    described, arrays = put_certificate(certificate)
    get_certificate(json.loads(json.dumps(described)), arrays).verify(problem, solution.network)


def test_estimators_keep_the_leaves(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 5))
    y = np.abs(X[:, 0]) + 0.1 * rng.normal(size=24)
    model = MLPRegressor(alpha=0.05, oracle="branch_and_bound", random_state=0).fit(X, y)
    assert (model.status_, model.certificate_.method) == ("optimal", "branch and bound")
    model.save(tmp_path / "model.npz")
    load_model(tmp_path / "model.npz").certificate_.verify(X, y)


def test_derivatives_of_the_bound() -> None:
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))
    f, nu = rng.uniform(0.5, 2, size=3), np.linalg.norm(B, axis=1)
    sought = Enclosures(A, rng.uniform(0.5, 2, size=4), B, f, nu, rng.normal(size=3))
    at, mu, eps = sought.look(replace(sought.first, g=np.array([0.1, -0.3, 0.2]))), 0.7, 1e-6
    gradient, H = sought._derivatives(at, mu)

    def beside(step: np.ndarray) -> Place:
        moved = sought.look(at.variables.moved(step, 1.0))
        assert moved is not None
        return moved

    for i, direction in enumerate(eps * np.eye(gradient.size)):
        up, down = beside(direction), beside(-direction)
        slope = (up.value + mu * up.barrier - down.value - mu * down.barrier) / (2 * eps)
        bend = (sought._derivatives(up, mu)[0] - sought._derivatives(down, mu)[0]) / (2 * eps)
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-6)
        assert H[i] == pytest.approx(bend, rel=1e-5, abs=1e-5)


def test_spike_free_is_exact_on_whitened_rows_only() -> None:
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.normal(size=(9, 6)))[0].T
    v = rng.normal(size=(6, 1))
    best = max(np.linalg.norm(np.maximum(s * v, 0.0)) for s in (1, -1))
    priced = ask(SpikeFree(), make_problem(Q), v)
    assert priced.best_found == pytest.approx(best, rel=1e-12) and priced.dual is None
    X, w = stream(20, 25)
    assert ask(SpikeFree(), make_problem(X), w[:, None]).best_found < 0.95 * 15.461077580216


def test_refusals() -> None:
    V = np.ones((3, 2))
    for architecture in (Linear(), Tanh(), ReLU(bias="free"), ReLU(outputs="shared")):
        with pytest.raises(RefusedError, match="BranchAndBound"):
            ask(alone, make_problem(np.eye(3), 2, architecture), V - 1.0)
    with pytest.raises(RefusedError, match="SpikeFree finds ReLU units"):
        ask(SpikeFree(), make_problem(np.eye(3), 2, Linear()), V)
    for wrong in ({"tol": 0.0}, {"tol": np.nan}, {"limit": 1}):
        with pytest.raises(InvalidParameterError):
            BranchAndBound(**wrong)


def test_answers_repeat() -> None:
    problem, V = hard()
    one, two = (ask(BranchAndBound(LocalSearch(20)), problem, V, np.inf) for _ in range(2))

    def parts(priced: Pricing) -> list[bytes]:
        branches = priced.dual.bound.branches
        return [part.tobytes() for part in (priced.scores, branches.sides, branches.touch)]

    assert parts(one) == parts(two)

"""Certificates: the dual never exceeds the primal, they verify, and no change to them goes unnoticed.

``CASES`` has a solved problem for every kind of proof. A tampering either must be rejected by ``verify`` whatever it
is applied to (``FORGERIES``), or is drawn at random, and then what is still accepted must still be true.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from architectures.cases import CASES as ARCHITECTURES
from architectures.cases import DATA, random_network, random_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from losses.cases import random_dual, random_targets

from bidual.architectures import Architecture, GatedReLU, Linear, ParallelGated, Patterns, ReLU, Witness, no_neurons
from bidual.architectures.patterns import sample
from bidual.certificate import (
    Bound,
    Certificate,
    DualPoint,
    certify,
    norm_point,
    pattern_point,
    relative,
    verify_bound,
    witness_point,
)
from bidual.errors import CertificateError, InvalidDataError
from bidual.gates import GateNetwork
from bidual.losses import LOSSES, Hinge, Huber, Logistic, Loss, Squared
from bidual.network import Layer, Network
from bidual.oracles import Enumerated, LocalSearch, Oracle, Sampled
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet

Proof = tuple[Problem, Network, Certificate]
Rng = np.random.Generator
seeds = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Case:
    """A problem, how it is priced, and the proof expected of it."""

    scope: str
    method: str
    architecture: Architecture = ReLU()
    penalty: Penalty = Strength(0.1)
    loss: Loss = Squared()
    oracle: Oracle | None = None
    c: int = 1
    intercept: bool = True


PARALLEL = ParallelGated(GateNetwork.sample(np.eye(2), 4, (3,)))

CASES: dict[str, Case] = {
    "relu": Case("global", "enumeration"),
    "leaky": Case("global", "enumeration", ReLU(0.1, "none"), intercept=False),
    "free": Case("global", "enumeration", ReLU(bias="free")),
    "gated": Case("global", "enumeration", GatedReLU()),
    "gated shared": Case("global", "enumeration", GatedReLU(outputs="shared"), c=2),
    "ball": Case("global", "enumeration", penalty=Ball(0.5)),
    "logistic": Case("global", "enumeration", loss=Logistic(), c=2),
    "linear": Case("global", "closed form", Linear(outputs="shared"), c=2),
    "zero": Case("global", "norms", penalty=Strength(100.0)),
    "relaxed": Case("global", "semidefinite", penalty=Strength(0.7), loss=Logistic(), oracle=LocalSearch(50)),
    "relaxed ball": Case("global", "semidefinite", penalty=Ball(0.1), oracle=LocalSearch(50), c=2),
    "listed": Case("patterns", "projection", oracle=Sampled(6)),
    "listed free": Case("patterns", "projection", ReLU(bias="free"), oracle=Sampled(8)),
    "listed gated": Case("patterns", "projection", GatedReLU(), oracle=Sampled(5)),
    "listed paths": Case("patterns", "projection", PARALLEL, oracle=Sampled(9)),
    "listed ball": Case("patterns", "projection", penalty=Ball(0.5), oracle=Sampled(6)),
}


@cache
def proof(name: str) -> Proof:
    case = CASES[name]
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(6, 2)), random_targets(case.loss, rng, 6, case.c)
    problem = Problem(X, Y, case.loss, case.architecture, case.penalty, intercept=case.intercept)
    solution = WorkingSet(oracle=case.oracle).solve(problem, Stop(1e-3))
    return problem, solution.network, solution.certificate


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_proof_has_a_case_and_verifies(name: str) -> None:
    problem, network, certificate = proof(name)
    assert (certificate.scope, certificate.method) == (CASES[name].scope, CASES[name].method)
    certificate.verify(problem, network)
    assert certificate.global_dual <= certificate.dual <= certificate.primal * (1 + 1e-9)
    assert certificate.dual > 0 and certificate.gap == certificate.primal - certificate.dual
    assert certificate.relative_gap == relative(certificate.gap, certificate.primal) <= 1e-3 or name != "relu"
    assert certificate.method in str(certificate) and certificate.scope in str(certificate)


# Tamperings: each returns the certificate and network that somebody claims for the same problem.

Claim = tuple[Certificate, Network]
Forgery = Callable[[Proof, Rng], Claim]


def field(name: str, change: Callable[[Certificate, Rng], object]) -> Forgery:
    return lambda proof, rng: (replace(proof[2], **{name: change(proof[2], rng)}), proof[1])


def points(change: Callable[[DualPoint, Rng], DualPoint]) -> Forgery:
    """Change the dual point of the scope, and the global one along with it if they are the same."""

    def forge(proof: Proof, rng: Rng) -> Claim:
        problem, network, c = proof
        point = change(c.point, rng)
        return replace(c, point=point, global_point=point if c.global_point is c.point else c.global_point), network

    return forge


def bound(**changes: Callable[[Bound, Rng], object]) -> Forgery:
    def change(point: DualPoint, rng: Rng) -> DualPoint:
        new = {name: make(point.bound, rng) for name, make in changes.items()}
        return DualPoint(point.V, replace(point.bound, **new))

    return points(change)


def consistently(forge: Forgery) -> Forgery:
    """The forgery with the stated duals recomputed, so that only its proof can give it away."""

    def careful(proof: Proof, rng: Rng) -> Claim:
        certificate, network = forge(proof, rng)
        duals = {
            "dual": certificate.point.value(proof[0]),
            "global_dual": certificate.global_point.value(proof[0]),
            "priced_gap": 0.0,
        }
        return replace(certificate, **duals), network

    return careful


def small(rng: Rng) -> float:
    """A relative change that is not rounding."""
    return float(10 ** rng.uniform(-6, -0.5))


def network_of(change: Callable[[Layer, Layer, Rng], tuple[Layer, ...]]) -> Forgery:
    return lambda proof, rng: (proof[2], Network(change(*proof[1].layers, rng)))


def nudge(array: np.ndarray, rng: Rng) -> np.ndarray:
    """One entry moved by a visible amount."""
    changed = np.array(array, dtype=float)
    place = tuple(rng.integers(0, k) for k in changed.shape)
    changed[place] += rng.choice([-1.0, 1.0]) * max(abs(changed[place]), np.abs(changed).max()) * (0.01 + small(rng))
    return changed


def pick(patterns: Patterns, columns: np.ndarray) -> Patterns:
    return Patterns(patterns.masks[:, columns], patterns.gates[:, columns])


def without_one(patterns: Patterns, rng: Rng) -> Patterns:
    return pick(patterns, np.delete(np.arange(len(patterns)), rng.integers(len(patterns))))


def one_twice(patterns: Patterns, rng: Rng) -> Patterns:
    columns = np.arange(len(patterns))
    gone, kept = rng.choice(len(patterns), size=2, replace=False)
    columns[gone] = kept
    return pick(patterns, columns)


def flip(patterns: Patterns, rng: Rng) -> Patterns:
    masks = patterns.masks.copy()
    place = tuple(rng.integers(0, k) for k in masks.shape)
    masks[place] = ~masks[place]
    return Patterns(masks, patterns.gates)


def bad_gate(patterns: Patterns, rng: Rng) -> Patterns:
    gates = patterns.gates.copy()
    gates[:, rng.integers(len(patterns))] *= rng.choice([-1.0, 0.0])
    return Patterns(patterns.masks, gates)


def other_V(point: DualPoint, rng: Rng) -> DualPoint:
    V = nudge(point.V, rng)
    return DualPoint(V, point.bound)


def witness(**changes: Callable[[Witness, Rng], np.ndarray]) -> Forgery:
    def change(b: Bound, rng: Rng) -> Witness:
        assert b.witness is not None
        return replace(b.witness, **{name: make(b.witness, rng) for name, make in changes.items()})

    return bound(witness=change)


def as_global(method: str) -> Forgery:
    """A list of patterns passed off as all there are."""

    def forge(proof: Proof, rng: Rng) -> Claim:
        problem, network, c = proof
        point = DualPoint(c.point.V, replace(c.point.bound, scope="global", method=method))
        return replace(
            c, scope="global", method=method, global_dual=c.dual, global_method=method, point=point, global_point=point
        ), network

    return forge


ANY: dict[str, Forgery] = {
    "primal up": field("primal", lambda c, rng: c.primal * (1 + small(rng))),
    "primal down": field("primal", lambda c, rng: c.primal * (1 - small(rng))),
    "primal nan": field("primal", lambda c, rng: math.nan),
    "dual up": field("dual", lambda c, rng: c.dual + small(rng) * c.primal),
    "dual down": field("dual", lambda c, rng: c.dual - small(rng) * c.primal),
    "dual nan": field("dual", lambda c, rng: math.nan),
    "global dual up": field("global_dual", lambda c, rng: c.global_dual + small(rng) * c.primal),
    "global dual nan": field("global_dual", lambda c, rng: math.nan),
    "scope": field("scope", lambda c, rng: "patterns" if c.scope == "global" else "global"),
    "method": field("method", lambda c, rng: "norms" if c.method != "norms" else "enumeration"),
    "global method": field("global_method", lambda c, rng: "projection"),
    "priced gap below 0": field("priced_gap", lambda c, rng: -small(rng) * c.primal),
    "priced gap above the global gap": field("priced_gap", lambda c, rng: c.primal - c.global_dual + small(rng)),
    "priced gap nan": field("priced_gap", lambda c, rng: math.nan),
    "V": points(other_V),
    "V zero": points(lambda point, rng: DualPoint(0 * point.V, point.bound)),
    "V nan": points(lambda point, rng: DualPoint(np.nan * point.V, point.bound)),
    "V of another shape": points(lambda point, rng: DualPoint(point.V[:-1], point.bound)),
    "V doubled": consistently(points(lambda point, rng: DualPoint(2 * point.V, point.bound))),
    "bound 10 % too small": bound(value=lambda b, rng: 0.9 * b.value),
    "bound too small": consistently(bound(value=lambda b, rng: b.value * (1 - small(rng)))),
    "bound zero": consistently(bound(value=lambda b, rng: 0.0)),
    "bound nan": bound(value=lambda b, rng: math.nan),
    "bound scope": bound(scope=lambda b, rng: "patterns" if b.scope == "global" else "global"),
    "bound method": bound(method=lambda b, rng: "projection" if b.method != "projection" else "norms"),
    "intercept": network_of(lambda h, o, rng: (h, Layer(o.weight, nudge(o.bias + 0.1, rng)))),
    "one layer": network_of(lambda h, o, rng: (Layer(np.zeros((2, o.weight.shape[1])), o.bias),)),
    "activation": network_of(lambda h, o, rng: (Layer(h.weight, h.bias, "tanh"), o)),
}

NEURONS: dict[str, Forgery] = {
    "weights out": network_of(lambda h, o, rng: (h, Layer(nudge(o.weight, rng), o.bias))),
    "weights in": network_of(lambda h, o, rng: (replace(h, weight=nudge(h.weight, rng)), o)),
    "weights scaled": network_of(lambda h, o, rng: (h, Layer(o.weight * (1.01 + small(rng)), o.bias))),
}

PATTERNS: dict[str, Forgery] = {
    "no patterns": bound(patterns=lambda b, rng: None),
    "masks of other rows": bound(patterns=lambda b, rng: Patterns(b.patterns.masks[:-1], b.patterns.gates)),
}

ENUMERATION: dict[str, Forgery] = {
    "one cell less": bound(patterns=lambda b, rng: without_one(b.patterns, rng), witness=lambda b, rng: None),
    "one cell less, and its witness": bound(patterns=lambda b, rng: pick(b.patterns, np.arange(len(b.patterns) - 1))),
    "one cell twice": bound(patterns=lambda b, rng: one_twice(b.patterns, rng)),
    "one cell more": bound(patterns=lambda b, rng: pick(b.patterns, np.append(np.arange(len(b.patterns)), 0))),
    "mask": bound(patterns=lambda b, rng: flip(b.patterns, rng)),
    "gate": bound(patterns=lambda b, rng: bad_gate(b.patterns, rng)),
}

WITNESS: dict[str, Forgery] = {
    "negative multipliers": witness(values=lambda w, rng: -1.0 - w.values),
    "nan multipliers": witness(values=lambda w, rng: np.nan * w.values),
    "huge multipliers": witness(values=lambda w, rng: 1e3 + w.values),
    "sign zero": witness(blocks=lambda w, rng: w.blocks * [1, 1, 0]),
    "sign two": witness(blocks=lambda w, rng: w.blocks * [1, 1, 2]),
    "pattern out of range": witness(blocks=lambda w, rng: w.blocks + [10**6, 0, 0]),
    "output out of range": witness(blocks=lambda w, rng: w.blocks + [0, 1, 0]),
    "row out of range": witness(rows=lambda w, rng: w.rows + 1000),
    "negative row": witness(rows=lambda w, rng: w.rows - 1000),
    "too few values": witness(values=lambda w, rng: w.values[:-1]),
    "too many starts": witness(start=lambda w, rng: np.append(w.start, w.start[-1])),
    "starts in disorder": witness(start=lambda w, rng: np.concatenate([w.start[:1], w.start[:0:-1]])),
    "no witness": bound(witness=lambda b, rng: None),
}

ENCLOSURES: dict[str, Forgery] = {
    "no enclosures": bound(touch=lambda b, rng: None),
    "enclosures of other rows": bound(touch=lambda b, rng: b.touch[:, :, 1:]),
    "enclosures of one sign": bound(touch=lambda b, rng: b.touch[:, :1]),
    "enclosures nan": bound(touch=lambda b, rng: np.nan * b.touch),
    "enclosures of the other sign": bound(touch=lambda b, rng: b.touch[:, ::-1]),
    "enclosures below |z|": bound(touch=lambda b, rng: -b.touch),
    "enclosures scaled": bound(touch=lambda b, rng: b.touch * np.exp(rng.choice([-1, 1]) * (0.1 + small(rng)))),
}

LISTED: dict[str, Forgery] = {
    "as semidefinite": as_global("semidefinite"),
    "as all cells": as_global("enumeration"),
    "as norms": as_global("norms"),
    "as closed form": as_global("closed form"),
    "as global projection": as_global("projection"),
    "no patterns at all": consistently(
        bound(
            patterns=lambda b, rng: pick(b.patterns, np.zeros(0, dtype=int)),
            witness=lambda b, rng: None,
            value=lambda b, rng: 0.0,
        )
    ),
}


def forgeries(name: str) -> dict[str, Forgery]:
    """Those that apply to a case."""
    case, found = CASES[name], dict(ANY)
    if name != "zero":
        found |= NEURONS
        found["bound too large"] = bound(value=lambda b, rng: b.value * (1 + small(rng)))
    if case.method in ("enumeration", "projection"):
        found |= PATTERNS
        if isinstance(case.architecture, ReLU):
            found |= WITNESS
    if case.method == "semidefinite":
        found |= ENCLOSURES
    if case.method == "enumeration":
        found |= ENUMERATION
    if case.scope == "patterns":
        found |= LISTED
    return found


@pytest.mark.parametrize(("name", "forgery"), [(name, forgery) for name in CASES for forgery in forgeries(name)])
def test_forgeries_are_rejected(name: str, forgery: str) -> None:
    problem, network, certificate = proof(name)
    certificate.verify(problem, network)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        forged, other = forgeries(name)[forgery](proof(name), rng)
        with pytest.raises(CertificateError):
            forged.verify(problem, other)


def test_there_are_hundreds_of_forgeries() -> None:
    assert sum(3 * len(forgeries(name)) for name in CASES) > 1000


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("what", ["X", "Y", "weights", "penalty", "architecture", "loss"])
def test_a_certificate_is_of_one_problem(name: str, what: str) -> None:
    problem, network, certificate = proof(name)
    rng, penalty = np.random.default_rng(0), problem.penalty
    other = {
        "X": lambda: nudge(problem.X, rng),
        "Y": lambda: nudge(problem.Y, rng) if problem.loss.targets == "real" else -problem.Y,
        "weights": lambda: nudge(problem.weights, rng),
        "penalty": lambda: Ball(0.9 * penalty.radius) if isinstance(penalty, Ball) else Strength(0.9 * penalty.beta),
        "architecture": lambda: Linear() if not isinstance(problem.architecture, Linear) else GatedReLU(),
        "loss": lambda: Huber(0.01) if problem.loss.targets == "real" else Hinge(),
    }[what]()
    changed = replace(problem, **{what: other})
    if name == "zero" and what in ("X", "penalty"):
        return  # still true: the network has no neurons, and V scores little enough
    with pytest.raises(CertificateError):
        certificate.verify(changed, network)


CHANGES: list[Forgery] = [
    bound(patterns=lambda b, rng: flip(b.patterns, rng)),
    bound(patterns=lambda b, rng: bad_gate(b.patterns, rng)),
    bound(patterns=lambda b, rng: without_one(b.patterns, rng)),
    witness(values=lambda w, rng: w.values * rng.uniform(0, 2, size=w.values.size)),
    witness(values=lambda w, rng: np.where(rng.uniform(size=w.values.size) < 0.2, 0.0, w.values)),
    witness(blocks=lambda w, rng: w.blocks * rng.choice([-1, 1], size=(len(w.blocks), 3))),
    witness(blocks=lambda w, rng: w.blocks[rng.permutation(len(w.blocks))]),
    witness(rows=lambda w, rng: rng.integers(0, 6, size=w.rows.size)),
    bound(value=lambda b, rng: b.value * rng.uniform(0.5, 2)),
    points(other_V),
    points(lambda point, rng: DualPoint(-point.V, point.bound)),
    points(lambda point, rng: DualPoint(point.V * rng.uniform(0.1, 10), point.bound)),
]


@pytest.mark.parametrize("name", ["relu", "leaky", "free", "ball", "logistic", "listed", "listed free", "listed ball"])
@given(seed=seeds, which=st.lists(st.sampled_from(range(len(CHANGES))), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_what_is_accepted_is_true(name: str, seed: int, which: list[int]) -> None:
    """A careful forger, who states what follows from what he changed."""
    problem, network, genuine = proof(name)
    best = proof("relu" if name == "listed" else "ball" if name == "listed ball" else name)[2].primal
    forged: Certificate = genuine
    for i in which:
        forged, _ = consistently(CHANGES[i])((problem, network, forged), np.random.default_rng(seed + i))
    try:
        forged.verify(problem, network)
    except CertificateError:
        return
    assert forged.global_dual <= best * (1 + 1e-9)
    assert forged.dual <= forged.primal * (1 + 1e-9)
    V, neurons = forged.point.V, problem.architecture.from_network(network)[0]
    scores = np.abs(
        np.einsum("nm,nm->m", V @ neurons.outputs, problem.architecture.activations(problem.lifted, neurons))
    )
    assert (scores <= forged.point.bound.value * (1 + 1e-9)).all()


def random_problem(seed: int, architecture: Architecture) -> tuple[Problem, Rng]:
    rng = np.random.default_rng(seed)
    loss = list(LOSSES.values())[seed % len(LOSSES)]()
    n, d = int(rng.integers(1, 7)), int(rng.integers(1, 3))
    c = 2 if loss.name == "multinomial" else int(rng.integers(1, 3))
    d = architecture.n_features or d
    X, Y = random_rows(rng, n, d, DATA[seed % len(DATA)]), random_targets(loss, rng, n, c)
    penalty = Strength(float(rng.uniform(0.05, 2))) if rng.uniform() < 0.7 else Ball(float(rng.uniform(0.5, 50)))
    weights = rng.uniform(0.2, 3.0, size=n) if rng.uniform() < 0.5 else None
    intercept = architecture.bias == "free" or bool(rng.uniform() < 0.5)
    return Problem(X, Y, loss, architecture, penalty, weights, intercept), rng


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
@given(seed=seeds, own=st.booleans(), listed=st.booleans(), hurry=st.booleans(), found=st.floats(0, 5))
@settings(max_examples=12, deadline=None)
def test_any_network_gets_a_certificate_that_holds(
    architecture: Architecture, seed: int, own: bool, listed: bool, hurry: bool, found: float
) -> None:
    problem, rng = random_problem(seed, architecture)
    m = int(rng.integers(0, 5))
    network = random_network(architecture, rng, problem.X.shape[1], problem.n_outputs, m, problem.intercept)
    V = None if own else problem.feasible(random_dual(problem.loss, rng, problem.Y, problem.weights))
    patterns = architecture.sample(problem.lifted, 3, 0) if listed and not isinstance(architecture, Linear) else None
    certificate = certify(problem, network, V, found, patterns, None, hurry)
    assert certificate.primal == problem.objective(network)
    rounding = 1e-9 * abs(certificate.primal)
    assert certificate.global_dual <= certificate.dual <= certificate.primal + rounding
    assert 0 <= certificate.priced_gap <= certificate.primal - certificate.global_dual + rounding
    if np.isfinite(certificate.primal):
        certificate.verify(problem, network)
    else:
        with pytest.raises(CertificateError, match="outside the problem's domain"):
            certificate.verify(problem, network)


@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_a_search_never_moves_the_dual(seed: int) -> None:
    """What a search found, or failed to find, moves the priced gap alone."""
    problem, rng = random_problem(seed, ReLU())
    network = random_network(ReLU(), rng, problem.X.shape[1], problem.n_outputs, 3, problem.intercept)
    certificates = [certify(problem, network, best_found=score) for score in (0.0, 0.5, 1e6)]
    for certificate in certificates[1:]:
        assert certificate.global_dual == certificates[0].global_dual
        assert certificate.dual <= certificates[0].dual + 1e-9 * abs(certificates[0].primal)
        assert certificate.priced_gap >= certificates[0].priced_gap


@pytest.mark.parametrize("name", ["listed", "listed gated"])
def test_a_network_slid_off_its_patterns(name: str) -> None:
    problem, network, _ = proof(name)
    listed = sample(problem.lifted, 2, 5)
    loose = norm_point(problem, problem.dual_vector(network(problem.X)))
    certificate = certify(problem, network, listed=listed, whole=loose)
    assert certificate.scope == "patterns" and len(certificate.point.bound.patterns) > len(listed)
    certificate.verify(problem, network)
    fewer = replace(certificate.point.bound, patterns=listed, witness=None, value=1e9)
    forged = consistently(points(lambda point, rng: DualPoint(point.V, fewer)))((problem, network, certificate), None)[
        0
    ]
    with pytest.raises(CertificateError, match="lies on none of the listed patterns"):
        forged.verify(problem, network)


def test_a_point_proven_on_patterns_is_used_where_it_covers_the_network() -> None:
    problem, network, genuine = proof("listed")
    own, whole = genuine.point, norm_point(problem, genuine.point.V)
    again = certify(problem, network, own.V, 0.0, whole=whole, proven=own)
    assert again.point is own and again.dual == genuine.dual
    few, _ = pattern_point(problem, own.V, sample(problem.lifted, 1, 5), 0.0)
    other = certify(problem, network, own.V, 0.0, whole=whole, proven=few)
    assert other.point is not few and len(other.point.bound.patterns) > 1
    other.verify(problem, network)


@given(seed=seeds, scale=st.floats(0.0, 10.0))
@settings(max_examples=50, deadline=None)
def test_any_multipliers_prove_a_bound(seed: int, scale: float) -> None:
    problem, _, genuine = proof("listed")
    patterns, rng = genuine.point.bound.patterns, np.random.default_rng(seed)
    V = problem.feasible(rng.normal(size=problem.Y.shape))
    best, _ = pattern_point(problem, V, patterns, 0.0)
    witness = replace(best.bound.witness, values=scale * rng.exponential(size=best.bound.witness.values.shape))
    point = witness_point(problem, V, patterns, witness)
    assert point.bound.value >= best.bound.value * (1 - 1e-9)
    verify_bound(problem, point)


def test_a_global_point_already_proven_is_used() -> None:
    problem, network, genuine = proof("relu")
    nothing = no_neurons(problem.lifted.shape[1], 1)
    V = problem.dual_vector(network(problem.X))
    whole = Enumerated().price(problem, V, nothing, 0.0, np.random.default_rng(0)).dual
    certificate = certify(problem, network, whole=whole)
    assert (certificate.scope, certificate.method) == ("global", "enumeration")
    assert certificate.global_dual == certificate.dual == whole.value(problem) > norm_point(problem, V).value(problem)
    certificate.verify(problem, network)


def test_networks_of_another_class_get_no_certificate() -> None:
    problem, network, _ = proof("relu")
    hidden, last = network.layers
    for other in (
        Network((Layer(hidden.weight, hidden.bias, "tanh"), last)),
        Network((hidden, Layer(last.weight, last.bias, "sign"))),
        Network((Layer(np.ones((5, 1)), [0.0], "relu"), Layer([[1.0]], [0.0]))),
    ):
        with pytest.raises(InvalidDataError, match="network"):
            certify(problem, other)


def test_bounds_verify_alone() -> None:
    problem, network, certificate = proof("relu")
    verify_bound(problem, certificate.point)
    verify_bound(problem, norm_point(problem, certificate.point.V))
    with pytest.raises(CertificateError, match="needs its list of patterns"):
        verify_bound(problem, DualPoint(certificate.point.V, Bound(1e9, "global", "enumeration")))
    with pytest.raises(CertificateError, match="proves nothing of scope"):
        verify_bound(problem, DualPoint(certificate.point.V, Bound(1e9, "patterns", "norms")))


def forged_witness(name: str, signed: bool) -> tuple[Problem, DualPoint]:
    """A bound of all but 0 by multipliers of any sign; or, by no multipliers, that of the weights of a free bias."""
    problem, _, certificate = proof(name)
    V, patterns, Xl = certificate.point.V, certificate.point.bound.patterns, problem.lifted
    P, n = len(patterns), len(Xl)
    pairs = [(j, sign) for j in range(P) for sign in (1, -1)]
    C = Xl.T @ (patterns.masks * V)
    A = [np.where(patterns.masks[:, j : j + 1], Xl, -Xl) for j in range(P)]
    mu = [np.linalg.lstsq(A[j].T, -sign * C[:, j])[0] if signed else np.zeros(n) for j, sign in pairs]
    every, start = np.tile(np.arange(n), 2 * P), n * np.arange(2 * P + 1)
    forged = Witness(np.array([(j, 0, sign) for j, sign in pairs]), start, every, np.concatenate(mu))
    value = 1e-9 if signed else float(np.linalg.norm(C[:-1], axis=0).max())
    return problem, DualPoint(V, replace(certificate.point.bound, value=value, witness=forged))


@pytest.mark.parametrize(
    ("name", "signed", "message"),
    [("relu", True, "negative multipliers"), ("free", True, "negative"), ("free", False, "only inf is proven")],
)
def test_a_witness_is_nonnegative_and_closes_a_free_bias(name: str, signed: bool, message: str) -> None:
    problem, point = forged_witness(name, signed)
    with pytest.raises(CertificateError, match=message):
        verify_bound(problem, point)


def test_relative_gap() -> None:
    assert relative(0.0, 0.0) == 0.0 and relative(1e-3, 0.0) == math.inf
    assert relative(0.5, 2.0) == relative(0.5, -2.0) == 0.25

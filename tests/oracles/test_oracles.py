"""Oracles: known answers, what each may claim, and that no search finds what enumeration missed."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from architectures.cases import DATA, balanced, every_architecture, every_piecewise, random_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import (
    Architecture,
    GatedReLU,
    Linear,
    Neurons,
    ParallelGated,
    ParallelReLU3,
    Patterns,
    ReLU,
    Sign,
    Tanh,
    no_neurons,
)
from bidual.architectures.patterns import sample
from bidual.certificate import verify_bound
from bidual.errors import InvalidDataError, InvalidParameterError, RefusedError
from bidual.losses import Squared
from bidual.oracles import (
    ORACLES,
    Cached,
    Counted,
    Enumerated,
    Listed,
    LocalSearch,
    Oracle,
    Pricing,
    Sampled,
    Split,
    local_search,
)
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.typing import never

seeds = st.integers(0, 2**32 - 1)


def make_problem(X: np.ndarray, c: int = 1, architecture: Architecture | None = None) -> Problem:
    architecture = architecture or ReLU(bias="none")
    free = architecture.bias == "free"
    return Problem(X, np.zeros((len(X), c)), Squared(), architecture, Strength(1.0), intercept=free)


def ask(oracle: Oracle, problem: Problem, V: np.ndarray, target: float = 0.0, seed: int = 0, **more) -> Pricing:
    nothing = no_neurons(problem.lifted.shape[1], V.shape[1], problem.architecture.gated)
    return oracle.price(problem, V, nothing, target, np.random.default_rng(seed), **more)


def sides(X: np.ndarray, v: np.ndarray, oracle: Oracle, bias: str = "none") -> tuple[float, float]:
    """The largest scores of neurons with output +1 and with output -1."""
    priced = ask(oracle, make_problem(X, 1, ReLU(bias=bias)), v[:, None])
    signs = priced.neurons.outputs[0]
    return priced.scores[signs > 0].max(initial=0.0), priced.scores[signs < 0].max(initial=0.0)


def stream(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    return rng.standard_normal((n, d)), rng.standard_normal(n)


O3 = np.array([[1.0, 0], [0, 1], [1, 1], [-1, 2], [2, -1]]), np.array([1.0, -1, 0.5, 2, -0.5])
O4 = np.arange(-2.0, 3.0)[:, None], np.array([1.0, -1, 1, 0, 2])


@pytest.mark.parametrize(
    ("data", "bias", "up", "down"),
    [
        (O3, "none", 14.5**0.5, 0.5),
        (O4, "penalized", 5.0, 0.0),
        (stream(8, 2), "none", 0.0, 4.940168265289),
        (stream(8, 3), "none", 0.126869784227, 5.387192172940),
        (stream(10, 5), "none", 3.769165306611, 2.565599637045),
    ],
    ids=["O3", "O4", "O10-8-2", "O10-8-3", "O10-10-5"],
)
def test_known_answers(data: tuple[np.ndarray, np.ndarray], bias: str, up: float, down: float) -> None:
    """Incremental.md section 4; both signs, always."""
    X, v = data
    for oracle in (Enumerated(), Sampled(3000)):
        assert sides(X, v, oracle, bias) == pytest.approx((up, down), abs=1e-8)
        assert sides(X, -v, oracle, bias) == pytest.approx((down, up), abs=1e-8)
    for V in (v[:, None], -v[:, None]):
        found = ask(LocalSearch(), make_problem(X, 1, ReLU(bias=bias)), V, np.inf).best_found
        assert found == pytest.approx(max(up, down), abs=1e-8)


def test_search_reaches_a_known_answer_that_cannot_be_enumerated() -> None:
    X, v = stream(20, 25)
    with pytest.raises(RefusedError, match="limit=20000"):
        sides(X, v, Enumerated())
    up = ask(LocalSearch(), make_problem(X), v[:, None], np.inf).best_found
    assert up == pytest.approx(15.461077580216, abs=1e-8)


@pytest.mark.parametrize("common", [0.0, 10.0])
def test_search_with_free_biases_finds_the_best_on_correlated_features(common: float) -> None:
    reached = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, V = rng.normal(size=(20, 2)) + common * rng.normal(size=(20, 1)), rng.normal(size=(20, 1))
        problem = make_problem(X, 1, ReLU(bias="free"))
        V -= V.mean()
        best = ask(Enumerated(), problem, V, np.inf).best_found
        reached.append(ask(LocalSearch(100), problem, V, np.inf).best_found >= (1 - 1e-6) * best)
    assert np.mean(reached) >= 0.8, np.mean(reached)


@pytest.mark.parametrize("bias", ["free", "penalized", "none"])
@pytest.mark.parametrize("unit", [1e-160, 1e-39, 1e39])
def test_search_in_any_unit_of_the_data(bias: str, unit: float) -> None:
    rng = np.random.default_rng(0)
    X, V = rng.normal(size=(60, 5)), rng.normal(size=(60, 1))
    V -= V.mean()
    best = ask(LocalSearch(50), make_problem(X, 1, ReLU(bias="none" if bias == "penalized" else bias)), V, np.inf)
    found = ask(LocalSearch(50), make_problem(unit * X, 1, ReLU(bias=bias)), V, np.inf)
    expected = 0.0 if bias == "penalized" and unit < 1 else unit * best.best_found
    assert found.best_found == pytest.approx(expected, rel=0.02, abs=1e-9 * max(unit, 1e-3))


def test_a_large_network_asks_for_many_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    problem, V, counts = make_problem(rng.normal(size=(200, 20))), rng.normal(size=(200, 1)), []
    starts = local_search._random_starts

    def counted(problem: Problem, V: np.ndarray, current: Neurons, count: int, rng: np.random.Generator):
        counts.append(count)
        return starts(problem, V, current, count, rng)

    monkeypatch.setattr(local_search, "_random_starts", counted)
    found = ask(LocalSearch(), problem, V, np.inf)
    assert sum(counts) == 400
    for neurons, batches in ((0, 1), (100, 4)):
        counts.clear()
        network = found.neurons.take(np.arange(neurons))
        LocalSearch().price(problem, V, network, 0.8 * found.best_found, rng)
        assert len(counts) == batches


def angles_twin(X: np.ndarray, v: np.ndarray, slope: float) -> float:
    """max over unit u of the plane: on every arc between two lines the score is ``a cos + b sin``."""
    walls = np.arctan2(X[:, 1], X[:, 0])
    ends = np.sort(np.concatenate([walls + np.pi / 2, walls - np.pi / 2]) % (2 * np.pi))
    best = 0.0
    for a, b in zip(ends, np.append(ends[1:], ends[0] + 2 * np.pi), strict=True):
        middle = (a + b) / 2
        active = X @ [np.cos(middle), np.sin(middle)] > 0
        w = X.T @ (np.where(active, 1.0, slope) * v)
        peak = np.arctan2(w[1], w[0])
        for angle in (a, b, *(peak + k * np.pi for k in range(-2, 5))):
            if a <= angle <= b:
                best = max(best, abs(w @ [np.cos(angle), np.sin(angle)]))
    return best


@pytest.mark.parametrize("slope", [0.0, 0.1, -1.0])
@given(seed=seeds, kind=st.sampled_from(DATA))
@settings(max_examples=25, deadline=None)
def test_plane_equals_a_sweep_over_angles(slope: float, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X = random_rows(rng, int(rng.integers(1, 9)), 2, kind)
    v = rng.normal(size=len(X))
    bound = ask(Enumerated(), make_problem(X, 1, ReLU(slope, "none")), v[:, None]).dual.bound.value
    assert bound == pytest.approx(angles_twin(X, v, slope), abs=1e-8)


@every_architecture
@pytest.mark.parametrize("c", [1, 2])
def test_enumeration_is_never_beaten_by_search_or_samples(architecture: Architecture, c: int) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, V = random_rows(rng, 7, architecture.n_features or 2, DATA[seed]), balanced(rng.normal(size=(7, c)))
        problem = make_problem(X, c, architecture)
        try:
            everything = ask(Enumerated(), problem, V)
        except RefusedError:
            bare = architecture.gated and architecture.bias == "none"
            assert bare or isinstance(architecture, Tanh | ParallelGated | ParallelReLU3)
            continue
        bound = everything.dual.bound
        assert bound.scope == "global" or architecture.faces and architecture.bias == "none"
        verify_bound(problem, everything.dual)
        assert everything.best_found <= bound.value * (1 + 1e-9) + 1e-9
        others = [Sampled(100, seed)] + ([LocalSearch(30)] if isinstance(architecture, ReLU) else [])
        for oracle in others if bound.scope == "global" else []:
            found = ask(oracle, problem, V, np.inf, seed)
            assert found.best_found <= bound.value * (1 + 1e-9) + 1e-8
            assert found.dual is None or found.dual.bound.value <= bound.value * (1 + 1e-7) + 1e-9 or c == 2


def test_search_reaches_the_enumerated_value_on_most_small_problems() -> None:
    reached = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        architecture = ReLU((0.0, 0.1, -1.0)[seed % 3], ("none", "penalized", "free")[seed // 3 % 3])
        X, V = random_rows(rng, 8, 2 + seed % 2), balanced(rng.normal(size=(8, 1)))
        problem = make_problem(X, 1, architecture)
        best = ask(Enumerated(), problem, V).best_found
        found = ask(LocalSearch(), problem, V, best * (1 - 1e-9), seed).best_found
        assert found <= best * (1 + 1e-9)
        reached.append(found >= best * (1 - 1e-8))
    assert np.mean(reached) >= 0.95


@pytest.mark.parametrize("outputs", ["separate", "shared"])
def test_search_claims_no_bound_and_its_scores_are_those_of_its_networks(outputs: str) -> None:
    rng = np.random.default_rng(2)
    problem = make_problem(random_rows(rng, 8, 3), 2, ReLU(outputs=outputs))
    V = rng.normal(size=(8, 2))
    priced = ask(LocalSearch(), problem, V)
    assert priced.dual is None and len(priced.neurons) == priced.scores.size > 0
    assert (np.diff(priced.scores) <= 0).all()
    for j in range(len(priced.neurons)):
        one = problem.architecture.to_network(priced.neurons.take(np.array([j])), np.ones(1), np.zeros(2))
        assert np.sum(V * one(problem.X)) == pytest.approx(priced.scores[j], abs=1e-9)
        assert problem.architecture.size(one) == pytest.approx(1.0) or priced.scores[j] == 0.0
    if outputs == "separate":
        assert priced.best_found == pytest.approx(ask(Enumerated(), problem, V).best_found)


def test_search_stops_at_its_target_or_when_time_has_expired() -> None:
    rng = np.random.default_rng(0)
    problem, V = make_problem(random_rows(rng, 20, 4)), rng.normal(size=(20, 1))
    state = np.random.default_rng(1)
    nothing = no_neurons(4, 1)
    LocalSearch().price(problem, V, nothing, 0.0, state)
    used_by_easy = state.bit_generator.state["state"]["state"]
    state = np.random.default_rng(1)
    LocalSearch().price(problem, V, nothing, np.inf, state)
    assert state.bit_generator.state["state"]["state"] != used_by_easy
    assert len(ask(LocalSearch(), problem, V, expired=lambda: True).neurons) == 0


def test_search_starts_from_the_current_neurons() -> None:
    X, v = stream(8, 3)
    problem = make_problem(X)
    best = ask(Enumerated(), problem, v[:, None]).neurons.take(np.array([0]))
    rng = np.random.default_rng(0)
    nudged = Neurons(best.inputs + 1e-3 * rng.normal(size=(3, 1)), best.outputs)
    found = LocalSearch(1).price(problem, v[:, None], nudged, np.inf, np.random.default_rng(4))
    assert found.best_found == pytest.approx(5.387192172940, abs=1e-8)
    assert ask(LocalSearch(1), problem, v[:, None], np.inf, 4).best_found < 5.3


def test_winners_cross_walls_to_local_maxima(monkeypatch: pytest.MonkeyPatch) -> None:
    """No small step leads up from where crossing ends, on whichever side of the walls nearby."""
    monkeypatch.setattr(local_search, "CROSSINGS", 50)
    rng = np.random.default_rng(0)
    X, v = random_rows(rng, 12, 3), rng.normal(size=(12, 1))
    problem = make_problem(X)
    U = rng.normal(size=(3, 50))
    starts = Neurons(U / np.linalg.norm(U, axis=0), np.ones((1, 50)))
    search = local_search._Search(problem, problem.architecture, v, "cpu", never)
    found = search.in_cells(starts, np.inf)
    for u in found.neurons.inputs.T[found.scores > 0]:
        around = u[:, None] + 1e-4 * rng.normal(size=(3, 200))
        scores = v[:, 0] @ np.maximum(X @ (around / np.linalg.norm(around, axis=0)), 0.0)
        assert scores.max() <= v[:, 0] @ np.maximum(X @ u, 0.0) + 1e-7


def test_search_is_reproducible_and_refuses_gates() -> None:
    rng = np.random.default_rng(0)
    X, V = random_rows(rng, 12, 3), rng.normal(size=(12, 1))
    one, two = (ask(LocalSearch(), make_problem(X), V, np.inf, seed=5) for _ in range(2))
    assert one.scores.tobytes() == two.scores.tobytes() and one.neurons.inputs.tobytes() == two.neurons.inputs.tobytes()
    for architecture in (GatedReLU(), Linear()):
        with pytest.raises(RefusedError, match="Sampled, Listed or Enumerated"):
            ask(LocalSearch(), make_problem(X, 1, architecture), V)


def test_search_on_torch_finds_the_same_neurons() -> None:
    pytest.importorskip("torch")
    X, v = stream(10, 5)
    for V in (v[:, None], -v[:, None]):
        one, other = (
            ask(oracle, make_problem(X), V).best_found for oracle in (LocalSearch(device="cpu:0"), Enumerated())
        )
        assert one == pytest.approx(other, abs=1e-8)


@every_piecewise
@given(seed=seeds, kind=st.sampled_from(DATA))
@settings(max_examples=8, deadline=None)
def test_listed_bounds_hold_on_their_patterns_and_verify(architecture: Architecture, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    X, V = random_rows(rng, 6, architecture.n_features or 2, kind), balanced(rng.normal(size=(6, 2)))
    problem = make_problem(X, 2, architecture)
    patterns = architecture.sample(problem.lifted, 4, seed % 97)
    priced = ask(Listed(patterns), problem, V)
    bound = priced.dual.bound
    assert (bound.scope, bound.method) == ("patterns", "projection")
    verify_bound(problem, priced.dual)
    # Random units inside the listed cones (linear ones and gated ones: with these masks) score no more.
    U = rng.normal(size=(problem.lifted.shape[1], 200))
    U = np.hstack([U, patterns.gates]) if len(patterns.gates) == len(U) else U
    for mask in patterns.masks.T:
        inside = ((np.where(mask[:, None], 1.0, -1.0) * (problem.lifted @ U)) >= 0).all(axis=0)
        if architecture.gated or isinstance(architecture, Linear):
            inside[:] = True
        everywhere = mask | isinstance(architecture, Linear)
        H = np.where(everywhere, 1.0, architecture.slope or 0.0)[:, None] * (problem.lifted @ U[:, inside])
        scores = np.linalg.norm(H.T @ V, axis=1) if architecture.outputs == "shared" else np.abs(H.T @ V).max(axis=1)
        lengths = architecture.input_norm(U[:, inside])
        assert (scores <= bound.value * lengths * (1 + 1e-9) + 1e-9).all()


@pytest.mark.parametrize("outputs", ["separate", "shared"])
def test_sign_units_on_listed_patterns_are_columns(outputs: str) -> None:
    rng = np.random.default_rng(0)
    X, V = rng.normal(size=(6, 2)), balanced(rng.normal(size=(6, 2)))
    problem = make_problem(X, 2, Sign(outputs=outputs))
    patterns = sample(problem.lifted, 5, 0)
    priced = ask(Listed(patterns), problem, V)
    verify_bound(problem, priced.dual)
    scores = V.T @ np.where(patterns.masks, 1.0, -1.0)
    best = np.abs(scores).max() if outputs == "separate" else np.linalg.norm(scores, axis=0).max()
    assert priced.best_found == pytest.approx(best) == priced.dual.bound.value


def test_sampled_is_listed_and_the_same_for_the_same_seed() -> None:
    X, v = stream(10, 3)
    problem = make_problem(X)
    one, two = ask(Sampled(30, 4), problem, v[:, None]), ask(Sampled(30, 4), problem, v[:, None], seed=9)
    assert one.scores.tobytes() == two.scores.tobytes()
    listed = ask(Listed(sample(problem.lifted, 30, 4)), problem, v[:, None])
    assert listed.dual.bound.value == one.dual.bound.value
    assert ask(Sampled(30, 5), problem, v[:, None]).scores.tobytes() != one.scores.tobytes()


def test_wrong_arguments_are_refused() -> None:
    problem, V = make_problem(np.eye(3)), np.ones((3, 1))
    for make in (lambda: Sampled(0), lambda: LocalSearch(0), lambda: Split(())):
        with pytest.raises(InvalidParameterError, match="at least"):
            make()
    with pytest.raises(InvalidDataError, match="patterns are of 2 rows, X has 3"):
        ask(Listed(Patterns(np.ones((2, 1), dtype=bool), np.ones((3, 1)))), problem, V)
    with pytest.raises(RefusedError, match="limit=3"):
        ask(Enumerated(limit=3), problem, V)


def test_counted_counts_and_adds_nothing() -> None:
    problem, V = make_problem(np.eye(3)), np.ones((3, 1))
    counted = Counted(Enumerated())
    for calls in (1, 2, 3):
        priced = ask(counted, problem, V)
        assert counted.calls == calls
    assert priced.dual.bound.value == ask(Enumerated(), problem, V).dual.bound.value


def test_cached_answers_from_memory_without_a_bound() -> None:
    X, v = stream(8, 3)
    problem, V, counted = make_problem(X), v[:, None], Counted(Enumerated())
    cached = Cached(counted)
    first = ask(cached, problem, V)
    assert counted.calls == 1 and first.dual is not None
    again = ask(cached, problem, V, target=1.0)
    assert counted.calls == 1 and again.dual is None
    assert again.best_found == pytest.approx(first.best_found) and (again.scores > 1.0).all()
    # A new dual vector: what memory offers is scored against it; what it cannot offer is asked of the inner oracle.
    W = np.random.default_rng(0).normal(size=(8, 1))
    recalled = ask(cached, problem, W, target=0.1)
    H = np.maximum(X @ recalled.neurons.inputs, 0.0)
    np.testing.assert_allclose(recalled.scores, np.einsum("nm,nm->m", W @ recalled.neurons.outputs, H))
    assert counted.calls == 1
    full = ask(cached, problem, W, target=1e9)
    assert counted.calls == 2 and full.dual is not None


def test_cached_forgets_the_oldest() -> None:
    X, v = stream(8, 3)
    cached = Cached(Enumerated(), size=3)
    ask(cached, make_problem(X), v[:, None])
    assert isinstance(cached.memory, OrderedDict) and len(cached.memory) == 3


@pytest.mark.parametrize("architecture", [ReLU(), ReLU(outputs="shared"), GatedReLU(), Linear()], ids=repr)
def test_split_is_the_unsplit_oracle(architecture: Architecture) -> None:
    rng = np.random.default_rng(0)
    X, V = random_rows(rng, 8, 2), rng.normal(size=(8, 2))
    problem = make_problem(X, 2, architecture)
    cells = architecture.all_patterns(problem.lifted)
    pieces = np.array_split(np.arange(len(cells)), min(3, len(cells)))
    split = Split(tuple(Listed(Patterns(cells.masks[:, i], cells.gates[:, i])) for i in pieces))
    parts, whole = ask(split, problem, V), ask(Listed(cells), problem, V)
    assert parts.dual.bound.value == whole.dual.bound.value
    np.testing.assert_allclose(parts.scores, whole.scores)
    np.testing.assert_array_equal(parts.dual.bound.patterns.masks, cells.masks)
    verify_bound(problem, parts.dual)


def test_split_claims_no_more_than_its_pieces() -> None:
    X, v = stream(8, 3)
    problem, V = make_problem(X), v[:, None]
    assert ask(Split((Sampled(5), LocalSearch())), problem, V).dual is None
    mixed = ask(Split((Sampled(5), Enumerated())), problem, V)
    assert mixed.dual.bound.scope == "global"
    assert mixed.dual.bound.value == ask(Enumerated(), problem, V).dual.bound.value
    assert Split((Sampled(5), Sampled(6))).closed and not Split((Sampled(5), LocalSearch())).closed
    assert Counted(Sampled(5)).closed and Cached(Sampled(5)).closed and not Cached(Enumerated()).closed


def test_zero_dual_vector_and_zero_data_have_score_zero() -> None:
    for X, V in ((np.eye(3), np.zeros((3, 1))), (np.zeros((3, 2)), np.ones((3, 1)))):
        for name, oracle in ORACLES.items():
            if name == "listed":
                continue
            try:
                priced = ask(oracle(), make_problem(X), V)
            except RefusedError:
                continue  # oracles of sign and tanh units
            assert priced.best_found == 0.0
            assert priced.dual is None or priced.dual.bound.value == 0.0

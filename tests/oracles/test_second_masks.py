"""Branch and bound over the second layer: against a list of all its patterns, and its leaves against networks."""

from __future__ import annotations

import numpy as np
import pytest
from architectures.cases import random_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.architectures import ParallelReLU3, no_neurons
from bidual.architectures.parallel_relu3 import all_cells
from bidual.architectures.second_layer import leaf_bounds
from bidual.certificate import verify_bound
from bidual.losses import Squared
from bidual.operators.rectifier_ball import RectifierBall
from bidual.oracles import Listed, Pricing, SecondMasks
from bidual.penalties import Strength
from bidual.problem import Problem

seeds = st.integers(0, 2**32 - 1)


def posed(seed: int, n: int, kind: str = "gauss", c: int = 1) -> Problem:
    rng = np.random.default_rng(seed)
    X, Y = random_rows(rng, n, 2, kind), rng.normal(size=(n, c))
    return Problem(X, Y, Squared(), ParallelReLU3("none"), Strength(0.1), intercept=False)


def priced(oracle, problem: Problem, target: float = 0.0, expired=lambda: False) -> Pricing:
    nothing = no_neurons(2, problem.n_outputs)
    return oracle.price(problem, problem.Y, nothing, target, np.random.default_rng(0), expired)


@given(seed=seeds, kind=st.sampled_from(["gauss", "duplicates", "parallel", "zero_rows", "low_rank", "grid"]))
@settings(max_examples=10, deadline=None)
def test_equals_the_list_of_all_patterns(seed: int, kind: str) -> None:
    problem = posed(seed, 5, kind, 2)
    every = Listed(problem.architecture.all_patterns(problem.lifted))
    tree, listed = priced(SecondMasks(), problem), priced(every, problem)
    assert tree.dual.bound.scope == "global" and listed.dual.bound.scope == "patterns"
    assert tree.best_found == pytest.approx(listed.best_found, rel=1e-7, abs=1e-9)
    assert tree.dual.bound.value == pytest.approx(tree.best_found, rel=1e-7, abs=1e-9)
    assert listed.dual.bound.value == pytest.approx(tree.best_found, rel=1e-7, abs=1e-9)
    verify_bound(problem, tree.dual)
    verify_bound(problem, listed.dual)


def test_a_target_saves_work_and_bounds_hold_when_time_is_up() -> None:
    problem = posed(3, 8)
    exact = priced(SecondMasks(), problem)
    for some in (
        priced(SecondMasks(), problem, 2.0 * exact.best_found),
        priced(SecondMasks(), problem, 0.0, lambda: True),
        priced(SecondMasks(keep=1), problem),
    ):
        assert some.dual.bound.branches.sign.size < exact.dual.bound.branches.sign.size
        assert some.dual.bound.value >= exact.best_found
        verify_bound(problem, some.dual)
    assert priced(SecondMasks(keep=1), problem).best_found == pytest.approx(exact.best_found)


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_leaves_hold_for_every_network_on_their_sides(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    X, v = random_rows(rng, n, 2), rng.normal(size=n)
    U = rng.normal(size=(2, m)) * (1.0 if rng.uniform() < 0.5 else X[rng.integers(n)][:, None])
    z = np.maximum(X @ U, 0.0) @ rng.choice([-1.0, 1.0], size=m) / np.linalg.norm(U, axis=0).sum()
    sides = np.where(z > 0, 1, -1) * rng.choice([0, 1], size=n)
    touch = v * rng.uniform(size=n)
    bound = leaf_bounds(RectifierBall(X, all_cells(X).masks), v, touch[None], sides[None])[0]
    assert v @ np.maximum(z, 0.0) <= bound * (1 + 1e-9) + 1e-12


def test_the_chord_is_tight_for_a_unit_along_its_row() -> None:
    """Of one row and nothing decided, the bound ``v (|x| + |x|)/2`` is the score of ``u = x / |x|``."""
    X, v = np.array([[3.0, 4.0]]), np.array([2.0])
    ball = RectifierBall(X, all_cells(X).masks)
    assert leaf_bounds(ball, v, np.zeros((1, 1)), np.zeros((1, 1)))[0] == pytest.approx(10.0)


def test_multipliers_outside_their_box_prove_no_more_than_its_ends() -> None:
    """Two equal rows, ``v = (2, -1)``: the unit along them scores 1, whatever is said of the second."""
    X, v, sides = np.array([[1.0], [1.0]]), np.array([2.0, -1.0]), np.array([[1, 0]])
    ball = RectifierBall(X, all_cells(X).masks)
    bounds = [float(leaf_bounds(ball, v, np.array([[0.0, touch]]), sides)[0]) for touch in (-2.0, -1.0, 0.0, 5.0)]
    assert bounds == pytest.approx([1.0, 1.0, 2.0, 2.0])
    assert leaf_bounds(ball, v, np.array([[0.0, np.nan]]), sides)[0] == np.inf

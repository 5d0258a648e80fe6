"""The toys, gradient runs, and the verdicts on them."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.experiments.frank_wolfe2020.gradient_runs import adam, objectives
from bidual.experiments.frank_wolfe2020.stochastic import Stochastic
from bidual.experiments.frank_wolfe2020.toys import Case, Course, course, kept, reference, shown
from bidual.experiments.frank_wolfe2020.variants import CASES, STEPS, Variants, counterexample
from bidual.experiments.frank_wolfe2020.widths import _priced, _pruned
from bidual.experiments.halves import SETS, halves
from bidual.oracles import Enumerated
from bidual.penalties import Ball
from bidual.solvers import FrankWolfe


def test_the_planted_network_fits_in_its_ball_and_whitened_rows_are() -> None:
    case = Case(6, 8, 1.0, whitened=True)
    problem = case.problem(0)
    np.testing.assert_allclose(problem.X @ problem.X.T, np.eye(6), atol=1e-12)
    assert reference(problem).certificate.primal < 1e-9 * float(np.sum(problem.Y**2))
    whole, fifth = Case(6, 8, 1.0).problem(3), Case(6, 8, 0.2).problem(3)
    np.testing.assert_array_equal(whole.Y, fifth.Y)
    assert isinstance(whole.penalty, Ball) and isinstance(fifth.penalty, Ball)
    assert fifth.penalty.radius == pytest.approx(whole.penalty.radius / 5)


def test_the_stated_rate_is_refuted_by_one_row() -> None:
    found = counterexample()
    assert found["stated"] == pytest.approx(1.0) and found["proven"] == pytest.approx(4.0)
    assert found["excess"] == pytest.approx((1 / 3 + 0.99) ** 2)


def test_the_gap_of_an_exact_oracle_is_never_too_small() -> None:
    problem = Case(5, 3, 0.2).problem(0)
    optimum = reference(problem).certificate.primal / problem.loss_value(0 * problem.Y)
    for variant in ("open_loop", "fully_corrective"):
        assert course(problem, FrankWolfe(variant, Enumerated()), 40).too_small(optimum) == 0


def test_courses() -> None:
    run = Course([1.0, 0.5, 0.1], [1.0, 0.5, 0.05])
    assert run.first_below(0.0, 0.5) == 2 and run.first_below(0.0, 0.01) is None
    assert run.too_small(0.0) == 1 and run.too_small(0.05) == 0
    assert shown(20)[:8] == [*range(1, 9)] and shown(20)[-1] == 20
    assert kept([0.12345, 2.0], [1, 2, 3]) == [0.123, 2.0]


def test_adam() -> None:
    ball = Case(6, 4, 0.2).problem(0)
    problem, radius = _priced(ball), ball.penalty.radius  # type: ignore[attr-defined]
    optimum = reference(ball).certificate.primal + problem.penalty.value(radius)
    A, y, beta = problem.X, problem.Y[:, 0], problem.penalty.value(1.0)
    W, v = adam(A, y, beta, 20, runs=4, steps=2000, seed=0)
    values = objectives(A, y, beta, W, v)
    assert optimum * (1 - 1e-3) <= values.min() <= optimum * (1 + 1e-3)
    count, value = _pruned(problem, W[0], v[0])
    assert count <= 6 and value == pytest.approx(values[0], rel=1e-6) and value <= values[0] * (1 + 1e-9)


def test_verdicts_can_differ() -> None:
    first = {name: [[None], [40], [None]] for name in STEPS} | {
        name: [[None], [30], [None]] for name in ("line_search", "away", "pairwise", "blended")
    }
    case = {"title": CASES[0].title, "of_the_rate": 0.2, "proven_gaps": [1e-9], "judged": 9, "too_small": 0}
    data = {"counterexample": counterexample(), "cases": [{**case, "first_below": first}]}
    assert [verdict.agrees for verdict in Variants().verdicts(data)] == [False, True, True, True, False]
    data["cases"][0] |= {"too_small": 1, "of_the_rate": 2.0, "proven_gaps": [1e-3]}
    first["pattern_corrective"] = [[None], [5], [None]]
    assert [verdict.agrees for verdict in Variants().verdicts(data)] == [False, False, False, False, True]


def test_sampled_rows_save_nothing_where_all_are_needed_at_once() -> None:
    runs = {
        "all rows": {"rows": [25, 50], "excess": [[0.5, 0.005]]},
        "rows as in theory": {"rows": [2, 30], "excess": [[0.5, 0.05]]},
    }
    case = {"title": CASES[0].title, "bound": [1.0, 1.0], "sizes": [2, 25], "steps": [1, 2], "runs": runs}
    verdicts = Stochastic().verdicts({"cases": [case]})
    assert [verdict.agrees for verdict in verdicts] == [True, False, True, False]


@pytest.mark.parametrize("name", SETS)
def test_halves_are_standardised_on_the_training_rows(name: str) -> None:
    data = halves(name)
    np.testing.assert_allclose(data.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.sum(data.X**2, axis=1).mean(), 1.0)
    assert set(np.unique(data.Y)) == {-1.0, 1.0} and data.X.shape[1] == data.test_X.shape[1]
    assert abs(data.Y.mean() - data.test_Y.mean()) < 0.02

"""Planted data and the verdicts on them."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.experiments import Setting
from bidual.experiments.shallow2019 import SHALLOW2019
from bidual.experiments.shallow2019.objectives import Objectives
from bidual.experiments.shallow2019.problems import convex_fits, loss_on_test_rows, planted_problems, relative
from bidual.experiments.shallow2019.rates import few_and_many, untrained
from bidual.planted import OBJECTIVES


@pytest.mark.parametrize("m", [1, 2])
def test_planted_weights_fit_their_rows_and_the_rows_to_test_on(m: int) -> None:
    problems = planted_problems(5, 12, 4, m)
    assert not OBJECTIVES["plain"].value(problems.A, problems.y, problems.weights).any()
    assert not loss_on_test_rows(problems, problems.weights).any()
    assert loss_on_test_rows(problems, 0.0 * problems.weights) == pytest.approx(np.ones(5))


def test_noise_stays_inside_the_neuron() -> None:
    problems = planted_problems(20, 40, 4, noise=0.5)
    assert problems.y.min() == 0.0 and not any(fit.realisable for fit in convex_fits(problems))


def test_weights_without_training_fit_independent_rows() -> None:
    for n, fits in ((4, True), (8, False)):
        problems = planted_problems(5, n, 4, 3)
        losses = OBJECTIVES["plain"].value(problems.A, problems.y, untrained(problems))
        assert np.all(relative(losses, problems.y) < 1e-20) == fits


def test_targets_of_zero_have_a_share_too() -> None:
    np.testing.assert_array_equal(relative(np.array([0.0, 2.0]), np.array([[0.0], [2.0]])), [0.0, 0.5])


def test_shares_are_divided_at_as_many_rows_as_features() -> None:
    case = {"ratios": [0.5, 1.0, 2.0], "fitted": {"plain": [0.1, 0.2, 0.3]}}
    few, many = few_and_many(case, "fitted", "plain")
    assert few.tolist() == [0.1, 0.2] and many.tolist() == [0.3]


def test_runs_are_repeatable_and_verdicts_follow_the_data() -> None:
    experiment = Objectives()
    data = experiment.run(Setting(quick=True))
    assert data == experiment.run(Setting(quick=True))
    assert [each.agrees for each in experiment.verdicts(data)] == [True, True, False, False]
    changed = data | {"above_the_chord": 0.1, "at_the_planted": [0.0, 1.0], "jump": [4.0, 4.0], "exchanged": [2, 2, 2]}
    assert [each.agrees for each in experiment.verdicts(changed)] == [False, False, True, True]


def test_names_differ() -> None:
    assert len({each.name for each in SHALLOW2019.experiments}) == len(SHALLOW2019.experiments)

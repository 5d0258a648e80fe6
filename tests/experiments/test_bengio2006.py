"""The double moon, and the verdicts on it."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.experiments.bengio2006.boundaries import _network, _panel
from bidual.experiments.bengio2006.convergence import RUNS, Convergence
from bidual.experiments.bengio2006.double_moon import _reported
from bidual.experiments.bengio2006.moons import METHODS, draw, error_on_fresh_rows, pose, solved
from bidual.experiments.bengio2006.real_data import RealData


def test_exact_units_prove_the_papers_objective_too_high() -> None:
    problem = pose(0.15, 0, "squared", 1.0, METHODS["exact"].architecture)
    certificate = solved(problem, METHODS["exact"]).certificate
    assert certificate.scope == "global" and certificate.relative_gap < 1e-8
    assert 2 * certificate.primal == pytest.approx(2.9527, abs=1e-4)


def test_three_units_are_the_hinge_losss() -> None:
    panel = _panel("exact", "hinge", 0.15)
    assert panel["units"] == 3 and panel["objective"] == pytest.approx(3.0) and panel["wrong"] == 0
    X, Y = draw(0.15, 0)
    assert ((_network(panel["layers"])(X) >= 0) == (Y > 0)).all()


def test_a_classifier_ends_far_from_the_optimum_and_does_not_know() -> None:
    problem = pose(0.15, 0, "squared", 1.0, METHODS["SVM"].architecture)
    certificate = solved(problem, METHODS["SVM"]).certificate
    assert certificate.relative_priced_gap < 1e-8
    assert certificate.primal > 5 * 2.9527 / 2 > certificate.global_dual


def test_errors_are_of_rows_that_were_not_trained_on() -> None:
    network = solved(pose(0.15, 0, "hinge", 1.0, METHODS["exact"].architecture), METHODS["exact"]).network
    assert error_on_fresh_rows(network, 0.15, 0) == error_on_fresh_rows(network, 0.15, 0) > 0
    assert not np.array_equal(draw(0.15, 1000, 100)[0], draw(0.15, 0, 100)[0])


def test_a_reported_mean_agrees_within_the_scatter_of_the_draws() -> None:
    far = {"exact": [{"objective": [2.9, 3.1], "units": [19, 29], "error": [0.02, 0.03]}]}
    near = {"exact": [{"objective": [8.0, 8.2], "units": [3, 3], "error": [0.05, 0.06]}]}
    assert [verdict.agrees for verdict in _reported(far, "exact", "exact")] == [False] * 3
    assert [verdict.agrees for verdict in _reported(near, "exact", "exact")] == [True] * 3


def test_an_open_gap_differs() -> None:
    runs = {name: {"needed": [30], "gaps": [1e-9], "units": [20]} for name in RUNS}
    runs["boosting"]["gaps"] = [1e-3]
    verdicts = Convergence().verdicts({"runs": runs, "rows": 300, "more_rows": [300, 60]})
    assert [verdict.agrees for verdict in verdicts] == [True, True, False, True, False, True]


def test_a_priced_bound_above_a_better_network_is_told() -> None:
    found = {"rounds": 2, "seconds": 1.0, "units": 1, "error": 0.1, "bound": 5.0}
    runs = {
        "good": {**found, "objective": 5.0, "priced_bound": 5.0},
        "bad": {**found, "objective": 6.0, "priced_bound": 6.0},
    }
    verdicts = RealData().verdicts({"sets": {"digits": runs}})
    assert [verdict.agrees for verdict in verdicts] == [False, False, True]
    assert "bad" in verdicts[1].measured and "good" not in verdicts[1].measured

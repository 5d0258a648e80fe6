"""Bad input, violated assumptions, and data at the edge of both: a sentence, or a proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidual import closed_form
from bidual.errors import InfeasibleError, InvalidDataError, InvalidParameterError, RefusedError
from bidual.network import Layer, Network
from bidual.theorems import DeepProblem, solve

from .cases import CLASSES, Q

normal = np.random.default_rng(1).standard_normal
ANY = normal((6, 4))


@pytest.mark.parametrize(
    ("X", "Y", "changes", "sentence"),
    [
        (
            ANY,
            normal((6, 2)),
            {"n_layers": 3},
            "singular values of X spread by .*e-01 of the largest one; whiten X, set b",
        ),
        (
            ANY,
            normal((6, 2)),
            {"n_layers": 3},
            "take regularizer='lth_power', which is convex for any data, or fallback='local'",
        ),
        (ANY, normal(6), {"activation": "relu"}, "X of rank one, but its second singular value is .*e-01 of the first"),
        (ANY, normal(6), {"activation": "relu"}, "whitened rows, so n <= d, but the data have 6 rows and 4 dimensions"),
        (ANY, normal(6), {"activation": "relu"}, r"two layers are solved for any data by .*problem.two_layer\(\)"),
        (
            ANY.T,
            normal(4),
            {"activation": "relu", "n_layers": 3},
            "XX' = c.2 I, but the singular values of X spread by",
        ),
        (
            ANY.T,
            normal(4),
            {"activation": "relu", "n_layers": 3},
            "whiten X to n <= d rows, set batch_norm=True, or take",
        ),
        (Q[:5], normal((5, 2)), {"activation": "relu"}, "targets of one sign, but a column of Y has both, by .*e-01"),
        (
            Q[:5],
            CLASSES + 1,
            {"activation": "relu"},
            "orthogonal targets, but two columns of Y have a cosine of .*e-01",
        ),
        (
            ANY,
            CLASSES[[0, 1, 2, 3, 4, 4]],
            {"activation": "relu", "batch_norm": True},
            "rank of the centred X must be n",
        ),
        ([[1], [-1], [2]], [1, 2, 3], {"activation": "relu"}, "1 of 3 rows have the other sign; bidual.MLPRegressor"),
        (
            [[1], [-1], [2]],
            [1, 2, 3],
            {"activation": "relu", "n_layers": 4},
            "1 of 3 rows have .* batch_norm=True need",
        ),
    ],
)
def test_a_violated_assumption_gives_its_sentence(X: Any, Y: Any, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence):
        closed_form(X, Y, **{"beta": 0.1, "n_layers": 2} | changes)


@pytest.mark.parametrize(
    ("X", "Y", "activation", "sentence"),
    [
        (
            ANY,
            normal(6),
            "linear",
            r"no linear network fits: .*e-01 of Y lies outside the range of X \(rank 4\); put a pri",
        ),
        (
            np.outer([1, 2, 3], [1, 1]),
            [1, 2, 4],
            "relu",
            "no ReLU network fits: .*e-01 of Y is not along c; put a price",
        ),
        (np.zeros((2, 2)), [0, 1], "linear", r"\(rank 0\)"),
    ],
)
def test_targets_that_no_network_fits(X: Any, Y: Any, activation: Any, sentence: str) -> None:
    with pytest.raises(InfeasibleError, match=sentence):
        closed_form(X, Y, activation=activation)


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"n_layers": 1}, InvalidParameterError, "n_layers must be a whole number from 2 on, got 1"),
        ({"n_layers": 2.5}, InvalidParameterError, "n_layers must be"),
        ({"n_layers": True}, InvalidParameterError, "n_layers must be"),
        ({"beta": -1}, InvalidParameterError, "beta must be a finite number, not negative, got -1"),
        ({"beta": np.nan}, InvalidParameterError, "beta must be"),
        ({"beta": np.inf}, InvalidParameterError, "beta must be"),
        ({"beta": "1"}, InvalidParameterError, "beta must be"),
        ({"activation": "tanh"}, InvalidParameterError, "activation must be one of"),
        ({"regularizer": "l1"}, InvalidParameterError, "regularizer must be one of"),
        ({"X": [[1, np.nan]]}, InvalidDataError, "X has NaN or infinite entries"),
        ({"Y": [np.inf]}, InvalidDataError, "Y has NaN or infinite entries"),
        ({"X": [["a", "b"]]}, InvalidDataError, "X must hold real numbers"),
        ({"X": [[1j, 2]]}, InvalidDataError, "X must hold real numbers"),
        ({"X": [1, 2]}, InvalidDataError, r"X and Y must have shapes .* got \(2,\)"),
        ({"X": np.zeros((0, 2)), "Y": np.zeros(0)}, InvalidDataError, "none of them 0"),
        ({"X": np.zeros((1, 0))}, InvalidDataError, "none of them 0"),
        ({"Y": [1, 2]}, InvalidDataError, "X and Y must have shapes"),
        ({"X": [[1e90, 1]]}, InvalidDataError, "X has entries up to 1e[+]90, whose powers leave float64"),
        ({"X": [[1e-90, 0]]}, InvalidDataError, "X has entries up to 1e-90"),
    ],
)
def test_bad_input(changes: dict[str, Any], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        closed_form(**{"X": [[1, 2]], "Y": [1], "n_layers": 2, "beta": 0.1} | changes)


EDGES = {
    "one row": ([[1, 2, 3]], [2]),
    "one column": ([[1], [2], [3]], [2, 1, 4]),
    "one column, two outputs": ([[1], [2], [3]], [[2, 1], [1, 1], [4, 0]]),
    "one output as a column": (Q[:5], normal((5, 1))),
    "no target": (Q[:5], np.zeros(5)),
    "no data": (np.zeros((4, 3)), normal((4, 2))),
    "rows that repeat, and parallel ones": (np.vstack([ANY[:2], ANY[:2], -2 * ANY[:1]]), normal(5)),
    "a constant column, targets all equal": (np.column_stack([Q[:4], np.ones(4)]), np.ones(4)),
    "one class": (Q[:4], np.column_stack([np.ones(4), np.zeros(4)])),
    "repeated singular values": (np.eye(4), 3 * np.eye(4)),
    "rank one": (np.outer([1, 0, 2, 3], [1, -1]), normal((4, 2))),
    "integers and booleans": (np.eye(3, dtype=int), np.eye(3, dtype=bool)),
}


@pytest.mark.parametrize("unit", [1, 1e8, 1e-8])
@pytest.mark.parametrize("n_layers", [2, 3, 6])
@pytest.mark.parametrize("edge", EDGES)
def test_edges(edge: str, n_layers: int, unit: float) -> None:
    """A proof at every edge; where no theorem applies, a sentence."""
    X, Y = EDGES[edge]
    for activation in ("linear", "relu"):
        for batch_norm in (False, True):
            price = 0.1 if batch_norm else 0.1 * unit ** (2 / n_layers)
            problem = DeepProblem(unit * np.asarray(X), Y, n_layers, activation, price, batch_norm)
            try:
                found = solve(problem)
            except RefusedError:
                continue
            assert 0 <= found.certificate.relative_gap < 1e-9
            found.certificate.verify(problem, found.network)


def test_edges_that_must_be_solved() -> None:
    """The loop above would pass if everything were refused."""
    for edge, (X, Y) in EDGES.items():
        assert closed_form(X, Y, beta=0.1, batch_norm=True, n_layers=4).theorem, edge
    for edge in ("one row", "one column", "no target", "one class", "rank one", "integers and booleans"):
        assert closed_form(*EDGES[edge], beta=0.1, activation="relu", n_layers=4).theorem, edge


def test_a_tie_is_flagged() -> None:
    """At the threshold the zero network is as good as one path; a little above it is not."""
    sigma = 2 * 0.3**0.75
    for activation in ("linear", "relu"):
        found = closed_form(np.eye(2), np.diag([sigma, 2.0]), n_layers=3, activation=activation, beta=0.3)
        assert found.tie and found.network.layers[-1].weight.shape == (1, 2)
        above = closed_form(np.eye(2), np.diag([1.001 * sigma, 2.0]), n_layers=3, activation=activation, beta=0.3)
        assert not above.tie
        assert above.certificate.primal > found.certificate.primal
    one = closed_form([[1.0]], [sigma], n_layers=3, beta=0.3)
    assert one.tie and one.network.n_neurons == 0
    assert not closed_form([[1.0]], [0.999 * sigma], n_layers=3, beta=0.3).tie


def test_networks_of_another_problem() -> None:
    problem = DeepProblem(Q[:5], CLASSES, 3, "relu", 0.1)
    network = solve(problem).network
    first, *others = network.layers
    biased = Network((replace(first, bias=first.bias + 1), *others))
    for other, sentence in (
        (Network(network.layers[:1] + network.layers[2:]), "the network has 2 layers, the problem 3"),
        (biased, "biases that the problem has not"),
        (Network((replace(first, activation="linear"), *others)), "hidden layers must be 'relu'"),
        (Network((Layer(np.ones((6, 2)), np.zeros(2), "relu"),) * 1 + _rest(5)), "6 features to 5 outputs"),
    ):
        with pytest.raises(InvalidDataError, match=sentence):
            problem.objective(other)
    assert replace(problem, batch_norm=True).refusal(biased) is None


def _rest(c: int) -> tuple[Layer, Layer]:
    return Layer(np.ones((2, 2)), np.zeros(2), "relu"), Layer(np.ones((2, c)), np.zeros(c))

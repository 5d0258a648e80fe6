"""Polished models are of the same kind, never worse, and irreducible."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import bidual
from bidual import polish
from bidual.errors import InvalidParameterError
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.trained import Objective
from bidual.trained.irreducible import is_irreducible, reduced
from bidual.trained.posed import Posed
from bidual.trained.reading import read

from .cases import KINDS, Model, rows, seconds, trained


def value(case: Model, model: Any) -> float:
    """The objective of a model, read anew."""
    found = read(model, case.X, case.y, **case.settings)
    return found.value(found.network)


@pytest.mark.parametrize("kind", KINDS)
def test_polished_models(kind: str) -> None:
    case = trained(kind)
    before = copy.deepcopy(case.model)
    limit = seconds(3 if kind in ("classes", "classifier") else 1)
    done = polish(case.model, case.X, case.y, **case.settings, time_limit=limit)
    assert type(done.model) is type(case.model) and done.model is not case.model
    assert done.before == value(case, before) == value(case, case.model)  # the model was left alone
    assert done.after == value(case, done.model) <= done.before
    assert done.dual <= done.after * (1 + 1e-9) and done.relative_gap == (done.after - done.dual) / done.after
    assert done.irreducible and done.neurons_after <= done.neurons_before
    if kind != "own":
        assert done.after < done.before * (1 - 1e-6)
    assert f"neurons {done.neurons_before} -> {done.neurons_after} (irreducible)" in str(done)


@pytest.mark.parametrize("kind", ["float32", "regressor"])
def test_polishing_twice_is_polishing_once(kind: str) -> None:
    case = trained(kind)
    once = polish(case.model, case.X, case.y, **case.settings)
    twice = polish(once.model, case.X, case.y, **case.settings)
    assert twice.before == once.after and twice.after <= twice.before and twice.irreducible


def test_a_module_keeps_its_precision_and_its_gradients() -> None:
    case = trained("float32")
    module = polish(case.model, case.X, case.y, **case.settings, time_limit=1.0).model
    assert [p.dtype for p in module.parameters()] == [torch.float32] * 4
    module(torch.tensor(case.X, dtype=torch.float32)).sum().backward()
    assert module[0].out_features == module[2].in_features == module[0].weight.grad.shape[0]


def test_an_estimator_of_scikit_learn_predicts_and_trains_on() -> None:
    case = trained("classifier")
    model = polish(case.model, case.X, case.y, time_limit=1.0).model
    np.testing.assert_allclose(model.predict_proba(case.X).sum(axis=1), 1.0)
    assert set(model.predict(case.X)) <= set(model.classes_)
    model.set_params(warm_start=True, max_iter=1, solver="lbfgs").partial = None
    width = model.coefs_[0].shape[1]
    with pytest.warns(UserWarning, match="lbfgs"):
        model.fit(case.X, case.y)
    assert model.coefs_[0].shape[1] == width


def test_an_own_estimator_has_a_new_certificate() -> None:
    case = trained("own")
    done = polish(case.model, case.X, case.y)
    done.model.certificate_.verify(case.X, case.y)
    assert done.after < done.before and done.after == done.model.certificate_.primal
    assert done.model.status_ in ("optimal", "optimal_on_patterns", "neuron_limit", "almost_optimal")


def test_more_neurons_if_they_are_allowed() -> None:
    X, y = rows(0, 14, 2)
    narrow = Network((Layer(np.ones((2, 1)), np.zeros(1), "relu"), Layer(np.ones((1, 1)), np.zeros(1))))
    options: Any = {"loss": "mse", "weight_decay": 0.02}
    one, more = (polish(narrow, X, y, **options, max_neurons=m) for m in (None, 10))
    assert one.neurons_after == 1 < more.neurons_after <= 10 and more.after < one.after < one.before
    with pytest.raises(InvalidParameterError, match="max_neurons must be at least 1"):
        polish(narrow, X, y, **options, max_neurons=0)


def test_a_network_that_cannot_be_improved_is_returned() -> None:
    X, y = rows(0, 14, 1)
    model = bidual.MLPRegressor(alpha=0.05, tol=1e-9, random_state=0).fit(X, y)
    done = polish(model, X, y)
    assert done.after <= done.before <= done.after * (1 + 1e-9) and done.relative_gap <= 1e-3


def posed(W: np.ndarray, A: np.ndarray, n: int) -> tuple[Posed, Network]:
    X, y = rows(0, n, W.shape[0])
    network = Network((Layer(W, np.zeros(W.shape[1]), "relu"), Layer(A, np.zeros(A.shape[1]))))
    objective = Objective(Squared(), 1.0, 0.1, 0.1, None, None)
    return Posed.of(objective, network, X, np.repeat(y[:, None], A.shape[1], axis=1)), network


TWINS = np.array([[1.0, 1.001, -1.0], [0.5, 0.499, 0.3]])


@pytest.mark.parametrize(
    ("W", "A", "n", "width"),
    [
        (TWINS, np.array([[1.0], [2.0], [1.0]]), 14, 2),  # two share a pattern and a sign
        (TWINS, np.array([[1.0], [-2.0], [1.0]]), 14, 3),  # a pattern, but not the sign
        (TWINS, np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), 14, 3),  # other outputs
        (np.random.default_rng(0).normal(size=(2, 6)), np.ones((6, 1)), 3, 3),  # more than there are rows
    ],
)
def test_what_can_be_merged_or_pruned(W: np.ndarray, A: np.ndarray, n: int, width: int) -> None:
    found, network = posed(W, A, n)
    problem = found.problem
    dense = len(problem.architecture.from_network(network)[1])
    assert is_irreducible(problem, network) == (dense == width)
    done = reduced(problem, network)
    assert is_irreducible(problem, done) and done.n_neurons <= width
    assert problem.objective(done) <= problem.objective(network) * (1 + 1e-12)

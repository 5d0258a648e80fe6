"""The objective of a model is the one that its library's steps descend, and its problem has the same optimum."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bidual.errors import BidualError, InvalidDataError, InvalidParameterError, RefusedError
from bidual.export import from_torch
from bidual.losses import Hinge, Logistic, Multinomial, Squared
from bidual.network import Layer, Network
from bidual.trained import Objective
from bidual.trained.charged import Charged
from bidual.trained.posed import Posed
from bidual.trained.reading import read

from .cases import LOSSES, module, rows, targets

Weights = list[np.ndarray]


def slope(value: Callable[[Network], float], network: Network, move: Weights, step: float = 1e-6) -> float:
    """The derivative of the objective in a direction, by differences."""

    def moved(t: float) -> Network:
        (W, b, A, c), (hidden, last) = [t * m for m in move], network.layers
        first = Layer(hidden.weight + W, hidden.bias + b, "relu", hidden.slope)
        return Network((first, Layer(last.weight + A, last.bias + c)))

    return (value(moved(step)) - value(moved(-step))) / (2 * step)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("bias", [True, False])
def test_a_step_of_torch_descends_the_objective(name: str, bias: bool) -> None:
    c = 3 if name == "cross_entropy" else 2
    X, y = rows(0, 9, 2)
    net, y = module(0, 2, 4, c, bias), targets(name, y, c)
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-3, weight_decay=0.1)
    trained = read(net, X, y, loss=LOSSES[name], weight_decay=optimiser)
    before, network = copy.deepcopy(net), trained.network
    LOSSES[name](net(torch.tensor(X)), y).backward()
    optimiser.step()
    # A step goes along minus the gradient, so the slope along it is minus its squared length over the rate.
    pairs = zip(from_torch(net).layers, from_torch(before).layers, strict=True)
    move = [m for new, old in pairs for m in (new.weight - old.weight, new.bias - old.bias)]
    squared = sum(float(np.sum(m**2)) for m in move)
    assert slope(trained.value, network, move, 1e-3) == pytest.approx(-squared / 1e-3, rel=1e-4)


@pytest.mark.parametrize("kind", ["regression", "two targets", "two classes", "classes", "labels"])
def test_a_step_of_scikit_learn_descends_the_objective(kind: str) -> None:
    X, y = rows(0, 12, 2)
    options = {"hidden_layer_sizes": (4,), "solver": "sgd", "momentum": 0.0, "alpha": 0.3, "batch_size": 12}
    order: Any = np.argsort(np.argsort(y))
    target = {
        "regression": y,
        "two targets": np.column_stack([y, -y]),
        "two classes": order // 6,
        "classes": order // 4,
        "labels": np.column_stack([order % 2, order // 6]),
    }[kind]
    made = (sklearn.MLPRegressor if kind in ("regression", "two targets") else sklearn.MLPClassifier)(
        **options, learning_rate_init=1e-3, random_state=0
    )
    classes = {} if hasattr(made, "predict_proba") is False else {"classes": np.unique(target)}
    if kind == "labels":
        classes = {"classes": np.array([0, 1])}
    made.partial_fit(X, target, **classes)
    before = read(made, X, target)
    made.partial_fit(X, target)
    after = read(made, X, target)
    pairs = zip(after.network.layers, before.network.layers, strict=True)
    move = [m for new, old in pairs for m in (new.weight - old.weight, new.bias - old.bias)]
    squared = sum(float(np.sum(m**2)) for m in move)
    assert slope(before.value, before.network, move, 1e-3) == pytest.approx(-squared / 1e-3, rel=1e-3)


def test_scikit_learn_reports_the_objective_where_it_can() -> None:
    X, y = rows(0, 12, 2)
    for made, target in (
        (sklearn.MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", alpha=0.3, random_state=0), y),
        (sklearn.MLPClassifier(hidden_layer_sizes=(4,), solver="lbfgs", alpha=0.3, random_state=0), y > 0.8),
    ):
        made.fit(X, target)
        trained = read(made, X, target)
        assert trained.value(trained.network) == pytest.approx(made.loss_, rel=1e-6)


def test_mini_batches_of_scikit_learn_decay_more() -> None:
    X, y = rows(0, 10, 2)
    made = sklearn.MLPRegressor(
        hidden_layer_sizes=(4,), solver="sgd", momentum=0.0, alpha=0.3, batch_size=4, random_state=0
    ).partial_fit(X, y)
    y = made.predict(X)  # so that only the decay moves the weights
    before, objective = made.coefs_[0].copy(), read(made, X, y).objective
    made.set_params(learning_rate_init=1e-5)
    made._optimizer.learning_rate = 1e-5
    made.partial_fit(X, y)
    shrunk = 1 - float(np.sum(made.coefs_[0] * before) / np.sum(before**2))
    assert objective.hidden == pytest.approx(shrunk / 3e-5, rel=1e-3)  # three steps, of 4, 4 and 2 rows


charges = st.floats(0.01, 2.0)
biases = st.one_of(st.none(), st.just(0.0), charges)


@given(seed=st.integers(0, 2**32 - 1), hidden=charges, output=charges, q=biases, s=biases, c=st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_the_problem_has_the_networks_of_the_objective(
    seed: int, hidden: float, output: float, q: float | None, s: float | None, c: int
) -> None:
    rng = np.random.default_rng(seed)
    n, d, m = 6, 2, 4
    X, Y = rng.normal(size=(n, d)), np.sign(rng.normal(size=(n, c)))
    loss = [Squared(), Logistic()][seed % 2]
    if q == 0:
        s = 0.0
    objective = Objective(loss, rng.uniform(0.1, 2), hidden, output, q, s)
    W, A = rng.normal(size=(d, m)), rng.normal(size=(m, c))
    b = np.zeros(m) if q is None else rng.normal(size=m)
    network = Network((Layer(W, b, "relu"), Layer(A, np.zeros(c) if s is None else rng.normal(size=c))))
    posed = Posed.of(objective, network, X, Y)
    entered = posed.enter(network)
    balanced = posed.leave(entered)
    np.testing.assert_allclose(balanced(X), network(X), rtol=1e-9, atol=1e-9)
    least = posed.problem.objective(entered)
    assert objective.value(balanced, X, Y) == pytest.approx(least, rel=1e-9)
    assert least <= objective.value(network, X, Y) * (1 + 1e-12)


@pytest.mark.parametrize("inner", [Logistic(), Multinomial()])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_charged_row_is_half_its_square(inner: Any, seed: int) -> None:
    """Fenchel's equality at the gradient, Newton's model, and a dual vector that is balanced by that row alone."""
    rng, loss, c = np.random.default_rng(seed), Charged(inner), 3
    Y = np.vstack([np.eye(c)[rng.integers(c, size=5)], np.zeros((1, c))])
    if inner.targets == "signs":
        Y[:5] = 2 * Y[:5] - 1
    F, D, s = rng.normal(size=Y.shape), rng.normal(size=Y.shape), rng.uniform(0.2, 2, size=6)
    value, G = loss.value(F, Y, s), loss.gradient(F, Y, s)
    assert value == pytest.approx(inner.value(F[:5], Y[:5], s[:5]) + 0.5 * s[5] * F[5] @ F[5])
    assert value + loss.conjugate(G, Y, s) == pytest.approx(float(np.sum(F * G)), abs=1e-9)
    h, q = loss.hessian(F, Y, s)
    curved = float(np.sum(h * D**2)) - (0.0 if q is None else float(np.sum(np.sum(q * D, axis=1) ** 2)))
    change = loss.gradient(F + 1e-6 * D, Y, s) - loss.gradient(F - 1e-6 * D, Y, s)
    assert float(np.sum(change * D)) / 2e-6 == pytest.approx(curved, rel=1e-5)
    P = loss.proximal(F, Y, s, 0.7)
    np.testing.assert_allclose(P + 0.7 * loss.gradient(P, Y, s), F, atol=1e-8)
    V = loss.balance(-G, Y, s)
    np.testing.assert_allclose(V.sum(axis=0), 0.0, atol=1e-12)
    np.testing.assert_array_equal(V[:5], -G[:5])


def bad_torch(**settings: Any) -> Callable[[], Any]:
    X, y = rows(0, 9, 2)
    given = {"loss": "mse", "weight_decay": 0.1, "X": X, "y": y, "model": module(0, 2, 4, 1)} | settings
    return lambda: read(given.pop("model"), given.pop("X"), given.pop("y"), **given).posed()


def bad_sklearn(**options: Any) -> Callable[[], Any]:
    X, y = rows(0, 30, 2)
    read_options = {name: options.pop(name) for name in ("loss",) if options.get(name) == "mse"}
    made = sklearn.MLPRegressor(max_iter=2, random_state=0, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.fit(X, np.abs(y))
    return lambda: read(made, X, y, **read_options).posed()


def optimiser(kind: Any, **options: Any) -> Callable[[], Any]:
    net = module(0, 2, 4, 1)
    return bad_torch(model=net, weight_decay=kind(net.parameters(), **options))


net, X9 = module(0, 2, 4, 1), rows(0, 9, 2)[0]
REFUSALS: dict[str, tuple[type[BidualError], str, Callable[[], Any]]] = {
    "no loss": (InvalidParameterError, "loss and weight_decay must be given", bad_torch(loss=None)),
    "no decay": (InvalidParameterError, "loss and weight_decay must be given", bad_torch(weight_decay=None)),
    "zero decay": (InvalidParameterError, "weight_decay must be a positive number", bad_torch(weight_decay=0)),
    "adamw": (InvalidParameterError, "AdamW shrinks the weights outside the gradient", optimiser(torch.optim.AdamW)),
    "decoupled": (
        InvalidParameterError,
        "decoupled weight decay",
        optimiser(torch.optim.NAdam, weight_decay=0.1, decoupled_weight_decay=True),
    ),
    "maximize": (
        InvalidParameterError,
        "makes the loss large",
        optimiser(torch.optim.SGD, weight_decay=0.1, maximize=True),
    ),
    "no decay in the optimiser": (
        InvalidParameterError,
        "weight_decay must be a positive",
        optimiser(torch.optim.Adam),
    ),
    "another's optimiser": (
        InvalidParameterError,
        "does not train the module's hidden",
        bad_torch(weight_decay=torch.optim.SGD(net.parameters(), weight_decay=0.1)),
    ),
    "optimiser of a state_dict": (
        InvalidParameterError,
        "must be a number here",
        bad_torch(model=net.state_dict(), weight_decay=torch.optim.SGD(net.parameters(), weight_decay=0.1)),
    ),
    "another loss": (InvalidParameterError, "loss must be one of", bad_torch(loss=nn.L1Loss())),
    "no reduction": (InvalidParameterError, "reduction", bad_torch(loss=nn.MSELoss(reduction="none"))),
    "smoothed labels": (
        InvalidParameterError,
        "label_smoothing",
        bad_torch(loss=nn.CrossEntropyLoss(label_smoothing=0.1)),
    ),
    "class weights": (
        InvalidParameterError,
        "must have no pos_weight",
        bad_torch(loss=nn.BCEWithLogitsLoss(pos_weight=torch.ones(1))),
    ),
    "kink": (InvalidParameterError, "has a kink", bad_torch(loss=nn.SmoothL1Loss(beta=0.0))),
    "two objectives": (
        InvalidParameterError,
        "leave loss and weight_decay out",
        bad_torch(objective=Objective(Squared(), 1.0, 1.0, 1.0, 1.0, 1.0)),
    ),
    "columns": (InvalidDataError, r"X must have shape \(n, 2\)", bad_torch(X=X9[:, :1])),
    "targets": (InvalidDataError, "y must have shape", bad_torch(y=X9[:3, 0])),
    "nan": (InvalidDataError, "NaN or infinite", bad_torch(y=np.full(9, np.nan))),
    "text": (InvalidDataError, "y must hold numbers", bad_torch(y=np.full(9, "a"))),
    "not binary": (InvalidDataError, "y must hold 0 and 1", bad_torch(loss="bce_with_logits")),
    "not classes": (InvalidDataError, "numbers 0 to 0", bad_torch(loss="cross_entropy")),
    "tanh": (
        RefusedError,
        "ReLU or leaky ReLU units",
        bad_torch(model=nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))),
    ),
    "deep": (
        RefusedError,
        "one hidden layer",
        bad_torch(model=nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))),
    ),
    "deep state_dict": (
        InvalidParameterError,
        "two Linear layers",
        bad_torch(model={"0.weight": np.zeros((3, 2)), "running_mean": np.zeros(2)}),
    ),
    "steep": (
        RefusedError,
        r"slope of the units must lie in \[-1, 1\)",
        bad_torch(model=nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(1.5), nn.Linear(3, 1))),
    ),
    "a list": (InvalidParameterError, "of a Pipeline, give the last step", lambda: read([], X9, X9[:, 0])),
    "scikit-learn's loss": (InvalidParameterError, "knows its objective", bad_sklearn(loss="mse")),
    "scikit-learn's tanh": (RefusedError, "must have activation='relu'", bad_sklearn(activation="tanh")),
    "scikit-learn's depth": (RefusedError, "one hidden layer", bad_sklearn(hidden_layer_sizes=(3, 3))),
    "early stopping": (RefusedError, "rows that it does not tell", bad_sklearn(early_stopping=True)),
    "poisson": (RefusedError, "loss='squared_error'", bad_sklearn(loss="poisson")),
    "no alpha": (InvalidDataError, "alpha must be positive", bad_sklearn(alpha=0.0)),
    "kinks": (
        InvalidParameterError,
        "loss must be smooth",
        lambda: Objective(Hinge(), 1.0, 1.0, 1.0, 1.0, 1.0),
    ),
    "no charge": (InvalidParameterError, "output must be a positive", lambda: Objective(Squared(), 1, 1, 0, 0, 0)),
    "negative charge": (InvalidParameterError, "output_bias must be", lambda: Objective(Squared(), 1, 1, 1, 1, -1)),
    "free constants": (InvalidParameterError, "output_bias must be 0", lambda: Objective(Squared(), 1, 1, 1, 0, 1)),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case: str) -> None:
    kind, sentence, make = REFUSALS[case]
    with pytest.raises(kind, match=sentence):
        make()


def test_parameter_groups_are_charged_as_the_optimiser_has_them() -> None:
    net = module(0, 2, 4, 1)
    groups = [
        {"params": [net[0].weight], "weight_decay": 0.1},
        {"params": [net[2].weight], "weight_decay": 0.4},
        {"params": [net[0].bias, net[2].bias], "weight_decay": 0.0},
    ]
    X, y = rows(0, 9, 2)
    objective = read(net, X, y, loss="mse", weight_decay=torch.optim.SGD(groups, lr=0.1)).objective
    assert (objective.hidden, objective.hidden_bias, objective.output, objective.output_bias) == (0.1, 0.0, 0.4, 0.0)
    assert objective.beta == pytest.approx(0.2)

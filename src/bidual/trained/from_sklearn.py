"""scikit-learn's MLPRegressor and MLPClassifier."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from bidual.errors import InvalidDataError, RefusedError
from bidual.losses import Logistic, Multinomial, Squared
from bidual.network import Layer, Network
from bidual.trained.objective import Objective
from bidual.trained.targets import array, real, rows, signs
from bidual.trained.trained import Trained
from bidual.typing import Outputs


def read_sklearn(model: Any, X: Any, y: Any) -> Trained:
    """The network, and the objective whose gradient scikit-learn takes.

    It is the mean over the rows of half the squared error (summed over the outputs) or of the log-loss, plus ``alpha /
    (2 b)`` times the sum of the squared coefficients; biases are free. b is what scikit-learn divides by in a step: the
    rows for ``solver="lbfgs"``, those of a mini-batch for the others (of the batches of an epoch, the mean of ``1/b``).

    Raises
    ------
    RefusedError
        Other activations, more hidden layers, Poisson loss, or early stopping, which trains on rows of its own choice.
    """
    check_is_fitted(model)
    name = type(model).__name__
    if model.activation != "relu" or len(model.coefs_) != 2:
        raise RefusedError(
            f"{name} must have activation='relu' and one hidden layer, got {model.activation!r} and "
            f"{len(model.coefs_) - 1}: for others no bound of the objective is known"
        )
    if model.early_stopping:
        raise RefusedError(f"{name}(early_stopping=True) was trained on rows that it does not tell; set it to False")
    network = _network(model)
    X = rows(X, network.n_inputs)
    n = len(X)
    if n == 0 or not model.alpha > 0:
        raise InvalidDataError(
            f"alpha must be positive, got {model.alpha!r}: where weights cost nothing, a network that is wide enough "
            "fits any targets, and there is nothing to bound"
        )
    loss, Y = _targets(model, y, n)
    decay = float(model.alpha) * _mean_reciprocal(model, n)
    objective = Objective(loss, 1.0 / n, decay, decay, 0.0, 0.0)
    return Trained(f"scikit-learn {name}", network, objective, X, Y, lambda other: _rebuilt(model, other))


def _network(model: Any) -> Network:
    hidden, last = zip(model.coefs_, model.intercepts_, strict=True)
    return Network((Layer(*hidden, "relu"), Layer(*last)))


def _targets(model: Any, y: Any, n: int) -> tuple[Any, Outputs]:
    """The loss, and y as it takes them."""
    c = model.n_outputs_
    if not hasattr(model, "classes_"):
        if model.loss != "squared_error":
            raise RefusedError(f"MLPRegressor must have loss='squared_error', got {model.loss!r}")
        return Squared(), real(y, n, c)
    if model.out_activation_ == "logistic" and c > 1:
        return Logistic(), signs(y, n, c, (0.0, 1.0))
    labels, classes = np.asarray(y), model.classes_
    if labels.shape not in ((n,), (n, 1)):
        raise InvalidDataError(f"y must hold one label for each of the {n} rows, got shape {labels.shape}")
    equal = labels.reshape(n, 1) == classes
    if not equal.any(axis=1).all():
        raise InvalidDataError("y has labels that are none of the classes that the model was trained on")
    if c == 1:
        return Logistic(), np.where(equal[:, 1:], 1.0, -1.0)
    return Multinomial(), equal.astype(float)


def _mean_reciprocal(model: Any, n: int) -> float:
    """The mean of 1/b over the steps of an epoch."""
    if model.solver == "lbfgs":
        return 1.0 / n
    size = min(200, n) if model.batch_size == "auto" else int(np.clip(model.batch_size, 1, n))
    sizes = [size] * (n // size) + ([n % size] if n % size else [])
    return float(np.mean(1.0 / np.array(sizes)))


def _rebuilt(model: Any, network: Network) -> tuple[Any, Network]:
    """A copy with other coefficients, which predicts, and trains on with warm_start=True, as one of that width."""
    copied, dtype = copy.deepcopy(model), model.coefs_[0].dtype
    copied.hidden_layer_sizes = (network.n_neurons,)
    copied.coefs_ = [array("coefs_", layer.weight).astype(dtype) for layer in network.layers]
    copied.intercepts_ = [array("intercepts_", layer.bias).astype(dtype) for layer in network.layers]
    if hasattr(copied, "_optimizer"):
        del copied._optimizer  # its moments are those of the old coefficients
    return copied, _network(copied)

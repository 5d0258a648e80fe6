"""What an estimator answers, and where its neurons switch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.display.base import fitted
from bidual.errors import InvalidParameterError
from bidual.gates import GateNetwork
from bidual.typing import Matrix, Outputs, Rows, Vector

METHODS = ("auto", "decision_function", "predict_proba", "predict")


@dataclass(frozen=True)
class Response:
    """Values at some points, one column each for outputs or classes, or one column for two classes.

    classes : None for regression; boundary : the value where the decision between two classes changes.
    """

    values: Outputs
    label: str = "prediction"
    classes: NDArray[Any] | None = None
    boundary: float = 0.0

    def only(self, output: int) -> Response:
        """The response of one output."""
        if not 0 <= output < self.values.shape[1]:
            raise InvalidParameterError(f"output must be from 0 to {self.values.shape[1] - 1}, got {output!r}")
        return replace(self, values=self.values[:, [output]])


def respond(estimator: Any, X: Any, rows: Rows, method: str) -> Response:
    """What the estimator answers at the rows, handed over as the kind of table that X is.

    ``"auto"`` is predict for a regressor, and for a classifier decision_function if it has one, else predict_proba.
    """
    if method not in METHODS:
        raise InvalidParameterError(f"response_method must be one of {METHODS}, got {method!r}")
    classes = getattr(estimator, "classes_", None)
    if method == "auto" and classes is None:
        method = "predict"
    elif method == "auto":
        method = "decision_function" if hasattr(estimator, "decision_function") else "predict_proba"
    if not hasattr(estimator, method):
        raise InvalidParameterError(f"{type(estimator).__name__} has no {method}; use response_method='auto'")
    if classes is not None and method == "predict":
        raise InvalidParameterError("response_method='predict' shows labels only; use 'auto' for a classifier")
    table = type(X)(rows, columns=X.columns) if hasattr(X, "columns") else rows
    values = np.asarray(getattr(estimator, method)(table), dtype=np.float64).reshape(rows.shape[0], -1)
    if classes is None:
        return Response(values, method.replace("predict", "prediction").replace("_", " "))
    if method == "decision_function":
        return Response(values, "decision function", np.asarray(classes))
    if len(classes) == 2:
        return Response(values[:, 1:], f"probability of class {classes[1]}", np.asarray(classes), 0.5)
    return Response(values, "probability", np.asarray(classes))


def hidden_units(estimator: Any) -> tuple[Matrix, Vector] | None:
    """(d, m), (m,): the first layer switches where ``x'weight + bias`` is 0, in the user's units.

    Of gates that are paths through a network, this is the first layer. None if it is not known, or never switches.
    """
    if not hasattr(estimator, "network_"):
        return None
    network, coefs, intercepts = fitted(estimator, "network_", "coefs_", "intercepts_")
    hidden = network.layers[0].activation if len(network.layers) > 1 else "linear"
    if network.layers[0].patches is not None:
        return None
    if hidden == "gated":
        (units,) = fitted(estimator, "gates_")
        if isinstance(units[0], GateNetwork):
            gates, paths = units
            units = gates.weights[0][paths[0], :, paths[1]].T, gates.biases[0][paths[0], paths[1]]
    elif hidden in ("relu", "sign"):
        units = coefs[0], intercepts[0]
    else:
        return None
    weight, bias = (np.asarray(part, dtype=np.float64) for part in units)
    return np.moveaxis(weight, -2, 0).reshape(weight.shape[-2], -1), bias.ravel()


def no_units(d: int) -> tuple[Matrix, Vector]:
    """A first layer of no units."""
    return np.zeros((d, 0)), np.zeros(0)

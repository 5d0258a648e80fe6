"""Any model that can be audited, as a trained network."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from bidual.errors import InvalidParameterError
from bidual.export import from_onnx
from bidual.network import Network
from bidual.trained.from_torch import read_module, read_network, read_state_dict
from bidual.trained.objective import Objective
from bidual.trained.trained import Trained


def read(
    model: Any, X: Any, y: Any, *, loss: Any = None, weight_decay: Any = None, objective: Objective | None = None
) -> Trained:
    """The network, the objective it was trained on, and a way back to a model of the same kind.

    See :func:`bidual.audit` for the models, and for what loss and weight decay are by default.

    Raises
    ------
    InvalidParameterError
        A model of another kind, or settings that do not go with it.
    """
    options = (loss, weight_decay, objective)
    torch = sys.modules.get("torch")  # who has a module has imported it
    if torch is not None and isinstance(model, torch.nn.Module):
        return read_module(model, X, y, *options)
    if isinstance(model, Mapping):
        return read_state_dict(model, X, y, *options)
    if isinstance(model, Network):
        return read_network("Network", model, (), X, y, *options, lambda other: (other, other))
    if isinstance(model, str | os.PathLike):
        network = from_onnx(model)
        return read_network("ONNX file", network, (), X, y, *options, lambda other: (other, other))
    if any(option is not None for option in options):
        raise InvalidParameterError(
            f"a {type(model).__name__} knows its objective: leave loss, weight_decay and objective out"
        )
    return _read_estimator(model, X, y)


def _read_estimator(model: Any, X: Any, y: Any) -> Trained:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    from bidual import estimators
    from bidual.trained.from_own import read_estimator
    from bidual.trained.from_sklearn import read_sklearn

    if isinstance(model, MLPRegressor | MLPClassifier):
        return read_sklearn(model, X, y)
    if isinstance(model, estimators.MLPRegressor | estimators.MLPClassifier):
        return read_estimator(model, X, y)
    raise InvalidParameterError(
        "model must be a nn.Sequential, a state_dict, an MLP of scikit-learn or of this library, a Network, or the "
        f"path of an ONNX file, got {type(model).__name__}; of a Pipeline, give the last step, with X as the others "
        "transform it"
    )

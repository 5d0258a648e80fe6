"""Fitted estimators in files: parameters, encoding, network, and the certificate with all that proves it."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import numpy as np

from bidual.errors import BidualError, InvalidDataError, ModelFileError
from bidual.estimators.certificate import FittedCertificate
from bidual.estimators.classifier import MLPClassifier
from bidual.estimators.regressor import MLPRegressor
from bidual.estimators.stored import (
    get_certificate,
    get_formulation,
    labels_to_array,
    put_certificate,
    put_formulation,
)
from bidual.files import Arrays, read_arrays, write_arrays
from bidual.network import Network
from bidual.solvers import Record, Status

KIND = "estimator"
_ESTIMATORS = {"MLPRegressor": MLPRegressor, "MLPClassifier": MLPClassifier}


def save_model(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to ``path``."""
    parts = {
        "formulation": put_formulation(estimator.certificate_.formulation),
        "certificate": put_certificate(estimator.certificate_.core),
        "network": estimator.network_.to_arrays(),
    }
    header: dict[str, Any] = {name: described for name, (described, _) in parts.items()}
    header |= {
        "estimator": type(estimator).__name__,
        "params": {name: _plain(value) for name, value in estimator.get_params(deep=False).items()},
        "status": estimator.status_,
        "history": [list(asdict(record).values()) for record in estimator.history_],
    }
    arrays: Arrays = {f"{name}.{key}": array for name, (_, kept) in parts.items() for key, array in kept.items()}
    if hasattr(estimator, "feature_names_in_"):
        arrays["feature_names"] = labels_to_array(estimator.feature_names_in_)
    write_arrays(path, KIND, header, arrays)


def load_model(path: str | os.PathLike[str]) -> MLPRegressor | MLPClassifier:
    """The fitted estimator that ``save`` wrote; its ``certificate_.verify(X, y)`` proves it again.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ModelFileError
        The file is damaged, or holds something else.
    """
    header, arrays = read_arrays(path, KIND)
    try:
        return _rebuild(header, arrays)
    except (AttributeError, BidualError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path} does not describe an estimator ({type(error).__name__}: {error}); save it again"
        ) from error


def _rebuild(header: dict[str, Any], arrays: Arrays) -> MLPRegressor | MLPClassifier:
    params: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in header["params"].items()
    }
    estimator = _ESTIMATORS[header["estimator"]](**params)
    network = Network.from_arrays(header["network"], _under("network", arrays))
    formulation = get_formulation(header["formulation"], _under("formulation", arrays))
    encoding, ends = formulation.encoding, (network.n_inputs, network.n_outputs)
    if ends != (encoding.inputs.unit.size, encoding.targets.n_outputs):
        raise InvalidDataError(f"a network of {ends[0]} features and {ends[1]} outputs goes not with its encoding")
    core = get_certificate(header["certificate"], _under("certificate", arrays))
    history = tuple(Record(*values) for values in header["history"])
    estimator._restore(FittedCertificate(core, network, formulation), Status(header["status"]), history)
    estimator.n_features_in_ = network.n_inputs
    if "feature_names" in arrays:
        estimator.feature_names_in_ = arrays["feature_names"].astype(object)
    return estimator


def _under(name: str, arrays: Arrays) -> Arrays:
    """The arrays whose names begin with ``name.``, without it."""
    start = f"{name}."
    return {key.removeprefix(start): array for key, array in arrays.items() if key.startswith(start)}


def _plain(value: Any) -> Any:
    """A parameter as JSON holds it; what only lives in this process (functions, random states) becomes None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, set | frozenset):
        value = sorted(value)
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, bool | int | float | str) else None

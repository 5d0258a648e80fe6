"""The real data sets that scikit-learn carries in its own files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidParameterError
from bidual.typing import Rows

Task = Literal["regression", "classification"]

_UCI = "CC BY 4.0 (UCI Machine Learning Repository)"
BUNDLED: dict[str, tuple[Task, str, str, str, str]] = {
    "diabetes": (
        "regression",
        "progression",
        "progression of diabetes one year on, from age, sex, body mass, blood pressure and six serum measurements",
        "Efron, Hastie, Johnstone and Tibshirani (2004), Least angle regression, Annals of Statistics 32",
        "none stated by its authors; distributed with scikit-learn (BSD-3-Clause)",
    ),
    "breast_cancer": (
        "classification",
        "tumour",
        "whether a breast tumour is malignant or benign, from 30 measurements of cell nuclei",
        "Wolberg, Mangasarian, Street and Street (1995), Breast Cancer Wisconsin (Diagnostic), UCI",
        _UCI,
    ),
    "wine": (
        "classification",
        "grower",
        "which of three growers a wine is from, from 13 chemical measurements",
        "Aeberhard and Forina (1991), Wine, UCI",
        _UCI,
    ),
    "digits": (
        "classification",
        "digit",
        "which digit a drawing of 8 x 8 pixels shows",
        "Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits (its test part), UCI",
        _UCI,
    ),
}
"""Name -> task, target, what is predicted from what, source, licence."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """X (n, d), y (n,) of numbers or of class names, and where they are from."""

    name: str
    X: Rows
    y: NDArray[Any]
    features: tuple[str, ...]
    task: Task
    target: str
    description: str
    source: str
    licence: str


def load(name: str) -> Dataset:
    """A data set of ``BUNDLED``, with its labels as text."""
    if name not in BUNDLED:
        raise InvalidParameterError(f"the data set must be one of {[*BUNDLED]}, got {name!r}")
    task, target, description, source, licence = BUNDLED[name]
    bunch = getattr(import_module("sklearn.datasets"), f"load_{name}")()
    y = np.asarray(bunch.target, dtype=float)
    if task == "classification":
        y = np.asarray(bunch.target_names).astype(str)[bunch.target]
    features = tuple(str(feature) for feature in bunch.feature_names)
    return Dataset(name, np.asarray(bunch.data, dtype=float), y, features, task, target, description, source, licence)

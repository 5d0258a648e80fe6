"""The three kinds of targets, each with the sentence that says how to make them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError
from bidual.typing import Outputs


def check_real(Y: Outputs, name: str) -> None:
    """Every entry finite."""
    _check_matrix(Y, name)
    _refuse(~np.isfinite(Y), Y, f"the {name} loss needs finite targets", "drop or impute these rows")


def check_signs(Y: Outputs, name: str) -> None:
    """Every entry exactly -1 or +1."""
    _check_matrix(Y, name)
    remedy = "map the two classes to -1 and +1 (0/1 labels: 2 * Y - 1)"
    _refuse(np.abs(Y) != 1.0, Y, f"the {name} loss needs targets of exactly -1 and +1", remedy)


def check_one_hot(Y: Outputs, name: str) -> None:
    """At least two columns; every row has one 1 and zeros."""
    _check_matrix(Y, name)
    if Y.shape[1] < 2:
        raise InvalidDataError(
            f"the {name} loss needs one column per class and at least two, got {Y.shape[1]}: "
            "one-hot encode the labels, or use the logistic loss with targets -1 and +1"
        )
    wanted = f"the {name} loss needs one-hot rows (a single 1, zeros elsewhere)"
    remedy = "one-hot encode the labels, np.eye(c)[labels]"
    _refuse((Y != 0.0) & (Y != 1.0), Y, wanted, remedy)
    _refuse(np.broadcast_to(Y.sum(axis=1, keepdims=True) != 1.0, Y.shape), Y, wanted, remedy)


def _check_matrix(Y: Outputs, name: str) -> None:
    if Y.ndim != 2 or Y.size == 0:
        raise InvalidDataError(
            f"the {name} loss needs targets of shape (n, c), n and c at least 1, got {Y.shape}: "
            "reshape a single output with Y.reshape(-1, 1)"
        )


def _refuse(bad: NDArray[np.bool_], Y: Outputs, wanted: str, remedy: str) -> None:
    if bad.any():
        row = int(np.argmax(bad.any(axis=1)))
        raise InvalidDataError(f"{wanted}, but row {row} is {Y[row].tolist()}: {remedy}")

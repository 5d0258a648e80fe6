"""Read-only copies of arrays: what a value keeps of what it was given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.typing import Matrix


def frozen(name: str, array: ArrayLike, shape: tuple[int, ...] | None = None) -> Matrix:
    """A read-only float64 copy of an array of finite numbers.

    Raises InvalidDataError for what is not, InvalidParameterError for another shape.
    """
    given = np.asarray(array)
    if given.dtype.kind not in "biuf":
        raise InvalidDataError(f"{name} must hold real numbers, got an array of dtype {given.dtype}")
    copy = np.array(given, dtype=np.float64, order="C")
    _check_shape(name, copy, shape)
    if not np.isfinite(copy).all():
        raise InvalidDataError(
            f"{name} of shape {copy.shape} has {np.sum(~np.isfinite(copy))} entries that are not finite"
        )
    copy.flags.writeable = False
    return copy


def frozen_places(name: str, array: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """A read-only copy of an array of whole numbers."""
    given = np.asarray(array)
    if given.dtype.kind not in "iu" and given.size:
        raise InvalidDataError(f"{name} must hold whole numbers, got an array of dtype {given.dtype}")
    copy = np.array(given, dtype=np.int64, order="C")
    _check_shape(name, copy, shape)
    copy.flags.writeable = False
    return copy


def _check_shape(name: str, array: NDArray[np.generic], shape: tuple[int, ...] | None) -> None:
    if shape is not None and array.shape != shape:
        raise InvalidParameterError(f"{name} must have shape {shape} to go with the weight, got {array.shape}")

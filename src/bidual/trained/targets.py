"""Targets and rows as other programs take them, as matrices of this library."""

from __future__ import annotations

from typing import Any

import numpy as np

from bidual.errors import InvalidDataError
from bidual.typing import Matrix, Outputs, Rows


def array(name: str, values: Any) -> Matrix:
    """Finite numbers in double precision, from anything that NumPy or PyTorch has."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    try:
        found: Matrix = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"{name} must hold numbers ({error}); encode text first") from error
    if not np.isfinite(found).all():
        raise InvalidDataError(f"{name} has NaN or infinite entries; remove or impute them")
    return found


def rows(X: Any, d: int) -> Rows:
    """(n, d)."""
    found = array("X", X)
    if found.ndim != 2 or found.shape[1] != d or not len(found):
        raise InvalidDataError(f"X must have shape (n, {d}) for this network, got {found.shape}")
    return found


def real(y: Any, n: int, c: int) -> Outputs:
    """(n, c): numbers; one output may be a flat array."""
    found = array("y", y)
    if found.shape not in ((n, c), (n,) if c == 1 else (n, c)):
        raise InvalidDataError(f"y must have shape {(n, c)} for this network and these rows, got {found.shape}")
    return found.reshape(n, c)


def signs(y: Any, n: int, c: int, values: tuple[float, float]) -> Outputs:
    """(n, c): -1 and +1, from the two values that stand for them."""
    found = real(y, n, c)
    if not np.isin(found, values).all():
        raise InvalidDataError(f"y must hold {values[0]:g} and {values[1]:g} for this loss, got other values")
    return np.where(found == values[1], 1.0, -1.0)


def one_hot(y: Any, n: int, c: int) -> Outputs:
    """(n, c): rows with a single 1, from class numbers (n,) or from such rows."""
    found = array("y", y)
    if found.shape == (n, c) and c > 1 and np.isin(found, (0, 1)).all() and (found.sum(axis=1) == 1).all():
        return found
    if found.shape != (n,) or not np.isin(found, np.arange(c)).all():
        raise InvalidDataError(f"y must hold the numbers 0 to {c - 1} of the classes, one for each of the {n} rows")
    return np.eye(c)[found.astype(np.intp)]

"""What the planted models ask of their data."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bidual.errors import InvalidDataError
from bidual.typing import Matrix


def planted_data(A: ArrayLike, y: ArrayLike) -> tuple[Matrix, Matrix]:
    """Rows A (..., n, d) and targets y (..., n) in double precision; y (n, 1) is taken as (n,).

    Raises InvalidDataError for shapes that do not fit, entries that are not finite, and negative targets: sums of ReLU
    neurons are never negative, and the relaxed objective may have no lower bound then.
    """
    rows, targets = np.asarray(A, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if targets.ndim == rows.ndim and targets.shape[-1] == 1:
        targets = targets[..., 0]
    if rows.ndim < 2 or rows.size == 0 or targets.shape != rows.shape[:-1]:
        raise InvalidDataError(
            f"A and y must have shapes (n, d) and (n,), n and d at least 1, got {rows.shape} and {targets.shape}"
        )
    for name, values in (("A", rows), ("y", targets)):
        if not np.isfinite(values).all():
            raise InvalidDataError(f"{name} has NaN or infinite entries; remove or impute them")
    if targets.min() < 0.0:
        raise InvalidDataError(
            f"y has negative entries, the least is {float(targets.min())!r}: a planted network never predicts below 0; "
            "train a network with output weights of both signs, bidual.MLPRegressor"
        )
    return rows, targets

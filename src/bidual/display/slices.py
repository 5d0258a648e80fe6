"""A slice through the inputs of an estimator: one or two features move, the others stand still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.typing import Matrix, Rows, Vector

MARGIN = 0.05
"""How much wider than the data a slice is, on each side."""


@dataclass(frozen=True)
class Slice:
    """Rows of inputs along the axes of a grid.

    features : the one or two columns that move; rest : (d,), the values of the others; axes : one grid for each.
    """

    features: tuple[int, ...]
    rest: Vector
    axes: tuple[Vector, ...]

    @property
    def rows(self) -> Rows:
        """(g, d) or (g1 * g2, d): the points of the grid, the last feature fastest."""
        mesh = np.meshgrid(*self.axes, indexing="ij")
        rows = np.tile(self.rest, (mesh[0].size, 1))
        for feature, values in zip(self.features, mesh, strict=True):
            rows[:, feature] = values.ravel()
        return rows

    def hyperplanes(self, weight: Matrix, bias: Vector) -> tuple[Matrix, Vector]:
        """(k, m), (m,): ``x'weight + bias`` on the slice, as ``s'normals + offsets`` of the moving features s."""
        moving = list(self.features)
        still = self.rest.copy()
        still[moving] = 0.0
        return weight[moving], bias + still @ weight

    def refined(self, points: Vector) -> Slice:
        """The slice over one feature with these points added to its grid, where they lie inside."""
        (axis,) = self.axes
        inside = points[(axis[0] < points) & (points < axis[-1])]
        return replace(self, axes=(np.union1d(axis, inside),))


def slice_of(
    X: Rows, features: Sequence[int | str], at: Mapping[int | str, float], names: Sequence[str], points: int
) -> Slice:
    """The slice through the medians of X (or the values ``at``), a little wider than the data."""
    columns = tuple(column(feature, names) for feature in features)
    if len(columns) not in (1, 2) or len(set(columns)) != len(columns):
        raise InvalidParameterError(f"features must be one or two different features, got {list(features)!r}")
    if points < 2:
        raise InvalidParameterError(f"grid_resolution must be at least 2, got {points!r}")
    rest = np.median(X, axis=0)
    for feature, value in at.items():
        rest[column(feature, names)] = value
    low, high = X.min(axis=0), X.max(axis=0)
    margin = np.where(high > low, MARGIN * (high - low), 0.5)
    axes = tuple(np.linspace(low[j] - margin[j], high[j] + margin[j], points) for j in columns)
    return Slice(columns, rest, axes)


def column(feature: int | str, names: Sequence[str]) -> int:
    """The place of a feature given by place or name."""
    if isinstance(feature, str):
        if feature not in names:
            raise InvalidParameterError(f"there is no feature {feature!r}; the features are {', '.join(names)}")
        return list(names).index(feature)
    if isinstance(feature, bool) or not isinstance(feature, int | np.integer) or not 0 <= feature < len(names):
        raise InvalidParameterError(f"a feature is a name or an index from 0 to {len(names) - 1}, got {feature!r}")
    return int(feature)


def data_of(X: Any, names: Sequence[str] | None) -> tuple[Rows, list[str]]:
    """The data as a matrix, and the names of its columns."""
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or rows.size == 0:
        raise InvalidDataError(f"X must have shape (n, d) with at least one row and column, got {rows.shape}")
    if names is None:
        names = getattr(X, "columns", [f"feature {j}" for j in range(rows.shape[1])])
    if len(names) != rows.shape[1]:
        raise InvalidParameterError(f"feature_names must name all {rows.shape[1]} features, got {len(names)} names")
    return rows, [str(name) for name in names]

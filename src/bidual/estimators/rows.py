"""Data as a set of weighted rows, in one order whatever order they came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.errors import InvalidDataError
from bidual.typing import Matrix, Outputs, Rows, Weights


@final
@dataclass(frozen=True, eq=False)
class WeightedRows:
    """Distinct rows (x, y) in lexicographic order, each with its share of the weight.

    A row of weight 0 is no row, a row of weight k is the same as k rows, and neither the order of the rows nor a common
    factor 2^e of all weights matters: bit for bit, so that the fitted models are equal, not only close.

    X : (n, d), Y : (n, c) encoded targets, weights : (n,) positive, adding up to 1.
    """

    X: Rows
    Y: Outputs
    weights: Weights

    @classmethod
    def collect(cls, X: Rows, Y: Outputs, weights: Weights) -> WeightedRows:
        """Sort and merge; weights are finite, nonnegative and not all zero."""
        kept = weights > 0
        if not kept.any():
            raise InvalidDataError("sample_weight must contain a weight other than zero; leave it out to weigh evenly")
        table = np.column_stack([X, Y])[kept] + 0.0  # no negative zeros
        # By a power of two: exact, so that 3 is still the sum of 1, 1 and 1.
        weights = np.ldexp(weights[kept], 1 - np.frexp(weights.max())[1])
        order = np.lexsort([weights, *table.T[::-1]])
        table, weights = table[order], weights[order]
        first = np.flatnonzero(np.append(True, (table[1:] != table[:-1]).any(axis=1)))
        weights = np.add.reduceat(weights, first)
        weights = weights / weights.sum()
        first, weights = first[weights > 0], weights[weights > 0]
        return cls(_split(table[first], 0, X.shape[1]), _split(table[first], X.shape[1], None), weights)


def _split(table: Matrix, start: int, stop: int | None) -> Matrix:
    return np.ascontiguousarray(table[:, start:stop])

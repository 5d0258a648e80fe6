"""Data as a set of weighted rows, in one order whatever order they came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError
from bidual.typing import Matrix, Outputs, Rows, Weights


@final
@dataclass(frozen=True, eq=False)
class WeightedRows:
    """Distinct rows (x, y) in lexicographic order, each with its share of the weight.

    A row of weight 0 is no row, a row of weight k is the same as k rows, and neither the order of the rows nor a common
    factor 2^e of all weights matters: bit for bit, so that the fitted models are equal, not only close.

    X : (n, d), Y : (n, c) encoded targets, weights : (n,) positive, adding up to 1. place : (N,) which of them each
    given row became, -1 if it had no weight; share : (N,) what part of that row's weight it brought.
    """

    X: Rows
    Y: Outputs
    weights: Weights
    place: NDArray[np.intp]
    share: Weights

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
        table, brought = table[order], weights[order]
        new = np.append(True, (table[1:] != table[:-1]).any(axis=1))
        first, group = np.flatnonzero(new), np.cumsum(new) - 1
        total = np.add.reduceat(brought, first)
        weights = total / total.sum()
        some = weights > 0
        place, share = np.full(kept.size, -1, dtype=np.intp), np.zeros(kept.size)
        at = np.flatnonzero(kept)[order]
        place[at] = np.where(some, np.cumsum(some) - 1, -1)[group]
        share[at] = brought / np.where(total > 0, total, 1.0)[group]  # tiny weights may underflow to 0
        first, weights = first[some], weights[some]
        X, Y = _split(table[first], 0, X.shape[1]), _split(table[first], X.shape[1], None)
        return cls(X, Y, weights, place, share)


def _split(table: Matrix, start: int, stop: int | None) -> Matrix:
    return np.ascontiguousarray(table[:, start:stop])

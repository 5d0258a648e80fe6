"""Leaves of a search over sides: together they bound the score of every neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.semidefinite import score_bounds
from bidual.typing import Matrix, Outputs, Rows


@dataclass(frozen=True)
class Branches:
    """L leaves, each about one output (L,) and sign (L,) of the neurons.

    sides : (L, n) int8, for the rows that favour the neuron: 1 or -1 where ``z`` or ``-z`` replaces ``|z|``, 0 where
    nothing is decided; touch : (L, n), the enclosures of :func:`~bidual.architectures.semidefinite.score_bounds`.
    """

    output: NDArray[np.int64]
    sign: NDArray[np.int64]
    sides: NDArray[np.int8]
    touch: Matrix

    def formed(self, n: int, c: int) -> bool:
        """True if these are leaves for n rows and c outputs."""
        return (
            self.output.shape == self.sign.shape == self.touch.shape[:1]
            and self.sides.shape == self.touch.shape == (self.output.size, n)
            and self.output.dtype.kind == self.sign.dtype.kind == self.sides.dtype.kind == "i"
            and self.touch.dtype.kind == "f"
            and bool(((self.output >= 0) & (self.output < c) & (np.abs(self.sign) == 1)).all())
            and bool(((self.sides >= -1) & (self.sides <= 1)).all())
        )


def tree_bound(X: Rows, V: Outputs, slope: float, branches: Branches) -> float:
    """A bound of ``max over |u| <= 1 of |sum_i V_ik phi(x_i'u)|`` over all outputs k; inf if leaves are missing.

    For v_i > 0, ``v_i |z_i|`` is the larger of ``v_i z_i`` and ``-v_i z_i``, so the largest score is the largest over
    all choices of sides, and each choice is in a leaf.
    """
    value = 0.0
    for k, v in enumerate(V.T):
        for sign in (1, -1):
            own = (branches.output == k) & (branches.sign == sign)
            sides = np.where(sign * v > 0, branches.sides[own], 0)
            if not covers(sides):
                return np.inf
            value = max(value, float(score_bounds(X, sign * v, slope, branches.touch[own], sides).max()))
    return value


def covers(sides: NDArray[np.int8]) -> bool:
    """True if the rows of ``sides`` (L, n) are the leaves of a tree, so that each of the 2^n choices is in one of them.

    Leaves below the root all decide its row, and those on each of its sides are the leaves of a tree again.
    """
    groups = [(np.arange(len(sides)), np.zeros(sides.shape[1], dtype=bool))]
    while groups:
        leaves, fixed = groups.pop()
        if leaves.size == 0:
            return False
        decided = sides[leaves] != 0
        if decided.sum(axis=1).min() == fixed.sum():
            continue
        common = np.flatnonzero(decided.all(axis=0) & ~fixed)
        if common.size == 0:
            return False
        fixed = fixed.copy()
        fixed[common[0]] = True
        positive = sides[leaves, common[0]] > 0
        groups += [(leaves[positive], fixed), (leaves[~positive], fixed)]
    return True

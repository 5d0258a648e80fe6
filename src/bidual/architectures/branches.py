"""Leaves of a search over sides: together they bound the score of every neuron."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.typing import Matrix, Outputs, Vector


@dataclass(frozen=True)
class Branches:
    """L leaves, each about one output (L,) and sign (L,) of the neurons.

    sides : (L, n) int8, for the rows that favour the neuron: 1 or -1 where its kink is replaced by one of its two
    lines, 0 where nothing is decided; touch : (L, n), what encloses the kinks of the other rows
    (:func:`~bidual.architectures.semidefinite.score_bounds`, :func:`~bidual.architectures.parallel_relu3.leaf_bounds`).
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


def tree_bound(V: Outputs, branches: Branches, bounds: Callable[[Vector, Matrix, Matrix], Vector]) -> float:
    """A bound of ``max over neurons of |sum_i V_ik phi(z_i)|`` over all outputs k, phi convex with a kink at 0; inf if
    leaves are missing.

    For v_i > 0, ``v_i phi(z_i)`` is the larger of its values on two lines, so the largest score is the largest over all
    choices of sides, and each choice is in a leaf. ``bounds(v, touch, sides)`` are those of leaves about v.
    """
    value = 0.0
    for k, v in enumerate(V.T):
        for sign in (1, -1):
            own = (branches.output == k) & (branches.sign == sign)
            sides = np.where(sign * v > 0, branches.sides[own], 0)
            if not covers(sides):
                return np.inf
            value = max(value, float(bounds(sign * v, branches.touch[own], sides).max()))
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

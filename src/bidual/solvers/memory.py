"""How much memory a solve on listed patterns takes, and what is done with the rest."""

from __future__ import annotations

from math import inf

import numpy as np

from bidual.errors import MemoryLimitError
from bidual.operators.blocks import ENTRIES
from bidual.problem import Problem

VECTORS = 40
"""Arrays (n, c) in double precision at the busiest moment: targets, predictions, dual vectors, directions."""

BLOCKS = 16
"""Arrays (P, p, c) in double precision at the busiest moment."""


def spare_memory(problem: Problem, n_patterns: int, limit: float | None) -> float:
    """The bytes that are left of the limit (None: no limit) for what can be computed again when it is needed.

    What cannot: the data (those of a memory-mapped file are the operating system's to keep or drop, and count nothing),
    one bit for each row and pattern and half as much again for the pairs, ``VECTORS`` arrays as large as the targets,
    ``BLOCKS`` as large as all weights, and a few blocks of rows. Raises MemoryLimitError if that exceeds the limit.
    """
    if limit is None:
        return inf
    (n, p), c = problem.lifted.shape, problem.n_outputs
    data = {id(X): X.nbytes for X in (problem.X, problem.lifted) if not mapped(X)}
    needed = sum(data.values()) + 1.5 * n * n_patterns / 8 + 8.0 * (VECTORS * n * c + BLOCKS * n_patterns * p * c)
    needed += 4 * 8.0 * ENTRIES
    if needed > limit:
        raise MemoryLimitError(
            f"{n} rows of {p} features with {c} outputs on {n_patterns} patterns need about {needed / 2**20:.0f} MiB, "
            f"and memory_limit is {limit / 2**20:.0f} MiB; allow as much, or list fewer patterns (n_patterns)"
        )
    return limit - needed


def mapped(values: np.ndarray) -> bool:
    """True if the values are those of a memory-mapped file."""
    base: object = values
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False

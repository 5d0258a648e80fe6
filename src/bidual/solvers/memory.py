"""How much memory a solve on listed patterns takes, and how much is left for what can be computed again."""

from __future__ import annotations

from math import inf

import numpy as np

from bidual.errors import MemoryLimitError
from bidual.operators import blocks, masked
from bidual.problem import Problem

BITS, VECTORS, WEIGHTS, BLOCKS, UNPACKED = 4, 40, 16, 4, 3
"""How many arrays there are at the busiest moment: bits (n, P), the masks, their pairs and what they are compared with;
numbers like the targets (rows, c), predictions, dual vectors, directions; numbers (P, p, c); blocks of rows; and masks
unpacked once for all, where these are no more than a block."""


def spare_memory(problem: Problem, n_patterns: int, limit: float | None) -> float:
    """The bytes that are left of the limit (None: no limit) for what can be computed again when it is needed.

    What cannot are the data, unless they are those of a memory-mapped file, which the operating system keeps or drops;
    a few bits for each row and pattern; a few dozen arrays as large as the targets or the weights; and blocks of rows.
    Raises MemoryLimitError if these alone exceed the limit.
    """
    if limit is None:
        return inf
    (n, p), c, P = problem.lifted.shape, problem.n_outputs, n_patterns
    data = {id(X): X.nbytes for X in (problem.X, problem.lifted) if not mapped(X)}
    numbers = VECTORS * problem.Y.size + WEIGHTS * P * p * c + BLOCKS * (blocks.ENTRIES + masked.ROWS * (P + p * c))
    numbers += UNPACKED * min(blocks.ENTRIES, n * P)
    needed = sum(data.values()) + BITS * n * P / 8.0 + 8.0 * numbers
    if needed > limit:
        raise MemoryLimitError(
            f"{n} rows of {p} features and {c} outputs need about {needed / 2**20:.0f} MiB on {P} patterns, "
            f"memory_limit is {limit / 2**20:.0f} MiB; allow more, list fewer patterns, or map X from a file"
        )
    return limit - needed


def mapped(values: object) -> bool:
    """True if an array is one of a memory-mapped file."""
    while isinstance(values, np.ndarray):
        if isinstance(values, np.memmap):
            return True
        values = values.base
    return False

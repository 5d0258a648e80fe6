"""How many threads the matrix products of a solve use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

SMALL = 1_000_000
"""Entries of X below which a second thread costs more in waiting than it saves: on a machine with other work, ten times
the whole solve."""


def suitable_threads(entries: int) -> AbstractContextManager[object]:
    """One BLAS thread for small data, as many as there are otherwise."""
    return _controller().limit(limits=1, user_api="blas") if entries < SMALL else nullcontext()


@cache
def _controller() -> ThreadpoolController:
    """Of the libraries of NumPy and SciPy, loaded by now: looking for them takes as long as a small solve."""
    return ThreadpoolController()

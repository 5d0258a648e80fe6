"""Blocks of rows: what is as wide as the patterns or the neurons is never formed for all rows at once."""

from __future__ import annotations

from collections.abc import Iterator

ENTRIES = 2**21
"""Entries of a block: 16 MB in double precision."""


def row_blocks(n: int, width: int) -> Iterator[slice]:
    """Slices that cut n rows into blocks of at most ``ENTRIES`` entries of the given width, and of whole bytes of
    bits: all but the last have a multiple of 8 rows."""
    step = max(8, ENTRIES // max(width, 1) // 8 * 8)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))

"""Knowing rows again: a hash of each, so that the training rows are found in whatever order a table has them."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from bidual.tables.targets import Label
from bidual.typing import Rows


def fingerprints(X: Rows, y: list[Label] | list[float]) -> NDArray[np.uint64]:
    """(n,): a hash of each row of the design with its target."""
    plain = np.ascontiguousarray(X + 0.0)  # -0.0 becomes 0.0
    return np.array(
        [_hash(row.tobytes() + str(value).encode()) for row, value in zip(plain, y, strict=True)], np.uint64
    )


def find_rows(known: NDArray[np.uint64], present: NDArray[np.uint64]) -> tuple[NDArray[np.intp], int]:
    """The places in ``present`` of as many as possible of the known rows, and how many are not there."""
    wanted = Counter(known.tolist())
    places = []
    for i, value in enumerate(present.tolist()):
        if wanted[value] > 0:
            wanted[value] -= 1
            places.append(i)
    return np.array(places, dtype=np.intp), wanted.total()


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")

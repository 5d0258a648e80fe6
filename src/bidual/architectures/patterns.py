"""Activation patterns: which rows of the data a neuron is active on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.typing import Masks, Matrix


@dataclass(frozen=True)
class Patterns:
    """P activation patterns of n rows: ``masks[:, j] = 1[X gates[:, j] >= 0]``, up to rows on the hyperplane.

    masks : (n, P) bool, gates : (p, P).
    """

    masks: Masks
    gates: Matrix

    def __len__(self) -> int:
        return self.masks.shape[1]

    def distinct(self) -> Patterns:
        """Each pattern once, in order of first appearance."""
        first = first_of_each(self.masks)
        return Patterns(self.masks[:, first], self.gates[:, first])

    def join(self, other: Patterns) -> Patterns:
        """The distinct patterns of both."""
        masks = np.concatenate([self.masks, other.masks], axis=1)
        return Patterns(masks, np.concatenate([self.gates, other.gates], axis=1)).distinct()


def first_of_each(columns: Masks) -> NDArray[np.intp]:
    """Where each distinct column of a boolean matrix first appears, in order."""
    seen: dict[bytes, int] = {}
    packed = np.packbits(columns, axis=0)
    for j, column in enumerate(np.ascontiguousarray(packed.T)):
        seen.setdefault(column.tobytes(), j)
    return np.array(sorted(seen.values()), dtype=np.intp)


def sample(X: Matrix, n_patterns: int, seed: int) -> Patterns:
    """The distinct nonempty patterns of ``n_patterns`` Gaussian gates on lifted data X (n, p).

    Gates are scaled by the columns' root mean squares, so that every feature has a say in where a gate cuts.
    Sampling never proves that all patterns were found.
    """
    scale = np.sqrt(np.mean(X**2, axis=0))
    gates = np.random.default_rng(seed).standard_normal((X.shape[1], n_patterns))
    gates /= np.where(scale > 0, scale, 1.0)[:, None]
    masks = X @ gates >= 0
    active = masks.any(axis=0)
    return Patterns(masks[:, active], gates[:, active]).distinct()

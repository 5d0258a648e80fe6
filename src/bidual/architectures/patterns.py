"""Activation patterns: which rows of the data a neuron is active on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.operators.bits import Bits
from bidual.typing import Gates, Masks, Matrix, Rows


@final
@dataclass(frozen=True, eq=False, init=False)
class Patterns:
    """P activation patterns of n rows: ``masks[:, j] = 1[X gates[:, j] >= 0]``, up to rows on the hyperplane.

    Made from masks (n, P) bool, or their bits, and gates (p, P), or what else opens the architecture's units. Only the
    bits are kept, n P / 8 bytes; ``masks`` unpacks them. Raises InvalidDataError for masks that are not boolean.
    """

    bits: Bits
    gates: Gates

    def __init__(self, masks: Masks | Bits, gates: Gates):
        object.__setattr__(self, "bits", Bits.of(masks))
        object.__setattr__(self, "gates", gates)

    @property
    def masks(self) -> Masks:
        """(n, P) bool, unpacked at every access: n P bytes."""
        return self.bits.unpack()

    def __len__(self) -> int:
        return self.bits.shape[1]

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Patterns:
        """The patterns at the given places."""
        return Patterns(self.bits.take(which), self.gates[:, which])

    def nonempty(self) -> Patterns:
        """The patterns that are open somewhere."""
        return self.take(np.any(self.bits.packed, axis=1))

    def distinct(self) -> Patterns:
        """Each pattern once, in order of first appearance."""
        return self.take(self.bits.distinct())

    def same_as(self, other: Patterns | None) -> bool:
        """True if both list the same patterns in the same order, with the same gates."""
        return other is self or (
            other is not None
            and np.array_equal(self.bits.packed, other.bits.packed)
            and np.array_equal(self.gates, other.gates)
        )

    def join(self, other: Patterns) -> Patterns:
        """The distinct patterns of both."""
        return Patterns(self.bits.join(other.bits), np.concatenate([self.gates, other.gates], axis=1)).distinct()


def compatible(Z: Matrix, patterns: Patterns, margin: float) -> NDArray[np.bool_]:
    """(m, P): whether no entry of column j of Z (n, m) is on the wrong side of pattern k by more than ``margin``."""
    masks = patterns.masks.astype(np.float32)
    outside = (Z > margin).T.astype(np.float32) @ (1.0 - masks) + (Z < -margin).T.astype(np.float32) @ masks
    return np.equal(outside, 0.0)


def first_of_each(columns: Masks) -> NDArray[np.intp]:
    """Where each distinct column of a boolean matrix first appears, in order."""
    return Bits.of(columns).distinct()


def sample(X: Rows, n_patterns: int, seed: int, antithetic: bool = False) -> Patterns:
    """The distinct nonempty patterns of ``n_patterns`` Gaussian gates on lifted data X (n, p).

    Gates are scaled by the columns' root mean squares, so that every feature has a say in where a gate cuts.
    ``antithetic`` gates come in pairs g and -g, whose masks are complementary: products with them cost half, but as
    many patterns say less. Sampling never proves that all patterns were found.
    """
    scale = np.sqrt(np.einsum("np,np->p", X, X) / X.shape[0])
    drawn = -(-n_patterns // 2) if antithetic else n_patterns
    gates = np.random.default_rng(seed).standard_normal((X.shape[1], drawn))
    gates /= np.where(scale > 0, scale, 1.0)[:, None]
    gates = np.hstack([gates, -gates])[:, :n_patterns] if antithetic else gates
    patterns = Patterns(Bits.nonnegative(X, gates), gates)
    return patterns.nonempty().distinct()

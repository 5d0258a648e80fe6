"""Boolean matrices with one bit an entry: activation patterns of many rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError
from bidual.operators.blocks import row_blocks
from bidual.typing import Masks, Matrix, Rows

Places = NDArray[np.intp]


@final
@dataclass(frozen=True, eq=False)
class Bits:
    """A boolean matrix (n, P), column by column: n P / 8 bytes.

    packed : (P, ceil(n / 8)) uint8, the first row in the highest bit, unused bits 0.
    """

    packed: NDArray[np.uint8]
    n: int

    def __post_init__(self) -> None:
        if self.packed.dtype != np.uint8 or self.packed.ndim != 2 or self.packed.shape[1] != -(-self.n // 8):
            raise InvalidDataError(
                f"bits of {self.n} rows must have shape (P, {-(-self.n // 8)}) and type uint8, got "
                f"{self.packed.shape} and {self.packed.dtype}"
            )

    @classmethod
    def of(cls, masks: Masks | Bits) -> Bits:
        """The bits of masks (n, P); bits are their own. InvalidDataError unless they are boolean."""
        if isinstance(masks, Bits):
            return masks
        if masks.dtype != bool or masks.ndim != 2:
            raise InvalidDataError(f"masks must be a boolean matrix (n, P), got {masks.dtype} of shape {masks.shape}")
        return cls(np.packbits(masks, axis=0).T.copy(), masks.shape[0])

    @classmethod
    def nonnegative(cls, X: Rows, gates: Matrix) -> Bits:
        """Where ``X gates >= 0``, X (n, p), gates (p, P), block of rows by block of rows."""
        n, P = X.shape[0], gates.shape[1]
        packed = np.empty((P, -(-n // 8)), np.uint8)
        for rows in row_blocks(n, P):
            packed[:, rows.start // 8 : -(-rows.stop // 8)] = np.packbits(X[rows] @ gates >= 0, axis=0).T
        return cls(packed, n)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, P)."""
        return self.n, self.packed.shape[0]

    def unpack(self) -> Masks:
        """(n, P) bool: n P bytes."""
        return np.unpackbits(self.packed, axis=1, count=self.n).T.astype(bool)

    def take(self, columns: NDArray[np.intp] | NDArray[np.bool_]) -> Bits:
        """The columns at the given places."""
        return Bits(self.packed[columns], self.n)

    def join(self, other: Bits) -> Bits:
        """These columns followed by the others, of the same rows."""
        return Bits(np.concatenate([self.packed, other.packed]), self.n)

    def distinct(self) -> Places:
        """Where each distinct column first appears, in order."""
        seen: dict[bytes, int] = {}
        for j, column in enumerate(self.packed):
            seen.setdefault(column.tobytes(), j)
        return np.array(list(seen.values()), dtype=np.intp)

    @cached_property
    def pairs(self) -> tuple[Places, Places, NDArray[np.bool_]]:
        """(kept, base, flipped): column j is column ``kept[base[j]]``, or its complement where ``flipped[j]``.

        Each column is in one pair at most, and every column without a partner is kept.
        """
        tail = np.uint8(0xFF << -self.n % 8 & 0xFF)
        waiting: dict[bytes, int] = {}
        kept: list[int] = []
        base, flipped = np.empty(len(self.packed), dtype=np.intp), np.zeros(len(self.packed), dtype=bool)
        for j, column in enumerate(self.packed):
            complement = ~column
            complement[-1:] &= tail
            partner = waiting.pop(complement.tobytes(), None)
            flipped[j] = partner is not None
            base[j] = len(kept) if partner is None else partner
            if partner is None:
                waiting[column.tobytes()] = len(kept)
                kept.append(j)
        return np.array(kept, dtype=np.intp), base, flipped

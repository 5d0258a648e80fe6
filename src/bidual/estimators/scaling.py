"""Columns in standard units, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError
from bidual.typing import Matrix, Vector, Weights

SMALLEST, LARGEST = 1e-290, 1e300
"""Columns whose largest entry is not between these cannot be standardised and put back."""

MODERATE = 1e75
"""Without standardising, larger entries overflow once they are squared twice."""


@final
@dataclass(frozen=True, eq=False)
class Scaling:
    """``(A / unit - center) / scale``, column by column; ``unit`` is a power of two, so that huge entries cannot
    overflow and dividing by it rounds nothing.

    unit, center, scale : (k,), center and scale in units of ``unit``.
    """

    unit: Vector
    center: Vector
    scale: Vector

    @classmethod
    def none(cls, k: int) -> Scaling:
        """The scaling of k columns that changes nothing."""
        return cls(np.ones(k), np.zeros(k), np.ones(k))

    @classmethod
    def fit(cls, name: str, A: Matrix, weights: Weights, centered: bool) -> Scaling:
        """The weighted mean and standard deviation of the columns of A (n, k); weights (n,) add up to 1.

        Not ``centered``: no mean is subtracted and the scale is the root mean square. Constant columns get scale 1.
        """
        largest = np.abs(A).max(axis=0)
        outside = ((largest > 0) & (largest < SMALLEST)) | (largest > LARGEST)
        if outside.any():
            column = int(np.argmax(outside))
            raise InvalidDataError(
                f"{name} has entries up to {largest[column]:.3g} in column {column}, which cannot be standardised; "
                "multiply the column by a constant, or leave it out"
            )
        unit = np.where(largest > 0, np.ldexp(1.0, np.frexp(largest)[1] - 1), 1.0)
        Z = A / unit
        constant = (Z == Z[0]).all(axis=0)
        center = np.where(constant, Z[0], weights @ Z) if centered else np.zeros(A.shape[1])
        scale = np.sqrt(weights @ (Z - center) ** 2)
        # What is left of a nearly constant column is rounding; blowing it up would make it a feature.
        scale = np.where(scale > 10 * np.finfo(float).eps * np.abs(center), scale, 1.0)
        return cls(unit, center, scale)

    @classmethod
    def fit_channels(cls, A: Matrix, weights: Weights, centered: bool, channels: int) -> Scaling:
        """The scaling of images A (n, d) with one mean and one scale for all pixels of a channel, so that a filter sees
        the same image in every place as the same."""
        n, pixels = A.shape[0], A.shape[1] // channels
        each = cls.fit("X by channels", A.reshape(n * pixels, channels), np.repeat(weights / pixels, pixels), centered)
        return each.take(np.tile(np.arange(channels), pixels))

    def take(self, columns: NDArray[np.intp]) -> Scaling:
        """That of the given columns."""
        return Scaling(self.unit[columns], self.center[columns], self.scale[columns])

    def apply(self, name: str, A: Matrix) -> Matrix:
        """A (n, k) in standard units."""
        with np.errstate(over="ignore"):
            return _finite(name, (A / self.unit - self.center) / self.scale, A)

    def invert(self, name: str, Z: Matrix) -> Matrix:
        """Z (n, k) in the user's units."""
        with np.errstate(over="ignore"):
            return _finite(name, (Z * self.scale + self.center) * self.unit, Z)

    @property
    def factor(self) -> Vector:
        """(k,): how much of the user's unit is one standard unit."""
        return self.unit * self.scale

    @property
    def offset(self) -> Vector:
        """(k,): the place of the user's zero, in standard units with the sign changed."""
        return self.center / self.scale

    @property
    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The arrays, by field name."""
        return {"unit": self.unit, "center": self.center, "scale": self.scale}

    def same_as(self, other: Scaling, rtol: float = 1e-9) -> bool:
        """True if both are the same up to rounding."""
        return (
            np.array_equal(self.unit, other.unit)
            and bool((np.abs(self.scale - other.scale) <= rtol * self.scale).all())
            and bool((np.abs(self.center - other.center) <= rtol * (np.abs(self.center) + self.scale)).all())
        )


def check_moderate(name: str, A: Matrix) -> None:
    """Refuse entries that would overflow in the training objective."""
    largest = float(np.abs(A).max(initial=0.0))
    if largest > MODERATE:
        raise InvalidDataError(
            f"{name} has entries up to {largest:.3g}, whose powers overflow; set standardize=True or rescale {name}"
        )


def _finite(name: str, values: Matrix, given: Matrix) -> Matrix:
    if not np.isfinite(values).all():
        raise InvalidDataError(
            f"{name} overflows: an entry of size {np.abs(given).max():.3g} lies too far from the data of fit; "
            f"rescale {name} before fit and predict"
        )
    return values

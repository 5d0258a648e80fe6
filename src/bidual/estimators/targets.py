"""Targets as the losses want them, and predictions as the user wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError
from bidual.estimators.scaling import Scaling
from bidual.typing import Outputs, Weights

Labels: TypeAlias = NDArray[Any]
"""(n,): class labels of any type that sorts."""


@final
@dataclass(frozen=True, eq=False)
class RealTargets:
    """Numbers, standardised by ``scaling``; ``flat`` says that y was given without a column axis."""

    scaling: Scaling
    flat: bool

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""
        return int(self.scaling.unit.size)

    def columns(self, y: Outputs) -> Outputs:
        """(n, c): y in the user's units, one column for each output."""
        Y = numbers("y", y)
        Y = Y.reshape(-1, 1) if Y.ndim == 1 else Y
        if Y.ndim != 2 or Y.shape[1] != self.scaling.unit.size:
            raise InvalidDataError(f"y must have {self.scaling.unit.size} columns as in fit, got shape {Y.shape}")
        return Y

    def encode(self, Y: Outputs) -> Outputs:
        """(n, c): the columns in standard units."""
        return self.scaling.apply("y", Y)

    def decode(self, F: Outputs) -> Outputs:
        """(n,) or (n, c): predictions in the user's units."""
        values = self.scaling.invert("the prediction", F)
        return values[:, 0] if self.flat else values

    def same_as(self, other: Targets) -> bool:
        """True if both encode alike, up to rounding."""
        return isinstance(other, RealTargets) and self.scaling.same_as(other.scaling)


@final
@dataclass(frozen=True, eq=False)
class ClassTargets:
    """Labels, as one column of -1 and +1 for two classes, else one column for each class.

    classes : (K,) sorted; code : ``"signs"`` (-1 and +1) or ``"one_hot"`` (0 and 1; two classes are signs even then).
    """

    classes: Labels
    code: Literal["signs", "one_hot"]

    @classmethod
    def fit(cls, y: Labels, weights: Weights, code: Literal["signs", "one_hot"]) -> ClassTargets:
        """The classes of the rows of positive weight, at least two."""
        classes = np.unique(y[weights > 0])
        if classes.size < 2:
            raise InvalidDataError(
                f"y must have at least two classes among the rows of positive weight, got {classes.size} class"
                f"{'' if classes.size == 1 else 'es'}; add rows of another class"
            )
        return cls(classes, code)

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""
        return 1 if self.classes.size == 2 else int(self.classes.size)

    def columns(self, y: Labels) -> Outputs:
        """(n, 1): the place of each label among the classes."""
        y = np.asarray(y)
        if y.ndim != 1:
            raise InvalidDataError(f"y must be one column of labels, got shape {y.shape}; flatten it")
        try:
            place = np.minimum(np.searchsorted(self.classes, y), self.classes.size - 1)
        except TypeError as error:
            raise InvalidDataError(f"y has labels of another type than in fit ({error}); give those of fit") from error
        unknown = self.classes[place] != y
        if unknown.any():
            raise InvalidDataError(f"y has the label {y[unknown][0]!r}, which is none of the classes of fit")
        return place.astype(float)[:, None]

    def encode(self, Y: Outputs) -> Outputs:
        """(n, 1) or (n, K): the columns as the loss wants them."""
        place = Y[:, 0].astype(int)
        if self.classes.size == 2:
            return 2.0 * Y - 1.0
        one_hot = np.eye(self.classes.size)[place]
        return one_hot if self.code == "one_hot" else 2.0 * one_hot - 1.0

    def decode(self, F: Outputs) -> Labels:
        """(n,): the label of the largest score."""
        return self.classes[(F[:, 0] > 0).astype(int) if self.classes.size == 2 else F.argmax(axis=1)]

    def same_as(self, other: Targets) -> bool:
        """True if both encode alike."""
        return (
            isinstance(other, ClassTargets) and self.code == other.code and np.array_equal(self.classes, other.classes)
        )


Targets: TypeAlias = RealTargets | ClassTargets


def numbers(name: str, values: Any) -> NDArray[np.float64]:
    """``values`` as an array of numbers."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"{name} must be a dense array of numbers ({error}); give it as in fit") from error

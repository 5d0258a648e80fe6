"""A loss with a row that charges the output bias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from bidual.losses import Loss, Squared
from bidual.typing import Outputs, Weights

ROW = Squared()
"""The loss of the charged row."""


@final
@dataclass(frozen=True)
class Charged(Loss):
    """``inner`` on the rows that have a target, and ``s/2 ||F_i||^2`` on the others, whose targets are all 0.

    At a row of zeros a network without hidden biases predicts its output bias, so that such a row charges it as weight
    decay does. No target of a class is 0, so that the two kinds of rows can be told apart.
    """

    inner: Loss

    name: ClassVar[str] = "charged"
    targets: ClassVar[Literal["real", "signs", "one_hot"]] = "signs"
    smooth: ClassVar[bool] = True

    def check_targets(self, Y: Outputs) -> None:
        self.inner.check_targets(Y[_have_target(Y)])

    def value(self, F: Outputs, Y: Outputs, s: Weights) -> float:
        return self._sum(lambda loss, rows: loss.value(F[rows], Y[rows], s[rows]), Y)

    def gradient(self, F: Outputs, Y: Outputs, s: Weights) -> Outputs:
        return self._rows(lambda loss, rows: loss.gradient(F[rows], Y[rows], s[rows]), Y)

    def hessian(self, F: Outputs, Y: Outputs, s: Weights) -> tuple[Outputs, Outputs | None]:
        h, q = np.zeros_like(F), np.zeros_like(F)
        for loss, rows in self._parts(Y):
            h[rows], coupled = loss.hessian(F[rows], Y[rows], s[rows])
            if coupled is not None:
                q[rows] = coupled
        return h, q if q.any() else None

    def proximal(self, G: Outputs, Y: Outputs, s: Weights, step: float) -> Outputs:
        return self._rows(lambda loss, rows: loss.proximal(G[rows], Y[rows], s[rows], step), Y)

    def conjugate(self, Z: Outputs, Y: Outputs, s: Weights) -> float:
        return self._sum(lambda loss, rows: loss.conjugate(Z[rows], Y[rows], s[rows]), Y)

    def domain_step(self, V: Outputs, Y: Outputs, s: Weights) -> float:
        rows = _have_target(Y)
        return self.inner.domain_step(V[rows], Y[rows], s[rows])

    def balance(self, V: Outputs, Y: Outputs, s: Weights) -> Outputs:
        """The charged row takes what the others leave."""
        rows = _have_target(Y)
        return np.where(rows[:, None], V, -V[rows].sum(axis=0) / np.sum(~rows))

    def _parts(self, Y: Outputs) -> list[tuple[Loss, NDArray[np.bool_]]]:
        """The rows with a target and their loss, and the others and theirs; without those that there are none of."""
        rows = _have_target(Y)
        return [(loss, part) for loss, part in ((self.inner, rows), (ROW, ~rows)) if part.any()]

    def _sum(self, part: Callable[[Loss, NDArray[np.bool_]], float], Y: Outputs) -> float:
        return sum(part(loss, rows) for loss, rows in self._parts(Y))

    def _rows(self, part: Callable[[Loss, NDArray[np.bool_]], Any], Y: Outputs) -> Outputs:
        found = np.zeros_like(Y)
        for loss, rows in self._parts(Y):
            found[rows] = part(loss, rows)
        return found


def _have_target(Y: Outputs) -> NDArray[np.bool_]:
    """(n,)."""
    return np.any(Y != 0, axis=1)

"""The ranges of predictions over all nearly optimal networks, in the user's units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.analysis import RashomonEnd
from bidual.certificate import Method, Scope
from bidual.estimators.scaling import Scaling
from bidual.typing import Vector


@final
@dataclass(frozen=True, eq=False)
class RashomonInterval:
    """For each of n new rows, how low and how high the networks within the budget predict.

    ``lower`` and ``upper`` are attained by networks: the range is at least this wide. ``certified_lower`` and
    ``certified_upper`` are proven: no network in ``scope`` goes beyond. ``global_lower`` and ``global_upper`` are
    proven for every network of any width: the same where the scope is global, and loose otherwise.

    lower_ends, upper_ends : the networks and the proofs, in standard units; scaling : to the user's units.
    """

    lower_ends: tuple[RashomonEnd, ...]
    upper_ends: tuple[RashomonEnd, ...]
    scaling: Scaling

    @property
    def lower(self) -> Vector:
        """(n,): least predictions of the networks found."""
        return self._decoded([end.attained for end in self.lower_ends])

    @property
    def upper(self) -> Vector:
        """(n,): largest predictions of the networks found."""
        return self._decoded([end.attained for end in self.upper_ends])

    @property
    def certified_lower(self) -> Vector:
        """(n,): no network in the scope and within the budget predicts less."""
        return self._decoded([end.certified for end in self.lower_ends])

    @property
    def certified_upper(self) -> Vector:
        """(n,): no network in the scope and within the budget predicts more."""
        return self._decoded([end.certified for end in self.upper_ends])

    @property
    def global_lower(self) -> Vector:
        """(n,): no network of any width within the budget predicts less."""
        return self._decoded([end.certified_global for end in self.lower_ends])

    @property
    def global_upper(self) -> Vector:
        """(n,): no network of any width within the budget predicts more."""
        return self._decoded([end.certified_global for end in self.upper_ends])

    @property
    def scope(self) -> Scope:
        """``"global"`` if every certified end is proven for all networks of any width, else ``"patterns"``: for those
        whose neurons are on the activation patterns listed in the proof of the end."""
        return "patterns" if any(end.point.bound.scope == "patterns" for end in self._ends) else "global"

    @property
    def methods(self) -> tuple[Method, ...]:
        """How the certified ends were proven."""
        return tuple(sorted({end.point.bound.method for end in self._ends}))

    def verify(self) -> None:
        """Prove every end again: networks within the budget, bounds of all neurons. Raises CertificateError."""
        for end in self._ends:
            end.verify()

    @property
    def _ends(self) -> tuple[RashomonEnd, ...]:
        return *self.lower_ends, *self.upper_ends

    def _decoded(self, values: list[float]) -> Vector:
        decoded: Vector = (np.array(values) + self.scaling.offset) * self.scaling.factor
        return decoded

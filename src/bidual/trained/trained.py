"""A trained network with what its training minimised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from bidual.network import Network
from bidual.trained.objective import Objective
from bidual.trained.posed import Posed
from bidual.typing import Outputs, Rows


@final
@dataclass(frozen=True, eq=False)
class Trained:
    """A network of any library, its objective, and its data as the objective takes them.

    kind : what it was read from
    X : (n, d), Y : (n, c)
    rebuild : a model of the same kind from another network with the same features and outputs, and the network that it
        holds, which may be rounded
    """

    kind: str
    network: Network
    objective: Objective
    X: Rows
    Y: Outputs
    rebuild: Callable[[Network], tuple[Any, Network]]

    def posed(self) -> Posed:
        """The objective as a problem; RefusedError or InvalidDataError if it cannot be one."""
        return Posed.of(self.objective, self.network, self.X, self.Y)

    def value(self, network: Network) -> float:
        """The objective of a network."""
        return self.objective.value(network, self.X, self.Y)

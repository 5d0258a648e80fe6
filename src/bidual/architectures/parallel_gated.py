"""Parallel deep networks whose gates are fixed: gated units, each on a path through a network of gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures.base import Bias, OutputNorm
from bidual.architectures.gated import Gated
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.errors import InvalidParameterError, RefusedError
from bidual.gates import GateNetwork, Paths
from bidual.network import Layer
from bidual.typing import Gates, Matrix, Rows, Vector


@final
@dataclass(frozen=True)
class ParallelGated(Gated):
    """Units ``1[path open at x] u'x``: parallel networks of any depth with fixed gates, the gated version of Ergen &
    Pilanci 2021.

    A branch of three layers is ``((X W1) * D1) w2 * d2 w3``, where the 0/1 gates D1 (n, m) and d2 (n, 1) are those of a
    fixed branch of ``gates`` and not of W1 and w2: it is a gated network, not a ReLU network. Unit j of the first layer
    enters through ``u_j = W1_j w2_j w3``, with the product of the gates on its path for its only mask. So the networks
    are those of two layers whose masks are these products, each distinct one once; deeper ones likewise. Their size
    ``sum_j ||u_j||`` is the least ``sum ||W1||_F ||w2|| |w3|`` over the branches: no less by Cauchy-Schwarz, no more
    with ``W1_j = u_j / r_j``, ``w2_j = r_j = sqrt(||u_j||)``, ``w3 = 1``. Each output has its own copy of a branch
    (``"separate"``), and from four layers on, each path.

    A neuron's gate (``Neurons.gates``, ``Patterns.gates``) is its path. X must have the columns of ``gates``.
    """

    gates: GateNetwork
    bias: Bias = "penalized"
    outputs: OutputNorm = "separate"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.gates, GateNetwork):
            raise InvalidParameterError(f"gates must be a GateNetwork, got {self.gates!r}; use GateNetwork.sample(X)")

    @property
    def n_features(self) -> int:
        return self.gates.n_inputs

    def slopes(self, Xl: Rows, neurons: Neurons, Z: Matrix | None = None) -> Matrix:
        return (self.gates(self._unlifted(Xl), self._paths(neurons)) >= 0).astype(float)

    def patterns(self, Xl: Rows, neurons: Neurons) -> Patterns:
        paths = self._paths(neurons)
        return Patterns(self.gates.opened(self._unlifted(Xl), paths), paths)

    def sample(self, Xl: Rows, n_patterns: int, seed: int, antithetic: bool = False) -> Patterns:
        """The distinct nonempty patterns of all paths, or of ``n_patterns`` drawn ones where there are more."""
        if antithetic:
            raise InvalidParameterError("antithetic gates have opposites, paths have none; set antithetic=False")
        paths = self.gates.paths(n_patterns, seed)
        return Patterns(self.gates.opened(self._unlifted(Xl), paths), paths).nonempty().distinct()

    def all_patterns(self, Xl: Rows) -> Patterns:
        raise RefusedError(f"the patterns of {self.gates} are no cells to enumerate; sample its paths, or list them")

    def most_patterns(self, n: int, r: int) -> int:
        """Those of the paths, and none at all."""
        return self.gates.n_paths + 1

    def has_gates(self, gates: Gates, p: int) -> bool:
        return self.gates.has(gates)

    def gates_of(self, hidden: Layer) -> Gates | None:
        return hidden.paths

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return Layer(weight, bias, "gated", gates=self.gates, paths=self._paths(neurons))

    def _paths(self, neurons: Neurons) -> Paths:
        """(q, m), for no neurons of another form too."""
        assert neurons.gates is not None
        return neurons.gates.reshape(self.gates.length, -1).astype(np.int64, copy=False)

    def _unlifted(self, Xl: Rows) -> Rows:
        return Xl if self.bias == "none" else Xl[:, :-1]

"""From the user's data to the standardised problem, and from its network back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from bidual.errors import InvalidDataError
from bidual.estimators.rows import WeightedRows
from bidual.estimators.scaling import Scaling, check_moderate
from bidual.estimators.targets import RealTargets, Targets, numbers
from bidual.network import Layer, Network
from bidual.patches import Patches
from bidual.typing import Matrix, Outputs, Rows, Vector, Weights


@final
@dataclass(frozen=True, eq=False)
class Encoding:
    """How the columns of X and the targets become those of the problem that is solved and certified."""

    inputs: Scaling
    targets: Targets

    @classmethod
    def fit(
        cls,
        rows: WeightedRows,
        targets: Targets,
        *,
        standardize: bool,
        center_inputs: bool,
        center_targets: bool,
        patches: Patches | None = None,
    ) -> Encoding:
        """The encoding of merged rows. Without a bias nothing is centered, so that folding back creates none; images
        that units see in ``patches`` are scaled channel by channel."""
        real = isinstance(targets, RealTargets)
        if standardize:
            if patches is None:
                inputs = Scaling.fit("X", rows.X, rows.weights, center_inputs)
            else:
                inputs = Scaling.fit_channels(rows.X, rows.weights, center_inputs, patches.channels)
            if isinstance(targets, RealTargets):
                targets = replace(targets, scaling=Scaling.fit("y", rows.Y, rows.weights, center_targets))
            return cls(inputs, targets)
        check_moderate("X", rows.X)
        if real:
            check_moderate("y", rows.Y)
        return cls(Scaling.none(rows.X.shape[1]), targets)

    def collect(self, X: Rows, y: Any, sample_weight: Weights | None = None) -> WeightedRows:
        """The user's arrays as merged rows, targets in columns."""
        X = numbers("X", X)
        if X.ndim != 2 or X.shape[1] != self.inputs.unit.size:
            raise InvalidDataError(f"X must have {self.inputs.unit.size} columns as in fit, got shape {X.shape}")
        Y = self.targets.columns(y)
        weights = np.ones(X.shape[0]) if sample_weight is None else numbers("sample_weight", sample_weight)
        if not X.shape[0] == Y.shape[0] == weights.size or weights.ndim != 1:
            raise InvalidDataError(
                f"X, y and sample_weight must have as many rows, got {X.shape[0]}, {Y.shape[0]} and {weights.shape}"
            )
        for name, values in (("X", X), ("y", Y), ("sample_weight", weights)):
            if not np.isfinite(values).all():
                raise InvalidDataError(f"{name} has NaN or infinite entries; remove or impute them")
        if (weights < 0).any():
            raise InvalidDataError("sample_weight has negative entries; drop these rows")
        return WeightedRows.collect(X, Y, weights)

    def encode(self, rows: WeightedRows) -> tuple[Rows, Outputs, Weights]:
        """``(X, Y, weights)`` of the problem."""
        return self.inputs.apply("X", rows.X), self.targets.encode(rows.Y), rows.weights

    def apply(self, X: Rows, y: Any, sample_weight: Weights | None = None) -> tuple[Rows, Outputs, Weights]:
        """``(X, Y, weights)`` of the problem, from the user's arrays in any order."""
        return self.encode(self.collect(X, y, sample_weight))

    def fold(self, network: Network) -> Network:
        """The same network on the user's columns: the standardisation becomes part of the weights."""
        first, *middle, last = network.layers
        out = self._output_scaling(network.n_outputs)
        bias = (last.bias + _once(out.offset, last)) * out.factor
        folded = replace(last, weight=last.weight * out.factor, bias=bias)
        return Network((_moved(_fold_in, self._seen_by(first), first), *middle, folded))

    def unfold(self, network: Network) -> Network:
        """The inverse of :meth:`fold`."""
        first, *middle, last = network.layers
        out = self._output_scaling(network.n_outputs)
        bias = last.bias / out.factor - _once(out.offset, last)
        unfolded = replace(last, weight=last.weight / out.factor, bias=bias)
        return Network((_moved(_fold_out, self._seen_by(first), first), *middle, unfolded))

    def _seen_by(self, hidden: Layer) -> Scaling:
        """The scaling of what a unit sees: of the first patch, which is that of every patch."""
        return self.inputs if hidden.patches is None else self.inputs.take(hidden.patches.index[0])

    def _output_scaling(self, c: int) -> Scaling:
        return self.targets.scaling if isinstance(self.targets, RealTargets) else Scaling.none(c)

    def same_as(self, other: Encoding) -> bool:
        """True if both give the same problem, up to rounding."""
        return self.inputs.same_as(other.inputs) and self.targets.same_as(other.targets)


def _once(offset: Vector, last: Layer) -> Matrix:
    """The offset of the outputs as a bias of the last layer: that of its first branch, if there are branches."""
    return offset if last.n_branches is None else np.eye(last.n_branches)[:, :1] * offset


Fold = Callable[[Scaling, Matrix, Matrix], tuple[Matrix, Matrix]]


def _moved(fold: Fold, scaling: Scaling, hidden: Layer) -> Layer:
    """The hidden layer on other columns, its gates too."""
    weight, bias = fold(scaling, hidden.weight, hidden.bias)
    gate, gate_bias, gates = hidden.gate, hidden.gate_bias, hidden.gates
    if gate is not None and gate_bias is not None:
        gate, gate_bias = fold(scaling, gate, gate_bias)
    if gates is not None:
        gates = gates.begun_by(*fold(scaling, gates.weights[0], gates.biases[0]))
    return replace(hidden, weight=weight, bias=bias, gate=gate, gate_bias=gate_bias, gates=gates)


def _fold_in(scaling: Scaling, weight: Matrix, bias: Matrix) -> tuple[Matrix, Matrix]:
    return weight / scaling.factor[:, None], bias - scaling.offset @ weight


def _fold_out(scaling: Scaling, weight: Matrix, bias: Matrix) -> tuple[Matrix, Matrix]:
    standard = weight * scaling.factor[:, None]
    return standard, bias + scaling.offset @ standard

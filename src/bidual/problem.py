"""THE training objective and THE dual, for any loss, architecture and penalty."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from bidual.architectures.base import Architecture
from bidual.errors import InvalidDataError
from bidual.losses.base import Loss
from bidual.network import Network
from bidual.penalties import Penalty
from bidual.typing import Outputs, Rows, Weights


@dataclass(frozen=True, eq=False)
class Problem:
    """``min over networks f of  L(f(X), Y) + r(size(f))``, over networks of the architecture with any width.

    Its dual is ``max -L*(-V) - r*(kappa(V))`` over V (n, c), where ``kappa(V)`` is the largest score of a neuron and
    r* is the conjugate of the penalty; with an output ``intercept``, also ``sum_i V_ik = 0`` for every output k.

    X : (n, d), Y : (n, c), weights : (n,) positive, all ones if omitted. Arrays in double precision are used where they
    lie, those of a memory-mapped file too; others are converted once.
    """

    X: Rows
    Y: Outputs
    loss: Loss
    architecture: Architecture
    penalty: Penalty
    weights: Weights = field(default=None)  # type: ignore[arg-type]
    intercept: bool = True

    def __post_init__(self) -> None:
        X, Y = np.asarray(self.X, dtype=float), np.asarray(self.Y, dtype=float)
        s = np.ones(X.shape[0]) if self.weights is None else np.asarray(self.weights, dtype=float)
        if X.ndim != 2 or Y.ndim != 2 or X.shape[0] != Y.shape[0] or s.shape != (X.shape[0],):
            raise InvalidDataError(
                f"X, Y and weights must have shapes (n, d), (n, c) and (n,), got {X.shape}, {Y.shape} and {s.shape}"
            )
        if self.architecture.n_features not in (None, X.shape[1]):
            name, d = type(self.architecture).__name__, self.architecture.n_features
            raise InvalidDataError(f"{name} is of networks on {d} features, X has {X.shape[1]}; make it for this X")
        if X.shape[0] == 0:
            raise InvalidDataError("X has no rows; pass at least one")
        for name, values in (("X", X), ("Y", Y), ("weights", s)):
            if not np.isfinite(values).all():
                raise InvalidDataError(f"{name} has NaN or infinite entries; remove or impute them")
        if not (s > 0).all():
            raise InvalidDataError("weights must be positive; drop the rows of weight 0")
        if self.architecture.bias == "free" and not self.intercept:
            raise InvalidDataError("bias='free' makes a constant free of charge; set intercept=True")
        self.loss.check_targets(Y)
        for name, values in (("X", X), ("Y", Y), ("weights", s)):
            object.__setattr__(self, name, values)

    @cached_property
    def lifted(self) -> Rows:
        """(n, p): X with the architecture's bias column."""
        return self.architecture.lift(self.X)

    @property
    def n_outputs(self) -> int:
        return self.Y.shape[1]

    def loss_value(self, F: Outputs) -> float:
        """L(F)."""
        return self.loss.value(F, self.Y, self.weights)

    def objective(self, network: Network) -> float:
        """``L(f(X)) + r(size(f))``, in float64 from the network alone."""
        return self.loss_value(network(self.X)) + self.penalty.value(self.architecture.size(network))

    def dual_vector(self, F: Outputs) -> Outputs:
        """(n, c): ``-grad L(F)``, balanced if there is an intercept."""
        return self.feasible(-self.loss.gradient(F, self.Y, self.weights))

    def feasible(self, V: Outputs) -> Outputs:
        """V, balanced if there is an intercept."""
        return self.loss.balance(V, self.Y, self.weights) if self.intercept else V

    def dual(self, V: Outputs, kappa: float) -> float:
        """The best dual value of a multiple of V whose neurons are proven to score at most kappa.

        Valid for every kappa >= kappa(V); the value of V = 0 if V breaks the intercept's constraint.
        """
        if self.intercept and np.any(np.abs(V.sum(axis=0)) > 1e-12 * np.abs(V).sum()):
            return self._dual_of_zero()
        kappa = kappa * (1.0 + 1e-12)
        slope = self.penalty.slope(kappa)
        t = self.loss.best_scaling(V, self.Y, self.weights, self.penalty.limit(kappa), slope)
        return -self.loss.conjugate(-t * V, self.Y, self.weights) - slope * t if t > 0 else self._dual_of_zero()

    def dual_at(self, V: Outputs) -> float:
        """``-L*(-V)``, the dual value of V itself: valid if it is balanced and its neurons score at most the price."""
        return -self.loss.conjugate(-V, self.Y, self.weights)

    def smoothed(self, width: float) -> Problem:
        """The problem with the loss's smooth lower approximation; itself if the loss is smooth."""
        return self if self.loss.smooth else replace(self, loss=self.loss.smoothed(width))

    def _dual_of_zero(self) -> float:
        return -self.loss.conjugate(np.zeros_like(self.Y), self.Y, self.weights)

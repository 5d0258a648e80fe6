"""Deep networks with squared loss and a price on all their weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from typing import Any, Literal, final

import numpy as np
from numpy.typing import ArrayLike

from bidual.architectures import ReLU
from bidual.errors import InvalidDataError, InvalidParameterError
from bidual.losses import Squared
from bidual.network import Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.theorems.batch_norm import BatchNorm
from bidual.typing import Matrix, Outputs, Rows, Vector

Activation = Literal["linear", "relu"]
Regularizer = Literal["weight_decay", "lth_power"]

SMALLEST, LARGEST = 1e-75, 1e75
"""Data beyond these over- or underflow once they are squared twice."""

FITTED = 1e-8
"""Relative residual up to which a network counts as fitting its targets."""


@final
@dataclass(frozen=True, eq=False)
class DeepProblem:
    """``min 1/2 ||f(X) - Y||^2 + beta R(f)`` over networks f of L layers without biases, of any width.

    ``weight_decay``: ``R = 1/2 sum_l ||W_l||^2``; ``lth_power``: ``R = 1/L sum_l ||W_l||^L``, in Frobenius norms and
    summed over branches. ``beta = 0`` is the minimum-norm problem: least R of all networks with ``f(X) = Y``.

    With ``batch_norm`` the pre-activations of the first layer are normalised over the rows of X, to ``gamma_j (X w_j -
    mean) / ||X w_j - mean|| + alpha_j / sqrt(n)``, and gamma and alpha are paid for in place of W_1 (Ergen et al.
    2021). At inference that is an affine first layer, so networks are plain ones: the columns of ``Z = X W_1 + 1 b_1'``
    have ``||z_j||^2 = gamma_j^2 + alpha_j^2``, and ``||Z||`` takes the place of ``||W_1||``.

    X : (n, d), Y : (n, c) or (n,), any real type.

    Raises
    ------
    InvalidDataError
        Shapes that do not fit together, no rows or columns, entries that are not finite, or of extreme size.
    InvalidParameterError
        ``n_layers`` below 2, a negative ``beta``, an unknown activation or regularizer.
    """

    X: Rows
    Y: Outputs
    n_layers: int
    activation: Activation = "linear"
    beta: float = 0.0
    batch_norm: bool = False
    regularizer: Regularizer = "weight_decay"

    def __post_init__(self) -> None:
        X, Y = _array("X", self.X), _array("Y", self.Y)
        Y = Y[:, None] if Y.ndim == 1 else Y
        if X.ndim != 2 or Y.ndim != 2 or X.shape[0] != Y.shape[0] or 0 in (*X.shape, *Y.shape):
            raise InvalidDataError(
                f"X and Y must have shapes (n, d) and (n, c) or (n,), none of them 0, got {X.shape} and {Y.shape}"
            )
        _check_numbers(self.n_layers, self.beta)
        for name, allowed in (("activation", ("linear", "relu")), ("regularizer", ("weight_decay", "lth_power"))):
            if getattr(self, name) not in allowed:
                raise InvalidParameterError(f"{name} must be one of {[*allowed]}, got {getattr(self, name)!r}")
        for name, value in (("X", X), ("Y", Y), ("n_layers", int(self.n_layers)), ("beta", float(self.beta))):
            object.__setattr__(self, name, value)

    @property
    def n_outputs(self) -> int:
        """c."""
        return self.Y.shape[1]

    @property
    def order(self) -> int:
        """q: a path of product s costs ``beta (q / 2) s^(2 / q)`` at least. L for weight decay; the L-th power makes
        it ``beta s`` at any depth, as two layers do."""
        return 2 if self.regularizer == "lth_power" else self.n_layers

    @property
    def branched(self) -> bool:
        """True where paths must not share a layer: layers have one price each, or their ReLUs would mix."""
        return self.n_layers > 2 and (self.activation == "relu" or self.regularizer == "lth_power")

    @cached_property
    def normalisation(self) -> BatchNorm | None:
        """The batch normalisation of the first layer."""
        return BatchNorm.of(self.X) if self.batch_norm else None

    @property
    def design(self) -> Rows:
        """(n, p): the data whose first layer is paid for as it is: X, with batch normalisation ``[U, 1/sqrt(n)]``."""
        return self.X if self.normalisation is None else self.normalisation.design

    @cached_property
    def svd(self) -> tuple[Matrix, Vector, Matrix]:
        """Thin singular value decomposition of the design."""
        U, s, Vt = np.linalg.svd(self.design, full_matrices=False)
        return U, s, Vt

    @property
    def norm(self) -> float:
        """Largest singular value of the design."""
        return float(self.svd[1][0])

    def cost(self, s: Vector) -> Vector:
        """The least price of a path of product s (elementwise); that of the minimum-norm problem if beta is 0."""
        return (self.beta or 1.0) * (self.order / 2) * s ** (2.0 / self.order)

    def longest(self, price: float) -> float:
        """The product of a path of the given cost: the inverse of :meth:`cost`; inf where that overflows."""
        with np.errstate(over="ignore"):
            return float(np.power(2.0 * price / (self.order * (self.beta or 1.0)), 0.5 * self.order))

    def penalty(self, network: Network) -> float:
        """``beta R(f)`` from the weights alone (R if beta is 0)."""
        squares = np.array([np.sum(np.atleast_3d(layer.weight.T) ** 2, axis=(0, 1)) for layer in network.layers])
        if self.batch_norm:
            first = network.layers[0]
            squares[0] = np.sum((self.X @ first.weight + first.bias[..., None, :]) ** 2, axis=(-2, -1))
        L = self.n_layers
        price = 0.5 * squares.sum() if self.regularizer == "weight_decay" else (squares ** (L / 2)).sum() / L
        return (self.beta or 1.0) * float(price)

    def objective(self, network: Network) -> float:
        """``1/2 ||f(X) - Y||^2 + beta R(f)``, in float64 from the weights alone; with beta 0, R if f fits, else inf.

        InvalidDataError if the network is none of this problem.
        """
        refusal = self.refusal(network)
        if refusal is not None:
            raise InvalidDataError(refusal)
        square = float(np.sum((network(self.X) - self.Y) ** 2))
        if self.beta > 0:
            return 0.5 * square + self.penalty(network)
        return self.penalty(network) if square <= FITTED**2 * float(np.sum(self.Y**2)) else np.inf

    def refusal(self, network: Network) -> str | None:
        """None if the network is one of this problem, else why not."""
        hidden, last, ends = network.layers[:-1], network.layers[-1], (network.n_inputs, network.n_outputs)
        if len(network.layers) != self.n_layers:
            return f"the network has {len(network.layers)} layers, the problem {self.n_layers}"
        if ends != (self.X.shape[1], self.n_outputs):
            return f"the network maps {ends[0]} features to {ends[1]} outputs, X and Y have {self.X.shape[1]} and " + (
                f"{self.n_outputs}"
            )
        units = {(layer.activation, layer.slope) for layer in hidden}
        if units != {(self.activation, 0.0)} or last.activation != "linear":
            return f"hidden layers must be {self.activation!r} and the last one 'linear', got {[*network.layers]}"
        if any(layer.bias.any() for layer in network.layers[1 if self.batch_norm else 0 :]):
            return "the network has biases that the problem has not; append a column of ones to X for one that is paid"
        return None

    def two_layer(self) -> Problem:
        """The two-layer ReLU problem with the same optimum, for the solvers of the convex program: on the design, units
        without bias that serve all outputs."""
        architecture = ReLU(bias="none", outputs="shared" if self.n_outputs > 1 else "separate")
        return Problem(self.design, self.Y, Squared(), architecture, Strength(self.beta), intercept=False)


def _check_numbers(n_layers: Any, beta: Any) -> None:
    if isinstance(n_layers, bool) or not isinstance(n_layers, Integral) or n_layers < 2:
        raise InvalidParameterError(f"n_layers must be a whole number from 2 on, got {n_layers!r}")
    if isinstance(beta, bool) or not isinstance(beta, Real) or not 0 <= float(beta) < np.inf:
        raise InvalidParameterError(f"beta must be a finite number, not negative, got {beta!r}")


def _array(name: str, values: ArrayLike) -> Matrix:
    given = np.asarray(values)
    if given.dtype.kind not in "biuf":
        raise InvalidDataError(f"{name} must hold real numbers, got an array of dtype {given.dtype}")
    numbers = given.astype(float)
    if not np.isfinite(numbers).all():
        raise InvalidDataError(f"{name} has NaN or infinite entries; remove or impute them")
    largest = float(np.abs(numbers).max(initial=0.0))
    if largest and not SMALLEST <= largest <= LARGEST:
        raise InvalidDataError(f"{name} has entries up to {largest:.3g}, whose powers leave float64; rescale {name}")
    return numbers

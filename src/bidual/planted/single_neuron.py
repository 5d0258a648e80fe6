"""One ReLU neuron by a convex problem, with the proof whether the data are those of a neuron."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from bidual.errors import CertificateError, InvalidDataError, InvalidParameterError
from bidual.network import Layer, Network
from bidual.planted.data import planted_data
from bidual.planted.matching_loss import minimise_matching_loss
from bidual.typing import Matrix, Vector

ROUNDING = 1e-9
"""How far the multipliers may miss their equations, relative to the targets, and yet prove a bound."""


@final
@dataclass(frozen=True, eq=False)
class PlantedFit:
    """A neuron x, and two numbers that enclose the least relaxed objective, ``dual <= min f_r <= relaxed``.

    x : (d,), the minimiser of least norm among those with the same ``Ax``.
    loss : ``f(x) = ||(Ax)_+ - y||^2``, at most ``relaxed``; the optimum of f is unknown unless ``realisable``.
    relaxed : ``f_r(x) = ||(Ax)_+||^2 - 2 y'Ax + ||y||^2``.
    dual : ``||y||^2 - ||mu||^2`` with ``mu = (Ax)_+ >= 0`` and ``A'mu = A'y``, less an allowance for the rounding in
    these equations; at least 0, below which f_r never is for y >= 0. Above 0 it proves that no neuron fits y exactly.
    realisable : ``relaxed <= tol ||y||^2``: then x fits y to that accuracy. False with a dual of 0 is undecided, for
    rounding: the columns of A are dependent to some nine digits.
    unique : True if the rows where the neuron is active have rank d, which proves that f_r has no other minimiser;
    False if that is not proven.
    """

    x: Vector
    loss: float
    relaxed: float
    dual: float
    realisable: bool
    unique: bool

    @property
    def gap(self) -> float:
        """``relaxed - dual``, 0 but for rounding."""
        return self.relaxed - self.dual

    @property
    def network(self) -> Network:
        """The neuron as a network of one hidden unit, with output weight 1 and without biases."""
        return Network((Layer(self.x[:, None], np.zeros(1), "relu"), Layer(np.ones((1, 1)), np.zeros(1))))

    def verify(self, A: ArrayLike, y: ArrayLike, rtol: float = 1e-9) -> None:
        """Compute the three numbers again from the data and x; CertificateError at the first that does not follow."""
        rows, targets = planted_data(A, y)
        numbers = zip(("loss", "relaxed", "dual"), _numbers(rows, targets, self.x), strict=True)
        for name, again in numbers:
            stated = getattr(self, name)
            if not abs(stated - again) <= rtol * (targets @ targets):
                raise CertificateError(f"{name} is stated as {stated!r} but recomputing it gives {again!r}")


def fit_planted_relu(A: ArrayLike, y: ArrayLike, tol: float = 1e-8) -> PlantedFit:
    """One ReLU neuron ``(Ax)_+`` for y >= 0, by minimising the convex relaxation of its squared loss,

        f_r(x) = ||(Ax)_+||^2 - 2 y'Ax + ||y||^2 = f(x) + 2 y'(-Ax)_+,   f(x) = ||(Ax)_+ - y||^2 .

    ``min f_r = ||y||^2 - min {||mu||^2 : A'mu = A'y, mu >= 0}``, and it is 0 exactly if ``y = (Ax)_+`` for some x; then
    both objectives have the same minimum. Otherwise x minimises the matching loss of the ReLU (the direction of its
    gradient, ``2 A'((Ax)_+ - y)``, is GLM-tron's) and **not** the squared loss: a warning says so.

    Semismooth Newton steps on an orthonormal basis of the columns of A: one SVD, and a handful of systems of its rank.

    Parameters
    ----------
    A : (n, d) rows; without a bias: append a column of ones for one
    y : (n,) or (n, 1) targets, none negative
    tol : largest ``f_r / ||y||^2`` that counts as 0

    Raises
    ------
    InvalidDataError
        Shapes that do not fit, entries that are not finite, negative targets.
    InvalidParameterError
        ``tol`` that is not a positive number.

    Notes
    -----
    Ergen & Pilanci (2019), Convex optimization for shallow neural networks: f_r, and Theorem 1, whose planted model is
    the case min f_r = 0. The dual is derived in the documentation (Mathematics). GLM-tron: Kakade et al. (2011).
    """
    if not 0.0 < tol < np.inf:
        raise InvalidParameterError(f"tol must be a positive number, got {tol!r}; 1e-8 suits most data")
    rows, targets = planted_data(A, y)
    if rows.ndim != 2:
        raise InvalidDataError(f"A must have shape (n, d), got {rows.shape}; fit one problem at a time")
    x = _minimiser(rows, targets)
    loss, relaxed, dual = _numbers(rows, targets, x)
    z = rows @ x
    active = rows[z > ROUNDING * np.abs(z).max()]
    unique = active.shape[0] >= x.size and bool(np.linalg.matrix_rank(active) == x.size)
    fit = PlantedFit(x, loss, relaxed, dual, bool(relaxed <= tol * (targets @ targets)), unique)
    if not fit.realisable:
        warnings.warn(
            f"the neuron does not predict y: its relaxed objective is {relaxed:.3g}, that of any neuron at least "
            f"{dual:.3g}, {dual / (targets @ targets):.2g} of ||y||^2. The fit minimises the matching loss, not least "
            "squares; bidual.MLPRegressor trains a network of several neurons by least squares, with a certificate",
            stacklevel=2,
        )
    return fit


def _minimiser(A: Matrix, y: Vector) -> Vector:
    """(d,): the minimiser of f_r, for y of any size."""
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    kept = s > max(A.shape) * np.finfo(float).eps * s[0]
    size = float(np.linalg.norm(y))
    if size == 0.0 or not kept.any():
        return np.zeros(A.shape[1])
    c = minimise_matching_loss(U[:, kept], y / size)
    return np.asarray(size * (Vt[kept].T @ (c / s[kept])))


def _numbers(A: Matrix, y: Vector, x: Vector) -> tuple[float, float, float]:
    """(f(x), f_r(x), dual).

    For any x*, ``f_r(x*) >= ||y||^2 - ||mu||^2 + 2 (Ax*)'(mu - y)``. The last term is 0 if ``A'mu = A'y``; if rounding
    leaves p of ``mu - y`` in the range of A, it is at least ``-2 ||p|| ||Ax*||``, and ||Ax*|| is taken as at most
    ``2 ||Ax||`` for a minimiser x*. Where p is more than rounding, the bound is 0.
    """
    z = A @ x
    mu = np.maximum(z, 0.0)
    loss = float((mu - y) @ (mu - y))
    missed = float(np.linalg.norm(A @ np.linalg.lstsq(A, mu - y)[0]))
    bound = float((y - mu) @ (y + mu)) - 4.0 * missed * float(np.linalg.norm(z))
    proven = missed <= ROUNDING * float(np.linalg.norm(y))
    return loss, loss + 2.0 * float(y @ np.maximum(-z, 0.0)), max(bound, 0.0) if proven else 0.0

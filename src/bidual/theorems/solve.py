"""The theorem that applies, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from numpy.typing import ArrayLike

from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.theorems.base import Theorem
from bidual.theorems.certificate import TheoremCertificate
from bidual.theorems.deep_scalar import DeepScalar
from bidual.theorems.descent import ProximalDescent
from bidual.theorems.interpolation import LinearInterpolation
from bidual.theorems.nuclear import NuclearNorm
from bidual.theorems.problem import Activation, DeepProblem, Regularizer
from bidual.theorems.projection import Projection
from bidual.theorems.rank_one import RankOneReLU
from bidual.theorems.whitened_linear import WhitenedLinear
from bidual.theorems.whitened_relu import WhitenedReLU

THEOREMS: tuple[Theorem, ...] = (
    LinearInterpolation(),
    Projection(),
    DeepScalar(),
    WhitenedLinear(),
    NuclearNorm(),
    RankOneReLU(),
    WhitenedReLU(),
)
"""The first one that accepts a problem is used."""


@final
@dataclass(frozen=True)
class ClosedForm:
    """An optimal network, its certificate, the name of the ``theorem`` that gave it, and the problem it solves.

    ``tie``: the network is the zero network on some path where another one, quite different, is exactly as good.
    """

    network: Network
    certificate: TheoremCertificate
    theorem: str
    tie: bool
    problem: DeepProblem


def solve(problem: DeepProblem, fallback: Literal["local"] | None = None) -> ClosedForm:
    """The optimal network of a deep problem, by the first theorem that accepts it; with ``fallback="local"``, where
    none does, that of :class:`~bidual.theorems.ProximalDescent` if the problem is one of its.

    Raises
    ------
    RefusedError
        No theorem applies; the sentence has the reason of each.
    InfeasibleError
        beta is 0 and no network fits.
    """
    if fallback not in (None, "local"):
        raise InvalidParameterError(f"fallback must be 'local' or None, got {fallback!r}")
    reasons = []
    for theorem in (*THEOREMS, ProximalDescent()) if fallback else THEOREMS:
        reason = theorem.accepts(problem)
        if reason is None:
            paths, tie = theorem.solve(problem)
            network = paths.to_network(problem)
            return ClosedForm(network, TheoremCertificate.of(theorem, problem, network), theorem.name, tie, problem)
        if theorem.covers(problem):
            reasons.append(f"{theorem.name}: {reason}")
    raise RefusedError("no closed form applies. " + ". ".join(reasons))


def closed_form(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    n_layers: int = 2,
    activation: Activation = "linear",
    beta: float = 0.0,
    batch_norm: bool = False,
    regularizer: Regularizer = "weight_decay",
    fallback: Literal["local"] | None = None,
) -> ClosedForm:
    """The globally optimal network of L layers where it is known in closed form (Ergen & Pilanci 2020).

    ``min 1/2 ||f(X) - Y||^2 + beta / 2 sum_l ||W_l||^2`` over networks without biases, of any width; with ``beta=0``,
    the network of least norm that fits. :class:`~bidual.theorems.DeepProblem` has the parameters,
    ``bidual.theorems.THEOREMS`` the theorems.

    Parameters
    ----------
    X : (n, d)
    Y : (n,) or (n, c)
    n_layers : L, at least 2
    activation : "linear" or "relu"
    beta : price of the weights, in units of the SUM of squares
    batch_norm : whether the first layer is batch-normalised
    regularizer : "weight_decay", or "lth_power", ``beta / L sum_l ||W_l||^L``
    fallback : "local" for a local minimum with a proven gap, in place of a refusal, of deep linear networks of several
        outputs on data that are not whitened

    Raises
    ------
    RefusedError
        No theorem applies; the sentence says why, with the measured violation of each assumption.
    InfeasibleError
        ``beta=0`` and no network fits.
    InvalidDataError, InvalidParameterError
        X, Y or a parameter cannot be used as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from bidual import closed_form
    >>> found = closed_form(np.eye(4), [[1, 0], [1, 0], [0, 1], [0, 1]], n_layers=3, activation="relu", beta=0.4)
    >>> found.theorem
    'whitened ReLU'
    >>> print(f"{found.certificate.primal:.6f}, relative gap below 1e-11: {found.certificate.relative_gap < 1e-11}")
    1.371340, relative gap below 1e-11: True
    """
    problem = DeepProblem(X, Y, n_layers, activation, beta, batch_norm, regularizer)  # type: ignore[arg-type]
    return solve(problem, fallback)

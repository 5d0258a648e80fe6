"""The regularisation path of an estimator: certified models for every alpha of a range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from sklearn.base import clone

from bidual.analysis import leave_one_out
from bidual.certificate import Certificate, Scope
from bidual.errors import InvalidParameterError
from bidual.estimators.base import ConvexMLP, Posed, refusing
from bidual.estimators.certificate import FittedCertificate
from bidual.estimators.parameters import draw_seed
from bidual.paths import RegularizationPath, at_strength, falling_strengths
from bidual.paths import path as core_path
from bidual.paths.certified import INNER
from bidual.solvers import Record, Status, Stop
from bidual.solvers.base import without_neurons
from bidual.solvers.working_set import default_oracle
from bidual.typing import Matrix, Outputs, Vector

SLACK = 1e-9
"""How far outside the range rounding may put an alpha."""


@final
@dataclass(frozen=True, eq=False)
class FittedPath:
    """Certified models for every alpha from ``alpha_max`` down to ``alpha_min``.

    It holds a few fits, and whatever lies between two of them is their weighted mean: a network again, whose gap is
    proven to be at most ``worst``. The encoded training data are kept.

    core : the fits and their proofs, in standard units; estimator : with the parameters, not fitted; posed : the
    training problem and its rows
    """

    core: RegularizationPath
    estimator: Any
    posed: Posed

    @property
    def alphas(self) -> Vector:
        """(n_fits,): the strengths that were fitted, falling."""
        return np.array([knot.beta for knot in self.core.knots])

    @property
    def n_neurons(self) -> list[int]:
        """The hidden units of the fits."""
        return [knot.solution.network.n_neurons for knot in self.core.knots]

    @property
    def alpha_max(self) -> float:
        """The largest alpha."""
        return self.core.largest

    @property
    def alpha_min(self) -> float:
        """The least alpha; that which was asked for, unless time ran out."""
        return self.core.least

    @property
    def eps(self) -> float:
        """The relative gap that was asked for."""
        return self.core.eps

    @property
    def worst(self) -> float:
        """The relative gap, over ``scope``, that no alpha of the range exceeds."""
        return self.core.worst

    @property
    def scope(self) -> Scope:
        """``"global"``, or ``"patterns"`` if some alphas are certified over listed activation patterns only."""
        return self.core.scope

    @property
    def complete(self) -> bool:
        """True if every alpha that was asked for is within eps."""
        return self.core.complete

    def at(self, alpha: float) -> Any:
        """The model for an alpha of the range: a fitted estimator, with its ``certificate_``.

        Raises InvalidParameterError for an alpha outside the range.
        """
        alpha = self._checked(alpha)
        network, core = self.core.at(alpha)
        formulation = self.posed.formulation.priced(at_strength(self.posed.problem, alpha).penalty)
        certificate = FittedCertificate(core, network, formulation)
        model = clone(self.estimator).set_params(alpha=alpha, tol=self.eps)
        record = Record(0, 0.0, core.primal, core.global_dual, core.primal - core.priced_gap, network.n_neurons)
        model._restore(certificate, self._status(alpha, core), (record,))
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator, name):
                setattr(model, name, getattr(self.estimator, name))
        return model

    def bounds(self, alphas: Sequence[float] | Vector) -> Matrix:
        """(k, 3): training objective, proven lower bound over its scope, and over every network, for each alpha."""
        certificates = [self.core.at(self._checked(alpha))[1] for alpha in alphas]
        return np.array([(c.primal, c.dual, c.global_dual) for c in certificates]).reshape(-1, 3)

    def outputs(self, X: Any, alphas: Vector) -> Iterator[Outputs]:
        """(n, c) for each alpha: the outputs of its model for the rows of X, in standard units."""
        with refusing():
            X = self.posed.formulation.encoding.inputs.apply("X", np.asarray(X, dtype=np.float64))
        return self._mixed([knot.solution.network(X) for knot in self.core.knots], alphas)

    def left_out(self, alphas: Vector) -> Iterator[Outputs]:
        """(n, c) for each alpha: the outputs for the training rows that have weight, in the order given, of models
        without the row, in standard units.

        One Newton step for each row and fit (:func:`bidual.analysis.leave_one_out`); between two fits, the weighted
        mean. Equal rows leave together, so that weights are the same as repetitions.
        """
        place = self.posed.rows.place[self.posed.rows.place >= 0]
        own = [leave_one_out(knot.problem, knot.solution.network, mean=True).own() for knot in self.core.knots]
        return self._mixed([F[place] for F in own], alphas)

    def _mixed(self, of_fits: Sequence[Outputs], alphas: Vector) -> Iterator[Outputs]:
        spans = list(self.core.spans)
        for alpha in alphas:
            span = self.core.span(alpha)
            k, s = spans.index(span), span.share(alpha)
            yield (1.0 - s) * of_fits[k] + s * of_fits[min(k + 1, len(of_fits) - 1)]

    def _checked(self, alpha: float) -> float:
        if not self.alpha_min * (1 - SLACK) <= alpha <= self.alpha_max * (1 + SLACK):
            raise InvalidParameterError(
                f"alpha must be from {self.alpha_min:.6g} to {self.alpha_max:.6g}, the range of the path, got {alpha!r}"
            )
        return float(alpha)

    def _status(self, alpha: float, certificate: Certificate) -> Status:
        """A success within eps, else what ended the fits nearby."""
        if certificate.relative_gap <= self.eps and certificate.scope == "global":
            return Status.OPTIMAL
        if max(certificate.relative_gap, certificate.relative_priced_gap) <= self.eps:
            return Status.OPTIMAL_ON_PATTERNS
        span = self.core.span(alpha)
        ended = {knot.solution.status for knot in (span.lower, span.upper)} - {
            Status.OPTIMAL,
            Status.OPTIMAL_ON_PATTERNS,
        }
        return ended.pop() if len(ended) == 1 else Status.NO_BETTER_FOUND


def path(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    alphas: Sequence[float] | None = None,
    ratio: float = 0.01,
    eps: float = 0.05,
    sample_weight: Any = None,
) -> FittedPath:
    """The regularisation path of an estimator: a certified model for *every* alpha of a range, from a few fits.

    Parameters
    ----------
    estimator : MLPRegressor or MLPClassifier
        Its parameters but ``alpha`` and ``tol``; fits stop at a gap of ``eps / 5``. ``time_limit`` is that of the whole
        path, which then ends early, at ``alpha_min``; so it does where its ``callback``, which sees the records of
        every fit, returns True. It is not changed.
    X, y, sample_weight : as in ``fit``
    alphas : sequence of float, default=None
        The first and the last of the range, and any to be fitted between. None: from where no neuron pays down to
        ``ratio`` times that.
    ratio : float, default=0.01
    eps : float, default=0.05
        The relative gap that no alpha of the range shall exceed.

    Returns
    -------
    path : FittedPath
        ``path.at(alpha)`` is the model for an alpha; ``path.worst`` and ``path.scope`` say what is proven of all.

    Raises
    ------
    InvalidParameterError
        A parameter outside its domain; a ``radius``.
    RefusedError
        Networks of several hidden layers, but for gated ones.
    """
    if not isinstance(estimator, ConvexMLP):
        raise InvalidParameterError(
            f"estimator must be MLPRegressor or MLPClassifier, got {type(estimator).__name__}; give one, fitted or not"
        )
    if estimator.radius is not None:
        raise InvalidParameterError(f"radius={estimator.radius!r} takes the place of alpha; set radius=None for a path")
    if not 0.0 < ratio < 1.0:
        raise InvalidParameterError(f"ratio must be between 0 and 1, got {ratio!r}; 0.01 is a hundredfold range")
    if not 0.0 < eps < 1.0:
        raise InvalidParameterError(f"eps must be between 0 and 1, got {eps!r}; 0.05 is five percent")
    estimator = clone(estimator).set_params(random_state=draw_seed(estimator.random_state))
    posed = estimator._pose(X, y, sample_weight)
    strengths = _strengths(posed, estimator, ratio) if alphas is None else list(alphas)
    time_limit = math.inf if estimator.time_limit is None else float(estimator.time_limit)
    stop = Stop(INNER * eps, int(estimator.max_iter), time_limit)
    start = without_neurons(posed.problem) if alphas is None else None
    found = core_path(posed.problem, posed.solver, strengths, eps, stop, start, estimator.callback)
    return FittedPath(found, estimator, posed)


def _strengths(posed: Posed, estimator: Any, ratio: float) -> Sequence[float]:
    """From where no neuron pays on; the estimator's own where none ever does."""
    oracle = default_oracle(posed.problem, estimator.random_state)
    try:
        return [float(beta) for beta in falling_strengths(posed.problem, oracle, 2, ratio)]
    except InvalidParameterError:
        return [float(estimator.alpha)]

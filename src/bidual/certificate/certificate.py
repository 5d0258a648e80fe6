"""The certificate: two numbers that enclose the optimum, and the means to prove them again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.certificate.bound import (
    Bound,
    DualPoint,
    Method,
    Scope,
    norm_point,
    pattern_point,
    relaxed_point,
    sweep_point,
)
from bidual.certificate.proof import verify_bound
from bidual.errors import CertificateError, InvalidDataError
from bidual.network import Network
from bidual.problem import Problem
from bidual.typing import Outputs

SWEEP_WORK = 5e8
"""Of a sweep that takes five seconds or so."""


@dataclass(frozen=True)
class Certificate:
    """``dual <= optimum over the scope <= primal`` for one network on one problem.

    primal : the training objective of the network.
    dual : the proven lower bound over ``scope``; ``method`` says how it was proven.
    global_dual : the proven lower bound for every network of the architecture, of any width (the same as ``dual`` if
    the scope is global; possibly loose otherwise).
    priced_gap : ``primal`` minus the dual value that would hold if the best neuron found by search were the best there
    is. It proves nothing; it is small when the search found no better neuron.
    """

    primal: float
    dual: float
    scope: Scope
    method: Method
    global_dual: float
    global_method: Method
    priced_gap: float
    point: DualPoint
    global_point: DualPoint

    @property
    def gap(self) -> float:
        """``primal - dual``, never below 0 but for rounding."""
        return self.primal - self.dual

    @property
    def relative_gap(self) -> float:
        """``gap / |primal|`` (0 when both vanish)."""
        return relative(self.gap, self.primal)

    @property
    def global_relative_gap(self) -> float:
        """``(primal - global_dual) / |primal|``."""
        return relative(self.primal - self.global_dual, self.primal)

    @property
    def relative_priced_gap(self) -> float:
        """``priced_gap / |primal|``."""
        return relative(self.priced_gap, self.primal)

    def __str__(self) -> str:
        return (
            f"primal {self.primal:.8g}, dual {self.dual:.8g}, relative gap {self.relative_gap:.2e} "
            f"(scope {self.scope}, by {self.method}); priced gap {self.relative_priced_gap:.2e}; "
            f"global bound {self.global_dual:.8g} (by {self.global_method}), gap {self.global_relative_gap:.2e}"
        )

    def verify(self, problem: Problem, network: Network, rtol: float = 1e-9) -> None:
        """Prove every number again from the data, the network, the dual vectors and their witnesses, with NumPy only.

        Raises CertificateError at the first number that does not follow.
        """
        refusal = problem.architecture.refusal(network, problem.X.shape[1], problem.n_outputs, problem.intercept)
        if refusal is not None:
            raise CertificateError(refusal)
        primal = problem.objective(network)
        if not math.isfinite(primal):
            raise CertificateError(f"the network has objective {primal!r}: it is outside the problem's domain")
        _agree("primal", self.primal, primal, max(abs(primal), abs(self.primal)), rtol)
        scale = max(abs(primal), 1e-300)
        for name, stated, point in (
            ("dual", self.dual, self.point),
            ("global_dual", self.global_dual, self.global_point),
        ):
            verify_bound(problem, point)
            _agree(name, stated, point.value(problem), scale, rtol)
            if stated > primal + rtol * scale:
                raise CertificateError(f"{name} {stated!r} exceeds the primal {primal!r}")
        for name, stated_as, proven in (
            ("scope", self.scope, self.point.bound.scope),
            ("method", self.method, self.point.bound.method),
            ("global_method", self.global_method, self.global_point.bound.method),
            ("scope of the global bound", "global", self.global_point.bound.scope),
        ):
            if stated_as != proven:
                raise CertificateError(f"{name} is stated as {stated_as!r} but was proven as {proven!r}")
        if self.scope == "patterns":
            _check_listed(problem, network, self.point.bound)
        if not -rtol * scale <= self.priced_gap <= primal - self.global_dual + rtol * scale:
            raise CertificateError(f"priced_gap {self.priced_gap!r} is negative, or larger than the global gap")


def certify(
    problem: Problem,
    network: Network,
    V: Outputs | None = None,
    best_found: float | None = None,
    listed: Patterns | None = None,
    whole: DualPoint | None = None,
    hurry: bool = False,
    enough: float = 0.0,
    proven: DualPoint | None = None,
) -> Certificate:
    """The certificate of any network on a problem.

    V : the dual vector, by default that of the network's predictions. best_found : the largest score that a search
    found against V, for the priced gap (None: there was no search, the priced gap is the global gap). listed :
    patterns to take into the scope besides those of the network's own neurons. whole : a global dual point already
    proven; where its gap is at most ``enough``, the certificate is its own; without it, the best of the norm bound,
    the semidefinite relaxation and, where it takes seconds, the sweep is proven. ``hurry`` proves looser bounds,
    without relaxation, sweep and projections. proven : a dual point on listed patterns, used as it is in place of
    projections where all neurons lie on them.
    """
    refusal = problem.architecture.refusal(network, problem.X.shape[1], problem.n_outputs, problem.intercept)
    if refusal is not None:
        raise InvalidDataError(refusal)
    V = problem.dual_vector(network(problem.X)) if V is None else V
    primal = problem.objective(network)
    points: list[DualPoint | None] = [whole or norm_point(problem, V)]
    if whole is None and not hurry:
        points += [relaxed_point(problem), sweep_point(problem, V, SWEEP_WORK)]
    whole = max((point for point in points if point), key=lambda point: point.value(problem))
    point, dual, whole_dual, found = whole, whole.value(problem), whole.value(problem), best_found or 0.0
    listed = listed if proven is None else proven.bound.patterns
    patterns = _own_patterns(problem, network, listed)
    if primal - whole_dual > enough and len(patterns) and _stranger(problem, network, patterns) is None:
        own = proven if patterns is listed else None
        if own is None:
            own, prices = pattern_point(problem, V, patterns, math.inf if hurry else found * (1 + 1e-12))
            found = max(found, float(prices.scores.max(initial=0.0)))
        if own.value(problem) > dual and whole.bound.method != "closed form":  # which no list can beat but by rounding
            point, dual = own, own.value(problem)
    priced = whole_dual if best_found is None else max(problem.dual(V, found), whole_dual)
    return Certificate(
        primal,
        dual,
        point.bound.scope,
        point.bound.method,
        whole_dual,
        whole.bound.method,
        max(primal - priced, 0.0),
        point,
        whole,
    )


def relative(gap: float, primal: float) -> float:
    """``gap / |primal|``, 0 when both vanish."""
    if primal == 0.0:
        return 0.0 if gap <= 0.0 else math.inf
    return gap / abs(primal)


def _agree(name: str, stated: float, proven: float, scale: float, rtol: float) -> None:
    if not abs(stated - proven) <= rtol * scale and stated != proven:
        raise CertificateError(f"{name} is stated as {stated!r} but recomputing it gives {proven!r}")


def _own_patterns(problem: Problem, network: Network, listed: Patterns | None) -> Patterns:
    """The listed patterns, and those of the network's neurons that lie on none of them."""
    architecture, Xl = problem.architecture, problem.lifted
    neurons, _ = architecture.from_network(network)
    if listed is None:
        return architecture.patterns(Xl, neurons).distinct()
    strangers = neurons.take(~_covered(problem, neurons, listed))
    return listed.join(architecture.patterns(Xl, strangers)) if len(strangers) else listed


def _covered(problem: Problem, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
    """(m,): which neurons lie on a listed pattern."""
    covered: NDArray[np.bool_] = np.any(problem.architecture.lies_on(problem.lifted, neurons, patterns), axis=1)
    return covered


def _check_listed(problem: Problem, network: Network, bound: Bound) -> None:
    """Every neuron of the network lies on a listed pattern."""
    assert bound.patterns is not None
    outside = _stranger(problem, network, bound.patterns)
    if outside is not None:
        raise CertificateError(f"neuron {outside} of the network lies on none of the listed patterns")


def _stranger(problem: Problem, network: Network, patterns: Patterns) -> int | None:
    """The first neuron of the network that lies on none of the patterns."""
    neurons, _ = problem.architecture.from_network(network)
    outside = np.flatnonzero(~_covered(problem, neurons, patterns))
    return int(outside[0]) if outside.size else None

"""The certificate: two numbers that enclose the optimum, and the means to prove them again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.arrangement import MARGIN, count_cells, covers_faces
from bidual.architectures.base import PatternPrices, Witness
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns, first_of_each
from bidual.errors import CertificateError, InvalidDataError
from bidual.network import Network
from bidual.operators.masked import MaskedData
from bidual.problem import Problem
from bidual.typing import Outputs, Rows

Scope = Literal["global", "patterns"]
Method = Literal["enumeration", "norms", "closed form", "projection"]

PROVES: dict[str, Scope] = {
    "enumeration": "global",
    "norms": "global",
    "closed form": "global",
    "projection": "patterns",
}
"""The scope of what each method proves."""


@dataclass(frozen=True)
class Bound:
    """A proven bound: no neuron in scope scores more than ``value`` against the dual vector it came with.

    scope : ``"global"`` (every neuron of the architecture) or ``"patterns"`` (those on the listed patterns).
    method : ``"enumeration"`` of all cells, ``"norms"`` or ``"closed form"`` (global); ``"projection"`` on the listed
    cells (patterns). ``patterns`` and ``witness`` are what a proof needs beyond the dual vector.
    """

    value: float
    scope: Scope
    method: Method
    patterns: Patterns | None = None
    witness: Witness | None = None

    def join(self, other: Bound) -> Bound:
        """The bound over the patterns of both, for the same dual vector."""
        mine, theirs = self.patterns, other.patterns
        assert mine is not None and theirs is not None and self.scope == other.scope == "patterns"
        patterns = Patterns(np.hstack([mine.masks, theirs.masks]), np.hstack([mine.gates, theirs.gates]))
        witness = None
        if self.witness is not None and other.witness is not None:
            witness = self.witness.join(other.witness, len(mine))
        return Bound(max(self.value, other.value), "patterns", self.method, patterns, witness)


@dataclass(frozen=True)
class DualPoint:
    """A dual vector V (n, c) with a proven bound of its neuron scores; ``value(problem) <= optimum over the scope``."""

    V: Outputs
    bound: Bound

    def value(self, problem: Problem) -> float:
        return problem.dual(self.V, self.bound.value)


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
) -> Certificate:
    """The certificate of any network on a problem.

    V : the dual vector, by default that of the network's predictions. best_found : the largest score that a search
    found against V, for the priced gap (None: there was no search, the priced gap is the global gap). listed :
    patterns to take into the scope besides those of the network's own neurons. whole : a global dual point already
    proven; where its gap is at most ``enough``, the certificate is its own. ``hurry`` proves a looser bound without
    projections.
    """
    refusal = problem.architecture.refusal(network, problem.X.shape[1], problem.n_outputs, problem.intercept)
    if refusal is not None:
        raise InvalidDataError(refusal)
    V = problem.dual_vector(network(problem.X)) if V is None else V
    primal = problem.objective(network)
    whole = max((point for point in (whole, norm_point(problem, V)) if point), key=lambda point: point.value(problem))
    point, dual, whole_dual, found = whole, whole.value(problem), whole.value(problem), best_found or 0.0
    patterns = _own_patterns(problem, network, listed)
    if primal - whole_dual > enough and len(patterns):
        floor = math.inf if hurry else found * (1 + 1e-12)
        own, prices = pattern_point(problem, V, patterns, floor)
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


def norm_point(problem: Problem, V: Outputs) -> DualPoint:
    """V with the closed-form bound of the architecture."""
    exact = problem.architecture.most_patterns(*problem.lifted.shape) == 1
    value = problem.architecture.norm_bound(problem.lifted, V)
    return DualPoint(V, Bound(value, "global", "closed form" if exact else "norms"))


def pattern_point(problem: Problem, V: Outputs, patterns: Patterns, floor: float) -> tuple[DualPoint, PatternPrices]:
    """V with the bound over the listed patterns, and the best neurons on them (those above ``floor``)."""
    prices = problem.architecture.on_patterns(problem.lifted, patterns, V, floor)
    return DualPoint(V, Bound(prices.bound, "patterns", "projection", patterns, prices.witness)), prices


def verify_bound(problem: Problem, point: DualPoint, rtol: float = 1e-9) -> None:
    """Raise CertificateError unless ``point.bound`` is proven by what it carries."""
    bound, V = point.bound, point.V
    if PROVES.get(bound.method) != bound.scope:
        raise CertificateError(f"a bound by {bound.method!r} proves nothing of scope {bound.scope!r}")
    if V.shape != problem.Y.shape or V.dtype.kind != "f" or not np.isfinite(V).all():
        raise CertificateError(f"the dual vector has shape {V.shape}, the targets {problem.Y.shape}, or is not finite")
    if bound.method in ("norms", "closed form"):
        proven = norm_point(problem, V).bound
        if proven.method != bound.method:
            raise CertificateError(f"the bound is stated by {bound.method!r}, its proof is by {proven.method!r}")
        value = proven.value
    else:
        if bound.patterns is None:
            raise CertificateError(f"a bound by {bound.method!r} needs its list of patterns")
        _check_form(problem, bound.patterns, bound.witness)
        if bound.method == "enumeration":
            _check_complete(problem, bound.patterns)
        value = _bound_on_patterns(problem, V, bound.patterns, bound.witness)
    if not bound.value >= value * (1 - rtol):
        raise CertificateError(f"the neuron bound is stated as {bound.value!r} but only {value!r} is proven")


def _check_form(problem: Problem, patterns: Patterns, witness: Witness | None) -> None:
    """Masks are of the rows, and multipliers of listed patterns, outputs, signs and rows; none is negative."""
    masks, gates = patterns.masks, patterns.gates
    (n, p), P, c = problem.lifted.shape, len(patterns), problem.n_outputs
    if masks.shape != (n, P) or masks.dtype != bool or gates.shape != (p, P) or gates.dtype.kind != "f":
        raise CertificateError(
            f"masks of shape {masks.shape} and type {masks.dtype}, gates of shape {gates.shape} and type {gates.dtype}"
        )
    if witness is None:
        return
    blocks, start, rows = witness.blocks, witness.start, witness.rows
    formed = (
        blocks.dtype.kind == start.dtype.kind == rows.dtype.kind == "i"
        and witness.values.dtype.kind == "f"
        and start.ndim == 1
        and blocks.shape == (start.size - 1, 3)
        and rows.shape == witness.values.shape == (int(start[-1]),)
        and bool((np.diff(start) >= 0).all())
        and bool(((blocks[:, :2] >= 0) & (blocks[:, :2] < [P, c])).all() and (np.abs(blocks[:, 2]) == 1).all())
        and bool(((rows >= 0) & (rows < n)).all())
    )
    if not formed:
        raise CertificateError("the witness is not about the listed patterns, the outputs, two signs and the rows")
    if not (witness.values >= 0).all():
        raise CertificateError("the witness has negative multipliers")


def _check_complete(problem: Problem, patterns: Patterns) -> None:
    """Every listed mask is a cell with its gate strictly inside, all are different, and their number is that of all
    cells."""
    Xl = problem.lifted
    if problem.architecture.gated and not covers_faces(Xl, patterns):
        raise CertificateError("a gate on a hyperplane can open rows that no listed pattern opens together")
    rows = np.any(Xl != 0, axis=1)
    Z = Xl @ patterns.gates
    if not (np.abs(Z) > 1e-14 * (np.abs(Xl) @ np.abs(patterns.gates)))[rows].all():
        raise CertificateError("a listed gate lies on a hyperplane, so it proves no cell")
    if not np.array_equal(Z[rows] > 0, patterns.masks[rows]):
        raise CertificateError("a listed mask is not the pattern of its gate")
    if first_of_each(patterns.masks[rows]).size != len(patterns) or count_cells(Xl, len(patterns)) != len(patterns):
        raise CertificateError(f"the list of {len(patterns)} patterns is not the list of all cells")


def _bound_on_patterns(problem: Problem, V: Outputs, patterns: Patterns, witness: Witness | None) -> float:
    """The bound that the witness proves: ``max over patterns, outputs and signs of ||+-X'D v + (S X)'mu||``."""
    architecture, Xl = problem.architecture, problem.lifted
    everywhere = architecture.most_patterns(*Xl.shape) == 1
    C = MaskedData(Xl, patterns.masks | everywhere, getattr(architecture, "slope", 0.0)).adjoint(V)
    free = architecture.bias == "free"
    if architecture.outputs == "shared" and V.shape[1] > 1:
        return math.inf if free else float(np.linalg.svd(C, compute_uv=False)[:, 0].max(initial=0.0))
    rounding = 1e-12 * float(np.abs(V).sum())
    norms = np.repeat(np.linalg.norm(C, axis=1)[:, :, None], 2, axis=2)
    if free:
        norms = np.where((np.abs(C[:, -1]) <= rounding)[:, :, None], norms, np.inf)
    if witness is not None:
        S = np.where(patterns.masks, 1.0, -1.0)
        for (j, k, sign), a, b in zip(witness.blocks, witness.start[:-1], witness.start[1:], strict=True):
            rows, mu = witness.rows[a:b], witness.values[a:b]
            point = sign * C[j, :, k] + Xl[rows].T @ (S[rows, j] * mu)
            closed = not free or abs(point[-1]) <= max(rounding, 1e-12 * np.abs(C[j, :, k]).sum())
            proven = float(np.linalg.norm(point[:-1] if free else point)) if closed else np.inf
            place = (j, k, 0 if sign > 0 else 1)
            norms[place] = min(norms[place], proven)
    return float(norms.max(initial=0.0))


def _own_patterns(problem: Problem, network: Network, listed: Patterns | None) -> Patterns:
    """The listed patterns, and those of the network's neurons that lie on none of them."""
    architecture, Xl = problem.architecture, problem.lifted
    neurons, _ = architecture.from_network(network)
    if listed is None:
        return architecture.patterns(Xl, neurons).distinct()
    strangers = neurons.take(~_covered(Xl, neurons, listed))
    return listed.join(architecture.patterns(Xl, strangers)) if len(strangers) else listed


def _covered(Xl: Rows, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
    """(m,): which neurons lie in the cone of a listed pattern, up to rounding at their hyperplanes; which gates open
    exactly the rows of one."""
    Z = Xl @ (neurons.inputs if neurons.gates is None else neurons.gates)
    if neurons.gates is not None:
        return np.array([bool((patterns.masks == (z >= 0)[:, None]).all(axis=0).any()) for z in Z.T], dtype=bool)
    Z = Z / np.maximum(np.abs(Xl) @ np.abs(neurons.inputs), 1e-300)
    S = np.where(patterns.masks, 1.0, -1.0)
    return np.array([bool(((S * z[:, None]).min(axis=0) >= -MARGIN).any()) for z in Z.T], dtype=bool)


def _check_listed(problem: Problem, network: Network, bound: Bound) -> None:
    """Every neuron of the network lies on a listed pattern."""
    neurons, _ = problem.architecture.from_network(network)
    assert bound.patterns is not None
    outside = np.flatnonzero(~_covered(problem.lifted, neurons, bound.patterns))
    if outside.size:
        raise CertificateError(f"neuron {outside[0]} of the network lies on none of the listed patterns")

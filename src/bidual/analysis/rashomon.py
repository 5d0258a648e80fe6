"""How far apart the predictions of equally good networks can be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import final

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from bidual.architectures import ParallelReLU3
from bidual.certificate import Certificate, DualPoint, certify, verify_bound
from bidual.errors import CertificateError, InvalidParameterError, RefusedError
from bidual.network import Network
from bidual.problem import Problem
from bidual.solvers import Solver, Stop
from bidual.typing import Vector

SHARE = 0.02
"""Of what the objective may rise: a gap this small blurs the interval by about a hundredth."""

REACH = 10.0
"""How far beyond the end of the interval the extra row's target is, in half-widths."""

ROUNDS = 8
"""Solves at most for one end."""


@final
@dataclass(frozen=True, eq=False)
class RashomonEnd:
    """One end of the range of a prediction over all networks whose objective is at most ``budget``.

    problem : the training problem with one row more, whose prediction is asked for; sign : 1 for the upper end, -1 for
    the lower. network : a network within the budget. point : the dual vector of the extended problem that proves the
    best bound over its scope, whole : the one that proves the best for every network of any width.
    """

    problem: Problem
    sign: int
    budget: float
    network: Network
    point: DualPoint
    whole: DualPoint

    @property
    def attained(self) -> float:
        """The prediction of ``network``: the range reaches at least this far."""
        return float(self.network(self.problem.X[-1:])[0, 0])

    @property
    def certified(self) -> float:
        """No network in the scope of ``point`` and within the budget predicts beyond this."""
        return self.sign * furthest(self.problem, self.point, self.sign, self.budget)

    @property
    def certified_global(self) -> float:
        """No network of any width and within the budget predicts beyond this."""
        return self.sign * furthest(self.problem, self.whole, self.sign, self.budget)

    def verify(self) -> None:
        """Prove again that the network is within the budget, and the bounds of the neurons. Raises CertificateError."""
        objective = _without_last(self.problem).objective(self.network)
        if not objective <= self.budget * (1.0 + 1e-9):
            raise CertificateError(f"the network has objective {objective!r}, above the budget {self.budget!r}")
        for point in (self.point, self.whole):
            verify_bound(self.problem, point)


def rashomon_end(
    problem: Problem,
    network: Network,
    x: Vector,
    sign: int,
    solver: Solver,
    eps: float = 0.01,
    time_limit: float = inf,
) -> RashomonEnd:
    """The largest (sign 1) or least (sign -1) prediction at x (d,) over all networks f, of any width, with

        ``Phi(f) = L(f(X)) + r(size(f)) <= (1 + eps) Phi(network)``.

    The problem is convex in f, and its Lagrangian is the training problem with one extra row, at x, that pulls f with a
    force. Where Phi exceeds the budget by a little, the mixture with the given network that just keeps it attains the
    inner value; the outer one is :func:`furthest`. (Fisher, Rudin & Dominici 2019 on the set of such models.)

    time_limit : seconds for each solve, of which there are two or three.

    Raises RefusedError where :func:`refusal` does, InvalidParameterError for an eps that is not positive and finite.
    """
    sentence = refusal(problem)
    if sentence is not None:
        raise RefusedError(sentence)
    if not (isfinite(eps) and eps > 0):
        raise InvalidParameterError(f"eps must be a positive finite number, got {eps!r}; 0.01 is one percent")
    best = problem.objective(network)
    if not best > 0.0:
        raise RefusedError(f"the network's objective is {best!r}, and no share of it is a budget; take harder targets")
    rise, budget = eps * best, (1.0 + eps) * best
    force = sqrt(10.0 * rise * float(problem.weights.mean()))
    ends: list[RashomonEnd] = []
    far = network
    for _ in range(ROUNDS):
        posed = _pulled(problem, network, x, sign, force, rise)
        stop = Stop(SHARE * rise / posed.objective(network), time_limit=time_limit)
        solution = solver.solve(posed, stop, start=far)
        far = solution.network
        inside = _mixed(problem, network, far, budget)
        ends.append(RashomonEnd(posed, sign, budget, inside, *_points(posed, inside, solution.certificate)))
        excess = (problem.objective(far) - best) / rise
        if 1.0 <= excess <= 1.5:
            break
        force *= min(max(sqrt(1.2 / max(excess, 1e-4)), 0.1), 10.0)
    end = max(ends, key=lambda end: sign * end.attained)
    whole = min((other.whole for other in ends), key=lambda point: furthest(end.problem, point, sign, budget))
    tight = furthest(end.problem, whole, sign, budget) <= furthest(end.problem, end.point, sign, budget)
    return replace(end, point=whole if tight else end.point, whole=whole)


def furthest(problem: Problem, point: DualPoint, sign: int, budget: float) -> float:
    """An upper bound of ``sign f(x)`` at the last row x of a problem, for every f in the scope of the point that has
    ``L(f) + r(size(f)) <= budget`` on the other rows; inf if the point proves none.

    For a dual vector (v, sign tau) whose neurons score at most kappa, and every t > 0:

        ``t tau sign f(x) <= kappa t size(f) - <t v, f(X)> <= r(size) + r*(t kappa) + L(f) + L*(-t v)``.
    """
    kappa = point.bound.value * (1.0 + 1e-12)
    tau, v = sign * float(point.V[-1, 0]), point.V[:-1]
    torn = problem.intercept and abs(float(point.V.sum())) > 1e-12 * float(np.abs(point.V).sum())
    rest = _without_last(problem)
    most = min(problem.penalty.limit(kappa), rest.loss.domain_step(v, rest.Y, rest.weights), 100.0)
    if torn or not tau > 0.0 or not most > 0.0:
        return inf

    def bound(t: float) -> float:
        dual = rest.loss.conjugate(-t * v, rest.Y, rest.weights) + problem.penalty.slope(kappa) * t
        return (budget + dual + 1e-12 * (abs(budget) + abs(dual))) / (t * tau)

    found = minimize_scalar(bound, bounds=(1e-3 * most, most), method="bounded", options={"xatol": 1e-10 * most})
    return min(bound(most), bound(float(found.x)))


def refusal(problem: Problem) -> str | None:
    """None, or why no row can pull a prediction as far as it goes."""
    if isinstance(problem.architecture, ParallelReLU3):
        return "sub-networks of three layers are no units that a row can pull; fit a network of two layers"
    if problem.n_outputs > 1:
        return f"the network has {problem.n_outputs} outputs; ask for the range of one, with a fit for each target"
    if problem.loss.name not in ("squared", "huber", "logistic"):
        return (
            f"loss {problem.loss.name!r} stops pulling at its margin; use squared error, Huber, or the log loss of two "
            "classes"
        )
    return None


def _without_last(problem: Problem) -> Problem:
    return replace(problem, X=problem.X[:-1], Y=problem.Y[:-1], weights=problem.weights[:-1])


def _pulled(problem: Problem, network: Network, x: Vector, sign: int, force: float, rise: float) -> Problem:
    """The problem with a row at x that pulls the network's prediction with the force: a class, or a far target."""
    f = network(x[None])
    target = np.full((1, 1), float(sign))
    if problem.loss.targets == "real":
        target = f + sign * REACH * 2.0 * rise / force
    weight = force / float(np.abs(problem.loss.gradient(f, target, np.ones(1))).item())
    X, Y = np.vstack([problem.X, x]), np.vstack([problem.Y, target])
    return replace(problem, X=X, Y=Y, weights=np.append(problem.weights, weight))


def _mixed(problem: Problem, near: Network, far: Network, budget: float) -> Network:
    """The mixture of two networks that is farthest from the first within the budget, which the first is inside."""
    architecture = problem.architecture
    (units, t), (others, r) = architecture.from_network(near), architecture.from_network(far)
    joined, b, c = units.join(others), near.layers[-1].bias, far.layers[-1].bias

    def mixture(share: float) -> Network:
        return architecture.to_network(joined, np.append((1 - share) * t, share * r), (1 - share) * b + share * c)

    def over(share: float) -> float:
        return problem.objective(mixture(share)) - budget

    if over(1.0) <= 0.0:
        return far
    share = float(brentq(over, 0.0, 1.0, xtol=1e-12))
    while over(share) > 0.0:
        share *= 1.0 - 1e-9
    return mixture(share).prune()


def _points(problem: Problem, network: Network, certificate: Certificate) -> tuple[DualPoint, DualPoint]:
    """The certificate's dual points, the first with the patterns of the network in its scope."""
    point, whole = certificate.point, certificate.global_point
    if point.bound.scope == "patterns":
        point = certify(problem, network, point.V, None, point.bound.patterns, whole).point
    return point, whole

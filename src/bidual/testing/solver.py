"""What every solver promises."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from bidual.architectures import Architecture, GatedReLU, Linear, ReLU
from bidual.errors import RefusedError
from bidual.network import Network
from bidual.problem import Problem
from bidual.solvers import Budget, Solution, Solver, Status, Stop
from bidual.testing.examples import example_problems, random_network, require
from bidual.testing.planted import Planted, planted, planted_orthonormal

SLACK = 1e-9
"""Relative rounding that no bound is blamed for."""


def check_solver(solver: Solver, problems: Sequence[Problem] | None = None, tol: float = 1e-5) -> None:
    """Raise AssertionError if the solver breaks a promise of :class:`~bidual.solvers.Solver`.

    ``problems`` : by default a variety of small ones, and planted ones whose optimum is known; the solver may refuse
    some with a sentence, but not all. Networks that the solver has not made judge its dual values: at every iterate,
    a global dual value is at most the objective of every random network and of the planted one.
    """
    known = _planted_problems() if problems is None else []
    listed = list(example_problems()) if problems is None else list(problems)
    solved = 0
    for problem, optimum in [(p, None) for p in listed] + [(p.problem, p) for p in known]:
        reason = solver.accepts(problem)
        if reason is not None:
            _refusal(solver, problem, reason)
            continue
        solved += 1
        others = _other_networks(problem)
        least = min([problem.objective(network) for network in others] + ([optimum.value] if optimum else []))
        _iterates(solver, problem, least, tol)
        solution = solver.solve(problem, Stop(tol=tol, max_iter=100))
        _solution(solver, problem, solution, least, tol)
        if optimum is not None:
            _optimum(solver, solution, optimum, tol)
    require(solved > 0, f"{solver!r} refuses every problem of the check; pass problems it is made for")


def _planted_problems() -> list[Planted]:
    architectures: list[Architecture] = [ReLU(), GatedReLU(), ReLU(slope=0.2, bias="none"), Linear(), ReLU(bias="free")]
    each = [planted(architecture, seed=seed) for seed, architecture in enumerate(architectures)]
    return [*each, planted(ReLU(), c=2, intercept=False), planted(ReLU(), ball=True), planted_orthonormal()]


def _other_networks(problem: Problem) -> list[Network]:
    """Random networks, some large, some of nearly no size; a ball keeps those inside."""
    rng = np.random.default_rng(0)
    p, c = problem.lifted.shape[1], problem.n_outputs
    return [random_network(problem.architecture, p, c, m, rng) for m in (1, 2, 3, 5, 10) for _ in range(10)]


def _refusal(solver: Solver, problem: Problem, reason: str) -> None:
    require(len(reason) > 20, f"{solver!r} refuses a problem without a sentence: {reason!r}")
    try:
        solver.solve(problem)
    except RefusedError as refusal:
        require(str(refusal) == reason, f"{solver!r}.solve refuses with another sentence than accepts")
        return
    raise AssertionError(f"{solver!r}.solve takes a problem that accepts refuses")


def _iterates(solver: Solver, problem: Problem, least: float, tol: float) -> None:
    best, highest = least, -np.inf
    for iterate in islice(solver.iterates(problem, None, Budget(tol)), 30):
        primal = problem.objective(iterate.network)
        require(np.isfinite(primal), f"{solver!r} proposes a network outside the problem: its objective is {primal!r}")
        require(iterate.V.shape == problem.Y.shape, f"{solver!r} proposes a dual vector of shape {iterate.V.shape}")
        best, point = min(best, primal), iterate.pricing.dual
        if point is not None and point.bound.scope == "global":
            highest = max(highest, point.value(problem))
        fine = highest <= best + SLACK * (1.0 + abs(best))
        require(fine, f"{solver!r}: the dual value {highest!r} exceeds the objective {best!r} of a network")


def _solution(solver: Solver, problem: Problem, solution: Solution, least: float, tol: float) -> None:
    certificate, status, name = solution.certificate, solution.status, repr(solver)
    certificate.verify(problem, solution.network)
    allowed = tol * max(abs(certificate.primal), 1e-6 * problem.loss_value(np.zeros_like(problem.Y)))
    if status in (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS):
        scope = "global" if status == Status.OPTIMAL else "patterns"
        require(certificate.scope == scope, f"{name} ends {status} with a certificate of scope {certificate.scope!r}")
        require(certificate.gap <= allowed * (1.0 + 1e-9), f"{name} ends {status} with the gap {certificate.gap!r}")
    fine = certificate.global_dual <= least + SLACK * (1.0 + abs(least))
    require(fine, f"{name}: the dual {certificate.global_dual!r} exceeds the objective {least!r} of a network")
    primals, duals = ([getattr(r, key) for r in solution.history] for key in ("primal", "dual"))
    require(bool((np.diff(primals) <= 0).all()), f"{name}: the best objective rises in the history")
    require(bool((np.diff(duals) >= 0).all()), f"{name}: the best dual falls in the history")


def _optimum(solver: Solver, solution: Solution, optimum: Planted, tol: float) -> None:
    certificate, value = solution.certificate, optimum.value
    slack = SLACK * (1.0 + abs(value))
    require(certificate.primal >= value - slack, f"{solver!r} states {certificate.primal!r}, the optimum is {value!r}")
    if solution.status == Status.OPTIMAL:
        fine = certificate.primal <= value + tol * abs(certificate.primal) + slack
        require(fine, f"{solver!r} calls {certificate.primal!r} optimal, the optimum is {value!r}")

"""Networks and fitted estimators of this library."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from bidual.architectures import ReLU
from bidual.errors import InvalidDataError, RefusedError
from bidual.estimators import FittedCertificate
from bidual.network import Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Budget, Iterate, Solver, Stop
from bidual.solvers.refuting import refuting_score
from bidual.solvers.working_set import default_oracle
from bidual.trained.objective import Objective
from bidual.trained.trained import Trained


def read_estimator(model: Any, X: Any, y: Any) -> Trained:
    """A fitted MLPRegressor or MLPClassifier: its own objective, on standardised data.

    Raises
    ------
    RefusedError
        Other units than ReLU and its kin, a radius, or a loss with kinks.
    InvalidDataError
        Other rows than those of fit, or rows that were weighted.
    """
    formulation = model.certificate_.formulation
    architecture, penalty = formulation.architecture, formulation.penalty
    if not isinstance(architecture, ReLU) or not isinstance(penalty, Strength):
        raise RefusedError(
            f"{type(model).__name__} must have ReLU-like units and a price alpha to be audited, got {architecture!r} "
            f"and {penalty!r}; its own certificate_ has what is proven"
        )
    rows = formulation.encoding.collect(X, y)
    if not formulation.encoding_of(rows).same_as(formulation.encoding):
        raise InvalidDataError("X and y must be those of fit, without sample_weight: others are encoded differently")
    X, Y, weights = formulation.encoding.encode(rows)
    beta = penalty.beta
    objective = Objective(
        formulation.loss,
        weights,
        beta,
        beta,
        {"penalized": beta, "free": 0.0, "none": None}[architecture.bias],
        0.0 if formulation.intercept else None,
        architecture.outputs,
    )
    problem = formulation.problem(rows)

    def rebuild(network: Network) -> tuple[Any, Network]:
        return _rebuilt(model, problem, network)

    return Trained(f"bidual {type(model).__name__}", model.network_, objective, X, Y, rebuild)


@final
@dataclass(frozen=True)
class Given(Solver):
    """The one iterate is a given network, with a search for a better neuron: the driver then judges it."""

    network: Network

    def accepts(self, problem: Problem) -> str | None:
        return None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        assert isinstance(problem.penalty, Strength)
        V = problem.dual_vector(self.network(problem.X))
        neurons, _ = problem.architecture.from_network(self.network)
        target = refuting_score(problem, self.network, V, problem.penalty.beta, budget.tol)
        oracle, rng = default_oracle(problem), np.random.default_rng(0)
        pricing = oracle.price(problem, V, neurons, target, rng, budget.expired)
        yield Iterate(self.network, V, pricing, limited=pricing.best_found > target)


def _rebuilt(model: Any, problem: Problem, network: Network) -> tuple[Any, Network]:
    """A fitted copy with the network, its certificate and its status."""
    solution = Given(network).solve(problem, Stop(float(model.tol)))
    copied, formulation = copy.copy(model), model.certificate_.formulation
    certificate = FittedCertificate(solution.certificate, solution.network, formulation)
    copied._restore(certificate, solution.status, solution.history)
    return copied, solution.network

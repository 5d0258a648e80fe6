"""How much better a network gets by one change after the other, each shown by a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Neurons
from bidual.network import Network
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers.inner.master import solve_master
from bidual.solvers.refuting import least_score
from bidual.solvers.working_set import default_oracle
from bidual.trained.posed import Posed
from bidual.trained.trained import Trained
from bidual.typing import Expired, Outputs, Vector


@final
@dataclass(frozen=True, eq=False)
class Step:
    """A network and its objective, at most that of the step before."""

    name: str
    objective: float
    network: Network


AS_TRAINED = "as trained"
REBALANCED = "layers rescaled (the same function)"
RESOLVED = "sizes of its neurons and output bias re-solved"
EXTENDED = "one neuron added, all sizes re-solved"
BEST = "best network found"

TRIED = 10
"""Neurons of which the best is added."""


def steps(trained: Trained, posed: Posed, best: Network, seed: int, expired: Expired) -> tuple[Step, ...]:
    """From the network as it is to the best one found, with a neuron that improves it on the way, if there is one."""
    problem, entered = posed.problem, posed.enter(trained.network)
    forms = [(REBALANCED, entered)]
    neurons, t, b, V = _resolved(problem, *problem.architecture.from_network(entered), entered.layers[-1].bias)
    forms.append((RESOLVED, problem.architecture.to_network(neurons, t, b)))
    extended = [
        _resolved(problem, neurons.join(one), np.append(t, 0.0), b)[:3]
        for one in improving_neurons(problem, neurons, V, seed, expired)
    ]
    if extended:
        best_of = min(extended, key=lambda form: problem.objective(problem.architecture.to_network(*form)))
        forms.append((EXTENDED, problem.architecture.to_network(*best_of)))
    forms.append((BEST, best))
    made = [Step(AS_TRAINED, trained.value(trained.network), trained.network)]
    for name, form in forms:
        network = posed.leave(form)
        value = trained.value(network)
        if value < made[-1].objective:
            made.append(Step(name, value, network))
    return tuple(made)


def improving_neurons(problem: Problem, neurons: Neurons, V: Outputs, seed: int, expired: Expired) -> list[Neurons]:
    """Neurons of unit size that lower the objective, those that lower it fastest; none if none was found."""
    assert isinstance(problem.penalty, Strength)
    rng = np.random.default_rng(seed)
    pricing = default_oracle(problem, seed).price(problem, V, neurons, np.inf, rng, expired)
    worth = max(problem.penalty.beta * (1 + 1e-9), least_score(problem, V))
    return [pricing.neurons.take(np.array([j])) for j in np.flatnonzero(pricing.scores > worth)[:TRIED]]


def _resolved(problem: Problem, neurons: Neurons, t: Vector, b: Vector) -> tuple[Neurons, Vector, Vector, Outputs]:
    """The neurons that keep a size, their best sizes, the best intercept, and the dual vector there."""
    solved = solve_master(problem, neurons, t, b)
    kept = solved.t > 0
    return neurons.take(kept), solved.t[kept], solved.b, solved.V

"""The planted optimum is one: recomputed from the data, and found by a solver that does not know it."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import Architecture, GatedReLU, Linear, ReLU, no_neurons
from bidual.errors import InvalidParameterError
from bidual.oracles import Enumerated
from bidual.solvers import Status, Stop, WorkingSet
from bidual.testing import Planted, planted, planted_orthonormal

PROBLEMS = {
    "relu": planted(ReLU()),
    "no bias": planted(ReLU(bias="none"), intercept=False, seed=1),
    "free bias": planted(ReLU(bias="free"), seed=2),
    "leaky": planted(ReLU(slope=0.1), c=2, seed=3),
    "absolute": planted(ReLU(slope=-1.0), d=3, n_orbits=2, seed=4),
    "gated": planted(GatedReLU(), seed=5),
    "gated shared": planted(GatedReLU(outputs="shared"), c=2, seed=6),
    "linear": planted(Linear(), c=2, seed=7),
    "ball": planted(ReLU(), ball=True, seed=8),
    "one feature": planted(ReLU(), d=1, n_orbits=5, seed=9),
    "orthonormal": planted_orthonormal(),
}
every_problem = pytest.mark.parametrize("name", PROBLEMS)


@every_problem
def test_primal_and_dual_meet_at_the_value(name: str) -> None:
    known: Planted = PROBLEMS[name]
    problem, s = known.problem, known.problem.weights[:, None]
    residual = problem.Y - known.network(problem.X)
    np.testing.assert_allclose(s * residual, known.V, atol=1e-12)
    assert problem.objective(known.network) == pytest.approx(known.value, rel=1e-12)
    nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    point = Enumerated().price(problem, known.V, nothing, 0.0, np.random.default_rng(0)).dual
    assert point is not None and point.bound.scope == "global"
    assert point.value(problem) == pytest.approx(known.value, rel=1e-9)


@every_problem
def test_a_solver_finds_the_value(name: str) -> None:
    known = PROBLEMS[name]
    solution = WorkingSet().solve(known.problem, Stop(tol=1e-7))
    assert solution.status == Status.OPTIMAL
    assert solution.certificate.primal == pytest.approx(known.value, rel=1e-6)
    assert solution.certificate.dual <= known.value * (1 + 1e-9)


@pytest.mark.parametrize("architecture", [ReLU(), GatedReLU()], ids=repr)
def test_every_planted_neuron_is_tight(architecture: Architecture) -> None:
    known = planted(architecture, beta=0.7, seed=11)
    neurons, t = architecture.from_network(known.network)
    activations = architecture.activations(known.problem.lifted, neurons)
    scores = np.sum((known.V @ neurons.outputs) * activations, axis=0)
    np.testing.assert_allclose(scores, 0.7, rtol=1e-12)
    assert len(t) == 2 and (t > 0).all()


def test_parameters() -> None:
    with pytest.raises(InvalidParameterError, match="shared"):
        planted(ReLU(outputs="shared"), c=2)
    with pytest.raises(InvalidParameterError, match="n=4"):
        planted_orthonormal(n=4, d=3)

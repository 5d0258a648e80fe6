"""Which oracle a solver takes where none is named, and what it then proves of sign and tanh networks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_moons

from bidual.architectures import Bounded, ReLU, Sign, Tanh
from bidual.losses import Hinge, Logistic, Loss, Squared
from bidual.oracles import Enumerated, LineSearch, LocalSearch, Oracle, Swept, TanhAscent
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Incremental, Status, Stop
from bidual.solvers.working_set import default_oracle


def moons(architecture: Bounded, loss: Loss, strength: float) -> Problem:
    """With the strength of a loss that is the whole square."""
    X, labels = make_moons(100, noise=0.15, random_state=0)
    beta = strength / 2 if isinstance(loss, Squared) else strength
    return Problem(X, 2.0 * labels[:, None] - 1.0, loss, architecture, Strength(beta), intercept=False)


@pytest.mark.parametrize(
    ("architecture", "n", "d", "kind"),
    [
        (Sign(), 500, 2, Swept),
        (Sign(outputs="shared"), 9, 2, Enumerated),
        (Sign(outputs="shared"), 100, 2, Swept),
        (Sign(), 200, 9, LineSearch),
        (Tanh(), 100, 2, TanhAscent),
        (Tanh(), 200, 9, TanhAscent),
        (ReLU(), 9, 2, Enumerated),
        (ReLU(), 100, 2, LocalSearch),
    ],
)
def test_default_oracle(architecture: Bounded | ReLU, n: int, d: int, kind: type[Oracle]) -> None:
    X = np.random.default_rng(0).normal(size=(n, d))
    assert type(default_oracle(Problem(X, X[:, :1], Squared(), architecture, Strength(1.0)))) is kind


def test_rows_too_close_to_sweep_are_searched() -> None:
    X = np.append(np.linspace(-1.0, 1.0, 9), 1.0 + 1e-11)[:, None]
    assert type(default_oracle(Problem(X, X, Squared(), Sign(), Strength(1.0)))) is LineSearch


@pytest.mark.parametrize("kind", [Sign, Tanh])
@pytest.mark.parametrize(
    ("loss", "strength", "value"),
    [
        (Squared(), 1.0, 2.9526605096 / 2),
        (Logistic(), 1.0, 11.7549093790),
        (Hinge(), 1.0, 3.0),
        (Squared(), 5.0, 13.8165127401 / 2),
        (Logistic(), 5.0, 33.4544632720),
        (Hinge(), 5.0, 15.0),
    ],
)
def test_moons_are_solved_to_their_certified_optimum(
    kind: type[Bounded], loss: Loss, strength: float, value: float
) -> None:
    """tanh networks too: they have the same infimum."""
    problem = moons(kind(), loss, strength)
    solution = Incremental().solve(problem, Stop(tol=1e-9))
    certificate = solution.certificate
    assert (solution.status, certificate.method) == (Status.OPTIMAL, "sweep")
    assert certificate.primal == pytest.approx(value, abs=1e-8) and certificate.dual <= value + 1e-9
    certificate.verify(problem, solution.network)


def test_a_sweep_at_the_end_proves_what_line_searches_found() -> None:
    solution = Incremental(LineSearch()).solve(moons(Sign(), Squared(), 1.0), Stop(tol=1e-9))
    assert (solution.status, solution.certificate.method) == (Status.OPTIMAL, "sweep")

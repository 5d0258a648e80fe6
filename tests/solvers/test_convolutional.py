"""Training filters: against an interior-point solver, gradient descent, and what leaves the optimum as it is."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
import torch

from bidual.architectures import Convolutional, GatedReLU, PiecewiseLinear, ReLU
from bidual.architectures.patterns import Patterns, sample
from bidual.certificate import Certificate
from bidual.errors import CertificateError
from bidual.export import to_torch
from bidual.losses import LOSSES, Squared
from bidual.network import Layer, Network
from bidual.operators import pooled
from bidual.patches import Patches
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import FixedPatterns, Status, Stop, WorkingSet


def problem_of(
    inner: PiecewiseLinear, loss: str = "squared", pooling: str = "mean", seed: int = 0, n: int = 8
) -> Problem:
    """Images of 4 x 3 pixels and 2 channels, patches of 2 x 2 pixels, two outputs."""
    rng = np.random.default_rng(seed)
    Y = rng.normal(size=(n, 2)) if loss == "squared" else np.eye(2)[rng.integers(2, size=n)]
    architecture = Convolutional(inner, Patches((4, 3, 2), 2, 1, pooling))
    return Problem(rng.normal(size=(n, 24)), Y, LOSSES[loss](), architecture, Strength(0.1))


def by_clarabel(problem: Problem, patterns: Patterns) -> float:
    """The least value of the program, written out patch by patch: none of the library's products or cones."""
    patches, inner = problem.architecture.patches, problem.architecture.units
    assert patches is not None
    M = np.array([np.append(X[columns], 1.0) for X in problem.X for columns in patches.index])
    pool = np.kron(np.eye(len(problem.X)), np.ones((1, patches.count)))
    pool /= patches.count if patches.pooling == "mean" else 1
    F, size, constraints = 0, 0, []
    for mask in patterns.masks.T:
        D, S = np.diag(1.0 * mask), np.diag(2.0 * mask - 1)
        for sign in (1, -1) if inner.slope is not None else (1,):
            U = cp.Variable((M.shape[1], 2))
            F = F + sign * pool @ D @ M @ U
            size = size + cp.sum(cp.norm(U, 2, axis=0))
            constraints += [S @ M @ U >= 0] if inner.slope is not None else []
    F = F + np.ones((len(problem.X), 1)) @ cp.Variable((1, 2))
    if isinstance(problem.loss, Squared):
        loss = cp.sum_squares(F - problem.Y) / 2
    else:
        loss = cp.sum(cp.log_sum_exp(F, axis=1)) - cp.sum(cp.multiply(problem.Y, F))
    task = cp.Problem(cp.Minimize(loss + problem.penalty.value(1.0) * size), constraints)
    return float(task.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10))


@pytest.mark.parametrize("pooling", ["mean", "sum"])
@pytest.mark.parametrize(
    ("inner", "loss"), [(GatedReLU(), "squared"), (GatedReLU(), "multinomial"), (ReLU(), "squared")]
)
@pytest.mark.parametrize("stored", [0, 2**31])
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
def test_the_program_is_solved(
    inner: PiecewiseLinear, loss: str, pooling: str, stored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooled, "STORED", stored)
    problem = problem_of(inner, loss, pooling)
    patterns = sample(problem.lifted, 9, 0, antithetic=True)
    solution = FixedPatterns(patterns).solve(problem, Stop(tol=1e-8))
    assert solution.status == Status.OPTIMAL_ON_PATTERNS
    solution.certificate.verify(problem, solution.network)
    assert problem.objective(solution.network) == pytest.approx(by_clarabel(problem, patterns), rel=1e-7)


def adam(problem: Problem, seed: int, steps: int = 300) -> float:
    """Adam on all weights of a convolutional ReLU network of 20 filters, and what its best network is worth."""
    architecture, rng = problem.architecture, np.random.default_rng(seed)
    p = problem.lifted.shape[1] - 1
    layer = architecture.layer(rng.normal(size=(p, 20)) / p**0.5, np.zeros(20), None)  # type: ignore[arg-type]
    module = to_torch(Network((layer, Layer(rng.normal(size=(20, 2)) / 20**0.5, np.zeros(2)))))
    X, Y = torch.tensor(problem.X), torch.tensor(problem.Y)
    decay, optimizer = problem.penalty.value(1.0) / 2, torch.optim.Adam(module.parameters(), 0.03)
    for _ in range(steps):
        optimizer.zero_grad()
        weights = [w for name, w in module.named_parameters() if name != "4.bias"]
        value = ((module(X) - Y) ** 2).sum() / 2 + decay * sum((w**2).sum() for w in weights)
        value.backward()
        optimizer.step()
    conv, last = module[1], module[4]
    W = conv.weight.detach().numpy().transpose(0, 2, 3, 1).reshape(20, p).T
    trained = replace(layer, weight=W, bias=conv.bias.detach().numpy())
    return problem.objective(Network((trained, Layer(last.weight.detach().numpy().T, last.bias.detach().numpy()))))


def test_gradient_descent_never_falls_below_the_dual_and_comes_near_the_network() -> None:
    problem = problem_of(ReLU(), n=4)
    solution = WorkingSet().solve(problem, Stop(tol=1e-4, time_limit=60.0))
    assert solution.status in (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS)
    solution.certificate.verify(problem, solution.network)
    values = [adam(problem, seed) for seed in range(3)]
    assert min(values) >= solution.certificate.global_dual
    assert min(values) >= solution.certificate.primal * (1 - 1e-3)
    assert min(values) <= solution.certificate.primal * 1.2  # it does train


def least(problem: Problem, gates: np.ndarray) -> float:
    """The optimum on the patterns of the gates."""
    patterns = Patterns(problem.lifted @ gates >= 0, gates).distinct()
    return FixedPatterns(patterns).solve(problem, Stop(tol=1e-8)).certificate.primal


@pytest.mark.parametrize("inner", [GatedReLU(), ReLU()], ids=repr)
def test_invariances(inner: PiecewiseLinear) -> None:
    problem, rng = problem_of(inner), np.random.default_rng(1)
    gates = rng.normal(size=(9, 6))
    value = least(problem, gates)
    # Pooling forgets where a patch lies: tiles of 2 x 1 pixels in any order, for each image its own.
    tiled = Convolutional(inner, Patches((4, 3, 2), (2, 1), (2, 1)))
    tiles = replace(problem, architecture=tiled)
    X = problem.X.reshape(8, 2, 2, 3, 2).transpose(0, 1, 3, 2, 4).reshape(8, 6, 4)
    X = np.stack([image[rng.permutation(6)] for image in X]).reshape(8, 2, 3, 2, 2).transpose(0, 1, 3, 2, 4)
    few = np.delete(gates, [0, 1, 2, 3], axis=0)
    assert least(replace(tiles, X=X.reshape(8, 24)), few) == pytest.approx(least(tiles, few), rel=1e-6)
    # A mean is a sum whose size costs N times as much.
    summed = Convolutional(inner, Patches((4, 3, 2), 2, 1, "sum"))
    assert least(replace(problem, architecture=summed, penalty=Strength(0.6)), gates) == pytest.approx(value, rel=1e-6)
    # One patch that is the image is no convolution.
    whole, wide = Convolutional(inner, Patches((4, 3, 2), (4, 3))), rng.normal(size=(25, 6))
    assert least(replace(problem, architecture=whole), wide) == pytest.approx(
        least(replace(problem, architecture=inner), wide), rel=1e-6
    )


@pytest.fixture(scope="module")
def solved() -> tuple[Problem, object, Certificate]:
    problem = problem_of(ReLU())
    solution = FixedPatterns(n_patterns=6).solve(problem, Stop(tol=1e-4))
    return problem, solution.network, solution.certificate


@pytest.mark.parametrize(
    "forge",
    [
        lambda c: replace(c, dual=c.dual + 1e-3),
        lambda c: replace(c, primal=c.primal - 1e-3),
        lambda c: replace(c, scope="global"),
        lambda c: with_bound(c, value=0.9 * c.point.bound.value),
        lambda c: with_bound(c, patterns=c.point.bound.patterns.take(np.arange(1))),
        lambda c: with_bound(c, method="enumeration", scope="global"),
    ],
)
def test_forgeries_are_rejected(forge, solved) -> None:  # type: ignore[no-untyped-def]
    problem, network, certificate = solved
    certificate.verify(problem, network)
    assert certificate.scope == "patterns"
    with pytest.raises(CertificateError):
        forge(certificate).verify(problem, network)


def with_bound(certificate: Certificate, **change: object) -> Certificate:
    point = certificate.point
    return replace(certificate, point=replace(point, bound=replace(point.bound, **change)))  # type: ignore[arg-type]


def test_patterns_are_of_the_patches() -> None:
    problem = problem_of(GatedReLU())
    program = Program(problem, sample(problem.lifted, 5, 0))
    U, R = np.random.default_rng(0).normal(size=program.shape), np.random.default_rng(1).normal(size=problem.Y.shape)
    b = np.zeros(2)
    assert np.vdot(program.adjoint(R), U) == pytest.approx(np.vdot(R, program.forward(U, b)))
    np.testing.assert_allclose(program.to_network(U, b)(problem.X), program.forward(U, b), atol=1e-10)

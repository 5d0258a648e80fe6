"""Newton on the dual: its preconditioner against dense matrices, its reach and its work on every loss it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bidual.architectures import GatedReLU
from bidual.architectures.patterns import sample
from bidual.losses import LOSSES, Loss
from bidual.operators.masked import MaskedData
from bidual.operators.pooled import PooledData
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import FixedPatterns, Status, Stop
from bidual.solvers.inner import preconditioner
from bidual.solvers.inner.active_blocks import ActiveBlocks
from bidual.solvers.inner.group_newton import group_newton
from bidual.solvers.inner.master import intercept_only
from bidual.solvers.inner.preconditioner import Leading, MeanField, moments
from bidual.testing.examples import random_targets

SMOOTH = [loss() for loss in LOSSES.values() if loss.smooth]


def gated(loss: Loss, n: int, d: int, share: float, seed: int = 0, intercept: bool = True) -> Problem:
    """Random targets, and a share of the strength from which on no neuron pays on 60 patterns."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n, d)), random_targets(loss, n, 3, rng)
    unit = Problem(X, Y, loss, GatedReLU(bias="none"), Strength(1.0), rng.uniform(0.5, 2.0, size=n), intercept)
    V = unit.dual_vector(intercept_only(unit)[1])
    most = np.linalg.norm(MaskedData(X, sample(X, 60, 0).masks).adjoint(V), axis=1).max()
    return Problem(X, Y, loss, unit.architecture, Strength(share * most), unit.weights, intercept)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(("device", "spare"), [("cpu", np.inf), ("cpu", 0.0), ("cpu:0", np.inf), ("cpu:0", 0.0)])
def test_preconditioner_inverts_where_all_masks_agree(device: str, spare: float, centred: bool) -> None:
    rng = np.random.default_rng(0)
    n, p, k, c = 12, 3, 2, 3
    X, mask = rng.normal(size=(n, p)), rng.uniform(size=(n, 1)) < 0.6
    data = MaskedData(X, np.repeat(mask, k, axis=1), device=device, spare=spare)
    h, a, r = rng.uniform(0.5, 2.0, size=(n, c)), rng.uniform(0.5, 1.0, size=k * c), rng.uniform(size=k * c)
    U, w, output = rng.normal(size=(k * c, p)), 0.7, np.tile(np.arange(c), k)
    blocks = ActiveBlocks(data, np.repeat(np.arange(k), c), output, c)
    H = np.zeros((n, c, n, c))
    for i in range(c):
        own = output == i
        E = mask * (X @ U[own].T)
        H[:, i, :, i] = np.diag(h[:, i]) + a[own].sum() * (mask * X) @ (mask * X).T + (E * r[own]) @ E.T + w
    rows = np.linalg.svd(np.eye(c) - 1.0 / c)[0][:, : c - 1] if centred else np.eye(c)
    basis = np.kron(np.eye(n), rows)
    R = basis @ rng.normal(size=basis.shape[1])
    exact = basis @ np.linalg.solve(basis.T @ H.reshape(n * c, n * c) @ basis, basis.T @ R)
    inverse = MeanField(Leading(data), blocks, h, *(v.astype(np.float32) for v in (a, r, U)), w, centred)
    assert (inverse.stored is None) is (spare == 0.0)
    np.testing.assert_allclose(inverse(R.reshape(n, c).astype(np.float32)), exact.reshape(n, c), atol=1e-5)


@pytest.mark.parametrize(("device", "spare"), [("cpu", np.inf), ("cpu", 0.0), ("cpu:0", np.inf)])
def test_leading_columns_and_the_rest_have_the_lengths_of_the_rows(
    device: str, spare: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preconditioner, "LEADING", 3)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 10)) * 0.1 ** np.arange(10)
    leading = Leading(MaskedData(X, np.ones((20, 1), dtype=bool), device=device, spare=spare))
    Z = np.asarray(leading.rows(slice(0, 20)))
    assert Z.shape == (20, 10 if spare == 0.0 else 3) and leading.count == Z.shape[1]
    np.testing.assert_allclose(np.sum(Z * Z, axis=1) + leading.rest, np.sum(X * X, axis=1), rtol=1e-5)
    np.testing.assert_allclose(Z @ Z.T, X @ X.T, atol=1e-4 * np.linalg.norm(X, 2) ** 2)


def test_features_of_one_patch_a_row_have_the_moments_of_the_rows() -> None:
    rng = np.random.default_rng(0)
    n, P, c = 20, 4, 3
    X, masks, a = rng.normal(size=(n, 5)), rng.uniform(size=(n, P)) < 0.5, rng.exponential(size=7)
    pattern, output = np.array([0, 0, 1, 1, 1, 3, 3]), np.array([0, 2, 0, 1, 2, 0, 1])
    (variance, means), (twin, mean_twins) = (
        moments(data).mean_field(ActiveBlocks(data, pattern, output, c), a)
        for data in (PooledData(X, masks, 1), MaskedData(X, masks))
    )
    np.testing.assert_allclose(variance, twin, atol=1e-12)
    for k in range(c):
        np.testing.assert_allclose(means(slice(0, n), k), mean_twins(slice(0, n), k), atol=1e-6)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("share", [0.3, 0.03])
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_reaches_a_millionth_and_says_so(loss: Loss, share: float, intercept: bool) -> None:
    problem = gated(loss, 60, 4, share, intercept=intercept)
    program = Program(problem, sample(problem.X, 60, 0))
    step = next(s for s in group_newton(program, program.blocks(), np.zeros(3)) if s.gap <= 1e-6)
    V = problem.feasible(step.V)
    dual = problem.dual(V, float(np.linalg.norm(program.data.adjoint(V), axis=1).max()))
    primal = program.objective(program.dense(step.U), step.b)
    assert dual <= primal * (1 + 1e-12)
    assert primal - dual <= 3e-6 * primal


@pytest.mark.parametrize("size", [0.9, 1.1])
def test_short_first_steps_stay(size: float) -> None:
    """From the optimum made shorter, whose blocks score more than the strength, or longer, whose blocks score less."""
    problem = gated(LOSSES["squared"](), 60, 4, 0.1, intercept=False)
    program = Program(problem, sample(problem.X, 60, 0))
    *_, optimum = group_newton(program, program.blocks(), np.zeros(3))
    start = replace(optimum.U, weight=size * optimum.U.weight)
    moved = {}
    for reach in (1e-6, np.inf):
        first = next(iter(group_newton(program, start, np.zeros(3), reach=reach)))
        moved[reach] = np.linalg.norm(program.dense(first.U) - program.dense(start)) / np.linalg.norm(start.weight)
    assert moved[1e-6] < 5e-6 < 0.05 < moved[np.inf]


@pytest.mark.parametrize("share", [1.0 + 1e-9, 5.0])
@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
def test_no_neuron_where_none_pays(loss: Loss, share: float) -> None:
    problem = gated(loss, 30, 3, share)
    solution = FixedPatterns(sample(problem.X, 60, 0)).solve(problem, Stop(1e-6))
    assert solution.status in (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS) and solution.network.n_neurons == 0


@pytest.mark.parametrize(("share", "passes"), [(0.1, 40), (0.01, 110), (0.001, 300)])
def test_a_few_passes_over_the_data_suffice(share: float, passes: int) -> None:
    """The counts of the design at (n, d, P) = (500, 10, 200), where first-order methods take thousands."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(500, 9)), np.ones(500)])
    y = np.maximum(X @ rng.normal(size=(10, 10)), 0) @ rng.normal(size=(10, 1))
    y = (y - y.mean()) / y.std() + 0.1 * rng.normal(size=(500, 1))
    patterns = sample(X, 200, 1)
    most = np.linalg.norm(MaskedData(X, patterns.masks).adjoint(y), axis=1).max()
    problem = Problem(X, y, LOSSES["squared"](), GatedReLU(bias="none"), Strength(share * most), None, False)
    program = Program(problem, patterns)
    next(s for s in group_newton(program, program.blocks(), np.zeros(1)) if s.gap <= 1e-6)
    assert program.data.flops <= passes * 4 * 500 * 10 * len(patterns)

"""Seeded small problems of every kind, with data of every awkward sort."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Architecture, GatedReLU, Linear, ReLU, no_neurons
from bidual.losses import LOSSES, Loss
from bidual.oracles import Enumerated
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.solvers.inner.master import intercept_only
from bidual.typing import Outputs, Rows

DATA = ("gauss", "gauss", "duplicates", "parallel", "zero_rows", "low_rank", "grid", "constant_column")


def small_problem(seed: int) -> Problem:
    """Problem number ``seed``: losses and kinds of data come in turn, all else is drawn."""
    rng = np.random.default_rng(seed)
    loss = list(LOSSES.values())[seed % len(LOSSES)]()
    architecture = _architecture(rng)
    wide = architecture.outputs == "shared"
    c = int(rng.integers(2, 4)) if loss.name == "multinomial" else int(rng.choice([1, 2] if wide else [1, 1, 2]))
    n, d = int(rng.integers(1, 6 if wide and c > 1 else 9)), int(rng.integers(1, 4))
    X = _rows(DATA[seed // len(LOSSES) % len(DATA)], rng, n, d)
    if architecture.gated and architecture.bias == "none":
        # In an open half-space, where the cells' patterns are those of all gates.
        X[:, 0] = np.where(X.any(axis=1), 0.5 + np.abs(X[:, 0]), 0.0)
    Y = _targets(loss, rng, n, c)
    weights = rng.uniform(0.2, 3.0, size=n) if rng.uniform() < 0.3 else np.ones(n)
    intercept = architecture.bias == "free" or bool(rng.uniform() < 0.5)
    unit = Problem(X, Y, loss, architecture, Strength(1.0), weights, intercept)
    return Problem(X, Y, loss, architecture, _penalty(unit, rng), weights, intercept)


def beta_max(problem: Problem) -> float:
    """The strength from which on the best network has no neurons (nearly so for the hinge and for shared outputs)."""
    problem = problem.smoothed(1e-2)
    nothing = no_neurons(problem.lifted.shape[1], problem.n_outputs, problem.architecture.gated)
    V = problem.dual_vector(intercept_only(problem)[1])
    return Enumerated().price(problem, V, nothing, 0.0, np.random.default_rng(0)).best_found


def _architecture(rng: np.random.Generator) -> Architecture:
    outputs = "shared" if rng.uniform() < 0.3 else "separate"
    kind = rng.choice(["relu", "relu", "relu", "leaky", "abs", "gated", "linear"])
    if kind in ("gated", "linear"):
        bias = rng.choice(["penalized", "none"])
        return GatedReLU(bias, outputs) if kind == "gated" else Linear(bias, outputs)
    slope = {"relu": 0.0, "leaky": 0.1, "abs": -1.0}[kind]
    return ReLU(slope, rng.choice(["penalized", "none", "free"]), outputs)


def _rows(kind: str, rng: np.random.Generator, n: int, d: int) -> Rows:
    X = rng.normal(size=(n, d))
    if kind == "duplicates":
        X = X[rng.integers(0, (n + 1) // 2, size=n)]
    elif kind == "parallel":
        X = X[rng.integers(0, (n + 1) // 2, size=n)] * rng.choice([-2.0, -1.0, 0.5, 1.0, 3.0], size=(n, 1))
    elif kind == "zero_rows":
        X[rng.uniform(size=n) < 0.4] = 0.0
    elif kind == "low_rank":
        X = rng.normal(size=(n, 1)) @ rng.normal(size=(1, d))
    elif kind == "grid":
        X = rng.integers(-2, 3, size=(n, d)).astype(float)
    elif kind == "constant_column":
        X[:, 0] = 1.5
    return X


def _targets(loss: Loss, rng: np.random.Generator, n: int, c: int) -> Outputs:
    if loss.targets == "one_hot":
        Y = np.eye(c)[rng.integers(c, size=n)]
    elif loss.targets == "signs":
        Y = rng.choice([-1.0, 1.0], size=(n, c))
    else:
        Y = 2.0 * rng.normal(size=(n, c))
    return np.tile(Y[:1], (n, 1)) if rng.uniform() < 0.1 else Y


def _penalty(problem: Problem, rng: np.random.Generator) -> Penalty:
    if rng.uniform() < 0.15:
        return Ball(float(rng.uniform(0.05, 2.0)))
    highest = beta_max(problem)
    return Strength(float(rng.uniform(0.02, 1.2)) * highest if highest > 1e-9 else 0.1)

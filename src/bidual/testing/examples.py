"""Random networks, targets and small problems for the checks."""

from __future__ import annotations

import numpy as np

from bidual.architectures import (
    Architecture,
    Convolutional,
    GatedReLU,
    Grouped,
    Linear,
    Neurons,
    ParallelGated,
    ParallelReLU3,
    ReLU,
    Sign,
    Tanh,
)
from bidual.gates import GateNetwork
from bidual.losses import LOSSES, Loss
from bidual.network import Network
from bidual.patches import Patches
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.typing import Gates, Outputs, Vector

SIZES = ((6, 2, 1), (6, 2, 2), (4, 3, 3), (1, 1, 2))
"""(n, d, c) of the data the checks use."""


def require(holds: bool, sentence: str) -> None:
    """Raise AssertionError with the sentence unless it holds."""
    if not holds:
        raise AssertionError(sentence)


def random_neurons(architecture: Architecture, p: int, c: int, m: int, rng: np.random.Generator) -> Neurons:
    """m Gaussian unit neurons on p lifted features and c outputs."""
    U = rng.standard_normal((p, 2, 3, m) if isinstance(architecture, ParallelReLU3) else (p, m))
    U = architecture.confined(U, rng)
    A = rng.standard_normal((c, m))
    if architecture.outputs == "separate":
        A = np.eye(c)[:, rng.integers(c, size=m)] * rng.choice([-1.0, 1.0], size=m)
    gates = random_gates(architecture, p, m, rng) if architecture.gated else None
    return Neurons(U / architecture.input_norm(U), A / architecture.output_norm(A), gates)


def random_gates(architecture: Architecture, p: int, m: int, rng: np.random.Generator) -> Gates:
    """m Gaussian directions, or m of the paths of an architecture that has such."""
    if isinstance(architecture, ParallelGated):
        paths = architecture.gates.paths()
        return paths[:, rng.integers(paths.shape[1], size=m)]
    return rng.standard_normal((p, m))


def random_network(architecture: Architecture, p: int, c: int, m: int, rng: np.random.Generator) -> Network:
    """A network of m random neurons on p lifted features, without an output intercept."""
    neurons = random_neurons(architecture, p, c, m, rng)
    return architecture.to_network(neurons, rng.exponential(size=m), np.zeros(c))


def random_targets(loss: Loss, n: int, c: int, rng: np.random.Generator) -> Outputs:
    """(n, c) targets of the kind the loss asks for."""
    if loss.targets == "real":
        return rng.normal(size=(n, c))
    if loss.targets == "signs":
        return rng.choice([-1.0, 1.0], size=(n, c))
    return np.eye(c)[rng.integers(c, size=n)]


def random_dual(V: Outputs, intercept: bool, rng: np.random.Generator) -> Outputs:
    """A Gaussian dual vector of V's shape for the squared loss, balanced if there is an intercept."""
    drawn = rng.normal(size=V.shape)
    return drawn - drawn.mean(axis=0) if intercept else drawn


def example_problems(seed: int = 0) -> list[Problem]:
    """Every loss with every architecture, and now and then a ball, weights, several outputs or no intercept; at last a
    few with filters, and in groups of features."""
    rng = np.random.default_rng(seed)
    architectures: list[Architecture] = [
        ReLU(),
        GatedReLU(),
        ReLU(slope=0.1, bias="none"),
        Linear(outputs="shared"),
        ReLU(bias="free"),
        GatedReLU(bias="none", outputs="shared"),
        ReLU(slope=-1.0),
        Sign(),
        Tanh(),
        ParallelGated(GateNetwork.sample(np.ones((1, 2)), 8, (2,), seed)),
    ]
    losses, problems = [loss_type() for loss_type in LOSSES.values()], []
    cases = [(i, architecture, loss) for loss in losses for i, architecture in enumerate(architectures)]
    cases += [(i, ParallelReLU3(), loss) for i, loss in enumerate(losses)]
    for i, architecture, loss in cases:
        c = 2 if loss.targets == "one_hot" or architecture.outputs == "shared" else 1
        n, d = 6, 2
        penalty: Penalty = Ball(0.7) if i == 2 else Strength(0.3)
        weights: Vector = rng.uniform(0.5, 2.0, size=n) if i % 2 else np.ones(n)
        intercept = architecture.bias == "free" or i % 3 == 0
        X, Y = rng.normal(size=(n, d)), random_targets(loss, n, c, rng)
        if architecture.gated and architecture.bias == "none":
            X[:, 0] = 0.5 + np.abs(X[:, 0])  # in an open half-space, where the cells are all patterns
        problems.append(Problem(X, Y, loss, architecture, penalty, weights, intercept))
    return problems + _with_filters(rng) + _in_groups(rng)


def _in_groups(rng: np.random.Generator) -> list[Problem]:
    """Three features, in pairs and alone."""
    problems = []
    for name, inner, groups in (
        ("squared", ReLU(), ((0, 1), (0, 2), (1, 2))),
        ("logistic", ReLU(0.1, "none"), ((0,), (1, 2))),
        ("multinomial", ReLU(), ((0,), (1,), (2,))),
    ):
        loss = LOSSES[name]()
        Y, X = random_targets(loss, 6, 2 if name == "multinomial" else 1, rng), rng.normal(size=(6, 3))
        problems.append(Problem(X, Y, loss, Grouped(inner, groups), Strength(0.3)))
    return problems


def _with_filters(rng: np.random.Generator) -> list[Problem]:
    """Images of 2 x 2 pixels, in patches of 1 x 2."""
    problems = []
    for name, inner, pooling in (("squared", ReLU(), "mean"), ("multinomial", GatedReLU(outputs="shared"), "sum")):
        loss = LOSSES[name]()
        Y, X = random_targets(loss, 5, 2, rng), rng.normal(size=(5, 4))
        architecture = Convolutional(inner, Patches((2, 2), (1, 2), pooling=pooling))
        problems.append(Problem(X, Y, loss, architecture, Strength(0.3)))
    return problems

"""Every registered architecture, and random networks of each: drawn weight by weight, not by its own maps."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import (
    ARCHITECTURES,
    Architecture,
    Bounded,
    GatedReLU,
    Linear,
    ParallelGated,
    ParallelReLU3,
    PiecewiseLinear,
    ReLU,
    Sign,
    Tanh,
)
from bidual.gates import GateNetwork
from bidual.network import Layer, Network

CASES: list[Architecture] = [
    *(ReLU(slope, bias, outputs) for slope in (0.0, 0.1, -1.0) for bias in ("penalized", "none", "free")
      for outputs in ("separate", "shared")),
    *(kind(bias, outputs) for kind in (GatedReLU, Linear, Sign, Tanh) for bias in ("penalized", "none")
      for outputs in ("separate", "shared")),
    ParallelGated(GateNetwork.sample(np.eye(2), 3, (2,))),
    ParallelGated(GateNetwork.sample(np.eye(3), 2, (2, 3), 1, bias=False), "none", "shared"),
    *(ParallelReLU3(bias) for bias in ("penalized", "none")),
]  # fmt: skip

every_architecture = pytest.mark.parametrize("architecture", CASES, ids=repr)

PIECEWISE = [case for case in CASES if isinstance(case, PiecewiseLinear)]
every_piecewise = pytest.mark.parametrize("architecture", PIECEWISE, ids=repr)

assert {type(case) for case in CASES} == set(ARCHITECTURES.values()), "a registered architecture has no case"

WORDS = {ReLU: "relu", Linear: "linear", Sign: "sign", Tanh: "tanh"}
DATA = ("gauss", "duplicates", "parallel", "zero_rows", "low_rank", "grid", "constant_column")


def random_rows(rng: np.random.Generator, n: int, d: int, kind: str = "gauss") -> np.ndarray:
    """(n, d): rows in general position, or in one of the ways they can fail to be."""
    X = rng.normal(size=(n, d))
    if kind == "duplicates":
        X = X[rng.integers(0, (n + 1) // 2, size=n)]
    elif kind == "parallel":
        X = X[rng.integers(0, (n + 1) // 2, size=n)] * rng.choice([-2.0, -1.0, 0.5, 3.0], size=(n, 1))
    elif kind == "zero_rows":
        X[rng.uniform(size=n) < 0.4] = 0.0
    elif kind == "low_rank":
        X = rng.normal(size=(n, 1)) @ rng.normal(size=(1, d))
    elif kind == "grid":
        X = rng.integers(-1, 2, size=(n, d)).astype(float)
    elif kind == "constant_column":
        X[:, 0] = 1.5
    return X


def random_network(
    architecture: Architecture, rng: np.random.Generator, d: int, c: int, m: int, intercept: bool
) -> Network:
    """m hidden units, some without weight, some with gates at 0 or on an axis; each feeds all outputs or some."""
    biased = architecture.bias != "none"
    W, A = rng.normal(size=(d, m)), rng.normal(size=(m, c))
    b = rng.normal(size=m) if biased else np.zeros(m)
    A[rng.uniform(size=A.shape) < 0.3] = 0.0
    if isinstance(architecture, ParallelReLU3):
        return random_branches(rng, d, A, biased, intercept)
    last = Layer(A, rng.normal(size=c) if intercept else np.zeros(c))
    if isinstance(architecture, ParallelGated):
        paths = architecture.gates.paths()[:, rng.integers(architecture.gates.n_paths, size=m)]
        return Network((Layer(W, b, "gated", gates=architecture.gates, paths=paths), last))
    if not architecture.gated:
        slope = architecture.slope or 0.0
        return Network((Layer(W, b, WORDS[type(architecture)], slope), last))
    G = rng.normal(size=(d, m)) * rng.choice([0.0, 1.0], size=(d, m))
    g = rng.normal(size=m) * rng.choice([0.0, 1.0], size=m) if biased else np.zeros(m)
    return Network((Layer(W, b, "gated", gate=G, gate_bias=g), last))


def random_branches(rng: np.random.Generator, d: int, A: np.ndarray, biased: bool, intercept: bool) -> Network:
    """A branch of three layers for each row of A (m, c), some of their units without weight; at least one branch."""
    A = A if len(A) else np.zeros((1, A.shape[1]))
    (m, c), h = A.shape, int(rng.integers(0, 4))
    w = rng.normal(size=(m, h, 1)) * rng.choice([0.0, 1.0], size=(m, h, 1))
    first = Layer(rng.normal(size=(m, d, h)), rng.normal(size=(m, h)) if biased else np.zeros((m, h)), "relu")
    b = rng.normal(size=(m, c)) if intercept else np.zeros((m, c))
    return Network((first, Layer(w, np.zeros((m, 1)), "relu"), Layer(A[:, None], b)))


def slow_size(architecture: Architecture, network: Network) -> float:
    """Neuron by neuron: the norm of the weights in, times the norm of the weights out."""
    if isinstance(architecture, ParallelReLU3):
        W, w, A = (layer.weight for layer in network.layers)
        W = np.concatenate([W, network.layers[0].bias[:, None]], axis=1)
        each = (np.linalg.norm(W, axis=1) * np.abs(w[:, :, 0])).sum(axis=1)
        return float(each @ np.abs(A[:, 0]).sum(axis=1))
    hidden, last = network.layers
    total = 0.0
    for w, b, a in zip(hidden.weight.T, hidden.bias, last.weight, strict=True):
        inputs = np.append(w, b) if architecture.bias == "penalized" else w
        length = 1.0 if isinstance(architecture, Bounded) else np.linalg.norm(inputs)
        total += length * (np.abs(a).sum() if architecture.outputs == "separate" else np.linalg.norm(a))
    return float(total)


def balanced(V: np.ndarray) -> np.ndarray:
    """What an intercept asks of a dual vector."""
    return V - V.mean(axis=0)

"""Problems whose optimal network, dual vector and value are chosen first; the targets follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidual.architectures import Architecture, Neurons, ReLU
from bidual.errors import InvalidParameterError
from bidual.losses import Squared
from bidual.network import Network
from bidual.penalties import Ball, Penalty, Strength
from bidual.problem import Problem
from bidual.typing import Outputs, Rows


@dataclass(frozen=True)
class Planted:
    """A problem with an optimal network, its optimal dual vector V (n, c), and the optimal value of the objective."""

    problem: Problem
    network: Network
    V: Outputs
    value: float


def planted(
    architecture: Architecture,
    n_orbits: int = 3,
    d: int = 2,
    c: int = 1,
    beta: float = 0.5,
    intercept: bool = True,
    ball: bool = False,
    seed: int = 0,
) -> Planted:
    """A squared loss problem with ``d`` tight neurons for each output, on ``n = n_orbits * d`` rows.

    The rows are all cyclic shifts of ``n_orbits`` Gaussian rows, and V and the weights are the same on all shifts of a
    row. Then a shift of the inputs leaves the score of a neuron as it is, so all shifts of a best neuron are best. V is
    scaled until their score is ``beta``; with any amplitudes t and intercept b, ``Y = f(X) + V / s`` makes V the dual
    vector of f, and primal and dual meet at ``1/2 sum V^2 / s + beta sum t``.

    The best neuron comes from the list of all cells. Refuses ReLU units with several shared outputs, whose best
    neuron is not computable.
    """
    if isinstance(architecture, ReLU) and architecture.outputs == "shared" and c > 1:
        raise InvalidParameterError(f"outputs='shared' with c={c} has no computable best ReLU neuron; use c=1")
    rng = np.random.default_rng(seed)
    shifts = [np.roll(np.eye(d), k, axis=0) for k in range(d)]
    rows = rng.standard_normal((n_orbits, d))
    X = np.vstack([rows @ P.T for P in shifts])
    s = np.tile(rng.uniform(0.5, 2.0, size=n_orbits), d)
    V = rng.standard_normal((n_orbits, c))
    V = np.tile(V - V.mean(axis=0) if intercept or architecture.bias == "free" else V, (d, 1))
    Xl = architecture.lift(X)
    prices = architecture.on_patterns(Xl, architecture.all_patterns(Xl), V, 0.0)
    best, scale = [], np.full(c, beta)
    for k in range(c if architecture.outputs == "separate" else 1):
        own = np.abs(prices.neurons.outputs[k]) > 0 if architecture.outputs == "separate" else prices.scores > 0
        j = int(np.argmax(np.where(own, prices.scores, -np.inf)))
        best.append(j)
        scale[slice(k, k + 1) if architecture.outputs == "separate" else slice(None)] /= prices.scores[j]
    V = V * scale
    chosen = prices.neurons.take(np.array(best))
    neurons = _shifted(chosen, shifts[0], Xl.shape[1])
    for P in shifts[1:]:
        neurons = neurons.join(_shifted(chosen, P, Xl.shape[1]))
    t = rng.uniform(0.5, 1.5, size=len(neurons))
    b = rng.standard_normal(c) if intercept else np.zeros(c)
    network = architecture.to_network(neurons, t, b)
    penalty: Penalty = Ball(float(t.sum())) if ball else Strength(beta)
    problem = Problem(X, network(X) + V / s[:, None], Squared(), architecture, penalty, s, intercept)
    fit = 0.5 * float(np.sum(V**2 / s[:, None]))
    return Planted(problem, network, V, fit if ball else fit + beta * float(t.sum()))


def _shifted(neurons: Neurons, P: Rows, p: int) -> Neurons:
    """The neurons with their features permuted by P (d, d), a bias staying last."""
    full = np.eye(p)
    full[: P.shape[0], : P.shape[0]] = P
    return Neurons(full @ neurons.inputs, neurons.outputs, None if neurons.gates is None else full @ neurons.gates)


def planted_orthonormal(n: int = 4, d: int = 5, beta: float = 0.5, seed: int = 0) -> Planted:
    """A ReLU problem on orthonormal rows, whose two neurons need no search: n rows, d >= n features, no biases.

    ``v'(Xu)_+ <= ||v_+|| ||Xu|| <= ||v_+||`` for a unit u, with equality at ``u = X'v_+ / ||v_+||``; so with
    ``||v_+|| = ||v_-|| = beta`` both signs are tight, and ``y = t_1 v_+/beta - t_2 v_-/beta + v``.
    """
    if not 2 <= n <= d:
        raise InvalidParameterError(f"n={n} orthonormal rows need 2 <= n <= d={d}")
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.standard_normal((d, n)))[0].T
    v = np.abs(rng.standard_normal(n)) * np.where(np.arange(n) % 2, -1.0, 1.0)
    up, down = np.maximum(v, 0.0), np.maximum(-v, 0.0)
    up, down = up / np.linalg.norm(up), down / np.linalg.norm(down)
    t, V = rng.uniform(0.5, 1.5, size=2), (beta * (up - down))[:, None]
    architecture = ReLU(bias="none")
    network = architecture.to_network(
        Neurons(X.T @ np.column_stack([up, down]), np.array([[1.0, -1.0]])), t, np.zeros(1)
    )
    Y = (t[0] * up - t[1] * down)[:, None] + V
    problem = Problem(X, Y, Squared(), architecture, Strength(beta), intercept=False)
    return Planted(problem, network, V, beta**2 + beta * float(t.sum()))

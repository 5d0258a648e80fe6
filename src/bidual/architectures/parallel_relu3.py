"""Parallel ReLU networks of three layers, each with one output (Ergen & Pilanci 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures import bounds
from bidual.architectures.arrangement import MARGIN, check_count, enumerate_cells
from bidual.architectures.base import Architecture, Bias, OutputNorm, PatternPrices, Witness
from bidual.architectures.branches import Branches, tree_bound
from bidual.architectures.neurons import Neurons, as_networks, no_neurons
from bidual.architectures.patterns import Patterns, compatible, sample
from bidual.architectures.second_layer import Candidates, leaf_bounds, witnessed_bound
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Layer, Network
from bidual.operators.rectifier_ball import RectifierBall
from bidual.typing import Matrix, Outputs, Rows, Vector

MOST_ROWS = 16
"""Rows whose second-layer patterns, all subsets of them, can be listed."""

DRAWN = 10
"""First-layer units of each random network whose second-layer pattern is drawn."""

NEGLIGIBLE = 1e-9
"""First-layer units of at most this share of a sub-network's size are left out: rounding of the conic solver."""


@final
@dataclass(frozen=True)
class ParallelReLU3(Architecture):
    """Sums of K sub-networks ``((x'W_k)_+ w_k)_+ a_k`` of size ``sum_j |W_kj| |w_kj| |a_k|``, any K and any widths.

    ``beta * size`` is the least penalty ``beta/2 sum_k (|w_k|^2 + |a_k|^2)`` with ``|W_k|_F <= 1`` of any network with
    the same functions, and the least ``beta/3 sum_k (|W_k|_F^3 + |w_k|^3 + |a_k|^3)``; weight decay of all three layers
    is another problem. A neuron is a whole sub-network with ``sum_j |W_j| |w_j| = |a| = 1``; its pattern is that of its
    second layer, any subset of the rows, and has no gate. Where z is its second layer before the activation, ``z =
    sum_j s_j (X u_j)_+``, the unit ball of all z is that of two-layer networks, so a score of it is a bound of all
    sub-networks on a second-layer pattern D if it is one of ``D v`` plus nonnegative multiples of ``+-z_i`` (duality).

    bias : of the first layer, ``"penalized"`` or ``"none"``. outputs : only ``"separate"``.
    width : at most so many first-layer units in a sub-network: 1 (the class of ReLU), 2, or any number (None).
    first, seed : the first-layer patterns that go with a list of second-layer patterns: those of ``first`` Gaussian
    gates drawn with ``seed``, or all (None). Global bounds are of all.
    """

    bias: Bias = "penalized"
    outputs: OutputNorm = "separate"
    width: int | None = None
    first: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.bias == "free":
            raise InvalidParameterError(
                "bias='free' has no finite score bound for sub-networks; use 'penalized', or 'none' with an intercept"
            )
        if self.outputs == "shared":
            raise InvalidParameterError(
                "outputs='shared' has no computable best sub-network; use outputs='separate' (one output for each)"
            )
        if self.width not in (None, 1, 2):
            raise InvalidParameterError(
                f"width must be 1, 2, or None for any number of first-layer units, got {self.width!r}: more units have "
                "too many joint patterns"
            )
        if self.first is not None and self.first < 1:
            raise InvalidParameterError(f"first must be at least 1, or None for all patterns, got {self.first!r}")

    def input_norm(self, U: Matrix) -> Vector:
        return np.linalg.norm(as_networks(U), axis=0).sum(axis=(0, 1))

    def split(self, amplitudes: Vector) -> tuple[Vector, Vector]:
        """The second and the third layer carry ``sqrt(t_j)``, the first has Frobenius norm 1."""
        root = np.sqrt(amplitudes)
        return root, root

    def before(self, Xl: Rows, neurons: Neurons) -> Matrix:
        """(n, m): what the second layers' activations are applied to."""
        H = np.maximum(np.einsum("np,pshm->nshm", Xl, as_networks(neurons.inputs)), 0.0).sum(axis=2)
        return H[:, 0] - H[:, 1]

    def activations(self, Xl: Rows, neurons: Neurons) -> Matrix:
        return np.maximum(self.before(Xl, neurons), 0.0)

    def patterns(self, Xl: Rows, neurons: Neurons) -> Patterns:
        return second_patterns(self.before(Xl, neurons) > 0.0, Xl.shape[1])

    def all_patterns(self, Xl: Rows) -> Patterns:
        """Every subset of the rows, attained or not."""
        n = Xl.shape[0]
        if n > MOST_ROWS:
            raise RefusedError(f"{n} rows have 2^{n} subsets, too many second-layer patterns to list; list some")
        return second_patterns((np.arange(2**n) >> np.arange(n)[:, None]) & 1 == 1, Xl.shape[1])

    def most_patterns(self, n: int, r: int) -> int:
        return 2**n

    def lies_on(self, Xl: Rows, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
        """(m, P): which sub-networks have which second-layer pattern, and their first-layer units listed ones, up to
        rounding at the hyperplanes."""
        units = as_networks(neurons.inputs)
        sizes = np.abs(Xl) @ np.abs(units).sum(axis=(1, 2))
        on = compatible(self.before(Xl, neurons) / np.maximum(sizes, 1e-300), patterns, MARGIN)
        if self.first is not None:
            flat = units.reshape(units.shape[0], 2 * units.shape[2] * units.shape[3])
            Z = Xl @ flat / np.maximum(np.abs(Xl) @ np.abs(flat), 1e-300)
            known = np.any(compatible(Z, self.first_patterns(Xl), MARGIN), axis=1).reshape(-1, units.shape[3])
            on &= np.all(known, axis=0)[:, None]
        return on

    def allowed(self, Xl: Rows, neurons: Neurons) -> NDArray[np.bool_]:
        """(m, 2, P): by sign and first-layer pattern, the units of a sub-network that may change within its width: all,
        or one in place of each that it has."""
        first, units = self.first_patterns(Xl), as_networks(neurons.inputs)
        if self.width is None:
            return np.ones((len(neurons), 2, len(first)), dtype=bool)
        places, found = (
            np.nonzero(np.any(units, axis=0).transpose(2, 0, 1)),
            np.zeros((len(neurons), 2, len(first)), bool),
        )
        for j, s, h in zip(*places, strict=True):
            u = units[:, s, h, j]
            Z = Xl @ u / np.maximum(np.abs(Xl) @ np.abs(u), 1e-300)
            found[j, s, np.argmax(compatible(Z[:, None], first, 1e3 * MARGIN)[0])] = True
        return found

    def first_patterns(self, Xl: Rows) -> Patterns:
        """The first-layer patterns that go with a list of second-layer patterns; RefusedError where double precision
        cannot tell all."""
        return sample(Xl, self.first, self.seed) if self.first is not None else all_cells(Xl)

    def sample(self, Xl: Rows, n_patterns: int, seed: int, antithetic: bool = False) -> Patterns:
        """At most ``n_patterns`` distinct second-layer patterns: that of all rows, with which two-layer networks are in
        the class, and nonempty ones of random networks, each of ``DRAWN`` first-layer units out of those whose patterns
        go with a list, with Gaussian output weights: opposite ones in pairs if ``antithetic``."""
        units, rng = self.first_patterns(Xl).gates, np.random.default_rng([seed, 2])
        drawn = -(-n_patterns // 2) if antithetic else n_patterns
        chosen = units[:, rng.integers(units.shape[1], size=(drawn, DRAWN))]
        H = np.maximum(np.einsum("nq,qph->nph", Xl, chosen), 0.0)
        Z = np.einsum("nph,ph->np", H, rng.standard_normal((drawn, DRAWN)))
        Z = np.hstack([Z, -Z])[:, :n_patterns] if antithetic else Z
        masks = np.column_stack([np.ones(len(Xl), dtype=bool), Z > 0.0])[:, :n_patterns]
        return second_patterns(masks, Xl.shape[1]).nonempty().distinct()

    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        return max(bounds.nonnegative(Xl, v) for v in V.T)

    def branched_bound(self, Xl: Rows, V: Outputs, branches: Branches, cells: Patterns | None = None) -> float:
        if cells is None:
            return np.inf
        ball = RectifierBall(Xl, cells.masks)
        return tree_bound(V, branches, lambda v, touch, sides: leaf_bounds(ball, v, touch, sides, 0.0, self.width))

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        """The best sub-networks; only those that may be best of all are looked for."""
        candidates = Candidates.of(self.ball(Xl), patterns.masks, V, floor)
        candidates.settle(floor)
        neurons, scores = self.ranked(Xl, V, candidates.found)
        return PatternPrices(neurons, scores, float(candidates.bounds.max(initial=0.0)), candidates.witness())

    def bound_by_witness(self, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        """``max over patterns, outputs and signs of the two-layer bound of +-D v + S mu``, ``S = 2 D - 1``."""
        return witnessed_bound(self.ball(Xl), patterns.masks, V, witness)

    def ball(self, Xl: Rows) -> RectifierBall:
        """The unit ball of the second layers' arguments z, on the first-layer patterns that go with a list."""
        return _ball(Xl.tobytes(), Xl.shape, self)

    def ranked(self, Xl: Rows, V: Outputs, found: list[tuple[Matrix, int, int]]) -> tuple[Neurons, Vector]:
        """(neurons, scores): a sub-network of size 1 for each of the units (2, P, p), outputs and signs, best first.
        Those that are too wide are left out."""
        neurons = no_neurons(Xl.shape[1], V.shape[1])
        for units, k, sign in found:
            neuron = sub_network(units, sign * np.eye(V.shape[1])[k])
            if neuron is not None and not self._too_wide(neuron.inputs).any():
                neurons = neurons.join(neuron)
        scores = np.einsum("nm,nm->m", V @ neurons.outputs, self.activations(Xl, neurons))
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > 0]
        return neurons.take(order), scores[order]

    def _too_wide(self, inputs: Matrix) -> NDArray[np.bool_]:
        """(m,): which sub-networks have more units than the class allows."""
        units = np.any(as_networks(inputs), axis=0).sum(axis=(0, 1))
        return np.zeros(units.shape, dtype=bool) if self.width is None else units > self.width

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return Layer(weight, bias, "relu")

    def to_network(self, neurons: Neurons, amplitudes: Vector, intercept: Vector) -> Network:
        """One branch for each sub-network (one without units if there are none); the first has the intercept."""
        m, c = len(neurons), neurons.outputs.shape[0]
        U = as_networks(neurons.inputs)
        U = U.reshape(U.shape[0], 2 * U.shape[2], m)
        sizes = np.linalg.norm(U, axis=0)
        sign = np.repeat([1.0, -1.0], U.shape[1] // 2)
        order = np.argsort(-sizes, axis=0, kind="stable")[: np.count_nonzero(sizes, axis=0).max(initial=0)]
        root = np.sqrt(np.take_along_axis(sizes, order, axis=0))
        W = np.take_along_axis(U, order[None], axis=1) / np.where(root > 0, root, 1.0)
        second, third = self.split(amplitudes)
        w, a = root * sign[order] * second, neurons.outputs * third
        if m == 0:
            W, w, a = np.zeros((U.shape[0], 0, 1)), np.zeros((0, 1)), np.zeros((c, 1))
        K = a.shape[1]
        W = W.transpose(2, 0, 1)
        weight, bias = (W, np.zeros((K, W.shape[2]))) if self.bias == "none" else (W[:, :-1], W[:, -1])
        last = np.zeros((K, c))
        last[0] = intercept
        middle = Layer(w.T[:, :, None], np.zeros((K, 1)), "relu")
        return Network((self.layer(weight, bias, neurons), middle, Layer(a.T[:, None, :], last)))

    def from_network(self, network: Network) -> tuple[Neurons, Vector]:
        """(neurons, amplitudes): the inverse of :meth:`to_network`. A sub-network that feeds several outputs becomes
        one neuron for each. Those of zero size are left out."""
        first, second, last = network.layers
        W = first.weight if self.bias == "none" else np.concatenate([first.weight, first.bias[:, None]], axis=1)
        w, A = second.weight[:, :, 0], last.weight[:, 0]
        U = np.stack([np.maximum(w, 0.0)[:, None] * W, np.maximum(-w, 0.0)[:, None] * W]).transpose(2, 0, 3, 1)
        branch, output = np.nonzero(A)
        U, A = U[..., branch], A[branch, output] * np.eye(A.shape[1])[:, output]
        u, a = self.input_norm(U), self.output_norm(A)
        keep = u * a > 0
        U, A, u, a = U[..., keep], A[:, keep], u[keep], a[keep]
        return Neurons(U / u, A / a), u * a

    def refusal(self, network: Network, d: int, c: int, intercept: bool) -> str | None:
        if len(network.layers) != 3 or network.n_branches is None:
            return f"ParallelReLU3 networks have three layers with branches, this one is {network!r}"
        first, second, last = network.layers
        if (network.n_inputs, network.n_outputs) != (d, c):
            return f"the network maps {network.n_inputs} features to {network.n_outputs} outputs, the data {d} to {c}"
        units = [(layer.activation, layer.slope) for layer in network.layers]
        if units != [("relu", 0.0), ("relu", 0.0), ("linear", 0.0)] or second.weight.shape[2] != 1:
            return f"the branches have units {first!r}, {second!r} and {last!r}; they need relu, one relu and linear"
        if second.bias.any() or (self.bias == "none" and first.bias.any()):
            return "the branches have biases that the class lacks: only the first layer may, with bias='penalized'"
        if self._too_wide(self.from_network(network)[0].inputs).any():
            return f"the network has more than width={self.width} first-layer units in a branch; use width=None"
        if not intercept and last.bias.any():
            return "the network has an output intercept, the problem none; set intercept=True"
        return None


def second_patterns(masks: NDArray[np.bool_], p: int) -> Patterns:
    """Second-layer patterns (n, P) of networks on p lifted features: they have no gates."""
    return Patterns(masks, np.zeros((p, masks.shape[1])))


def sub_network(units: Matrix, output: Vector) -> Neurons | None:
    """One neuron of size 1 from first-layer units (2, P, p), the negligible ones left out; None if all are 0."""
    sizes = np.linalg.norm(units, axis=2)
    kept = sizes > NEGLIGIBLE * sizes.sum()
    inputs = np.zeros((units.shape[2], 2, int(kept.sum(axis=1).max(initial=0)), 1))
    for s in (0, 1):
        inputs[:, s, : kept[s].sum(), 0] = units[s, kept[s]].T
    return Neurons(inputs / sizes[kept].sum(), output[:, None]) if kept.any() else None


def all_cells(Xl: Rows) -> Patterns:
    """Every first-layer pattern, remembered for the last few data sets; RefusedError where double precision cannot tell
    them."""
    return _all_cells(Xl.tobytes(), Xl.shape)


@lru_cache(maxsize=8)
def _all_cells(data: bytes, shape: tuple[int, int]) -> Patterns:
    X = np.frombuffer(data).reshape(shape)
    patterns = enumerate_cells(X)
    check_count(X, patterns)
    return patterns


@lru_cache(maxsize=8)
def _ball(data: bytes, shape: tuple[int, int], architecture: ParallelReLU3) -> RectifierBall:
    X = np.frombuffer(data).reshape(shape)
    return RectifierBall(X, architecture.first_patterns(X).masks)

"""What a network class must know of itself: its neurons, their best scores, and its map to a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.branches import Branches
from bidual.architectures.neurons import Neurons, no_neurons
from bidual.architectures.patterns import Patterns, sample
from bidual.network import Layer, Network
from bidual.operators.bits import Bits
from bidual.operators.cone import Projections
from bidual.operators.masked import MaskedData
from bidual.operators.pooled import Products
from bidual.patches import Patches
from bidual.typing import Gates, Masks, Matrix, Outputs, Places, Rows, Vector

Bias = Literal["penalized", "free", "none"]
OutputNorm = Literal["separate", "shared"]


@dataclass(frozen=True)
class Witness:
    """Multipliers mu >= 0 that prove a neuron bound on cones: block b holds ``rows[start[b]:start[b+1]]``.

    blocks : (B, 3) int, the pattern, the output and the sign (+1, -1) each block is about; values : mu.
    """

    blocks: NDArray[np.int64]
    start: NDArray[np.int64]
    rows: NDArray[np.int64]
    values: Vector

    @classmethod
    def of(
        cls, pattern: NDArray[np.intp], output: NDArray[np.intp], sign: Vector, found: Projections, scale: float = 1.0
    ) -> Witness:
        """The multipliers of projections, times ``scale``; group g is about the pattern, output and sign at place g."""
        used = found.rows >= 0
        return cls(
            np.column_stack([pattern, output, sign]).astype(np.int64),
            np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int64),
            found.rows[used].astype(np.int64),
            scale * found.multipliers[used],
        )

    def about(self, which: Places) -> Witness:
        """The blocks about the patterns in these places, which are numbered in their order."""
        place = {int(j): k for k, j in enumerate(which)}
        kept = np.flatnonzero(np.isin(self.blocks[:, 0], which))
        parts = [np.arange(self.start[k], self.start[k + 1]) for k in kept]
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *parts])
        start = np.concatenate([[0], np.cumsum([part.size for part in parts], dtype=np.int64)])
        numbers = np.array([place[int(j)] for j in self.blocks[kept, 0]], dtype=np.int64)
        return Witness(np.column_stack([numbers, self.blocks[kept, 1:]]), start, self.rows[rows], self.values[rows])

    def renamed(self, which: Places) -> Witness:
        """The same multipliers, the pattern in place k called ``which[k]``."""
        blocks = np.column_stack([np.asarray(which, dtype=np.int64)[self.blocks[:, 0]], self.blocks[:, 1:]])
        return Witness(blocks, self.start, self.rows, self.values)

    def join(self, other: Witness, shift: int) -> Witness:
        """These blocks followed by the others, whose patterns are counted from ``shift``."""
        return Witness(
            np.concatenate([self.blocks, other.blocks + np.array([shift, 0, 0])]),
            np.concatenate([self.start, other.start[1:] + self.start[-1]]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.values, other.values]),
        )


@dataclass(frozen=True)
class PatternPrices:
    """The best neurons on listed patterns, best first, and a proven bound over all neurons on those patterns."""

    neurons: Neurons
    scores: Vector
    bound: float
    witness: Witness | None = None


class Architecture(ABC):
    """A class of networks ``f(x) = sum_j t_j activation_j(x) a_j + intercept``, t_j >= 0.

    A unit neuron has input weights u and output weights a with ``|u| |a| = 1``; the size of a network is
    ``sum_j t_j``. Most have two layers: :class:`~bidual.architectures.pieces.PiecewiseLinear`, where ``beta * size`` is
    the least weight decay of any network with the same neurons, and :class:`~bidual.architectures.bounded.Bounded`,
    where ``|u|`` is 1 for every u. A neuron of :class:`~bidual.architectures.parallel_relu3.ParallelReLU3` is a network
    of two layers itself, and u are all its weights.

    bias : ``"penalized"`` (a column of ones, its weight inside ``|u|``), ``"free"`` (outside ``|u|``) or ``"none"``.
    outputs : ``"separate"`` (``|a|`` is the 1-norm: each neuron feeds one output) or ``"shared"`` (the 2-norm).

    faces : True if units on hyperplanes of the data can have patterns of their own, which no cell has.
    n_features : d, where the class is of networks on so many features; None where it is of any number.
    slope : that of units with a kink, below it; else None. patches : those of each row that a unit sees, or None.

    The score of a neuron against a dual vector V (n, c) is ``|<V, activation a'>|``.
    """

    bias: Bias
    outputs: OutputNorm
    gated: bool = False
    faces: bool = False
    slope: float | None = None
    patches: Patches | None = None

    @property
    def n_features(self) -> int | None:
        return None

    def lift(self, X: Rows) -> Rows:
        """(n, p): X with the bias column appended, if there is one."""
        return X if self.bias == "none" else np.column_stack([X, np.ones(X.shape[0])])

    @property
    def units(self) -> Architecture:
        """The architecture of the units on lifted rows, whatever becomes of what they give."""
        return self

    def fan_in(self, d: int) -> int:
        """The input weights of a unit, besides its bias, on rows of d features."""
        return d

    def support(self, U: Matrix) -> Masks:
        """As U: which input weights of each neuron may differ from 0 as it moves on."""
        return np.ones(U.shape, dtype=bool)

    def confined(self, U: Matrix, rng: np.random.Generator) -> Matrix:
        """As U: drawn input weights, made those of neurons of the class."""
        return U

    def masked(self, Xl: Rows, masks: Masks | Bits, device: str = "cpu", spare: float = inf) -> Products:
        """The matrix of the program over the patterns of these masks."""
        return MaskedData(Xl, masks, self.slope or 0.0, device, spare)

    @abstractmethod
    def input_norm(self, U: Matrix) -> Vector:
        """(m,): the norms ``|u|`` of the inputs U of m neurons."""

    def output_norm(self, A: Matrix) -> Vector:
        """(m,): the norms of the columns of A (c, m)."""
        return np.abs(A).sum(axis=0) if self.outputs == "separate" else np.linalg.norm(A, axis=0)

    @abstractmethod
    def activations(self, Xl: Rows, neurons: Neurons) -> Matrix:
        """(n, m): the outputs of the hidden units at the lifted rows."""

    @abstractmethod
    def all_patterns(self, Xl: Rows) -> Patterns:
        """Every activation pattern of a full-dimensional cell."""

    @abstractmethod
    def most_patterns(self, n: int, r: int) -> int:
        """An upper bound of how many patterns n rows of rank r have."""

    def sample(self, Xl: Rows, n_patterns: int, seed: int, antithetic: bool = False) -> Patterns:
        """Some patterns: see :func:`~bidual.architectures.patterns.sample`."""
        return sample(Xl, n_patterns, seed, antithetic)

    @abstractmethod
    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        """The best neuron on each pattern (and output and sign); those that provably score at most ``floor`` may be
        left out."""

    @abstractmethod
    def bound_by_witness(self, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        """The bound over every neuron on the listed patterns that the witness proves."""

    @abstractmethod
    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        """A closed-form bound over every neuron of the class; inf where none holds."""

    def semidefinite_bound(self, Xl: Rows, V: Outputs, touch: Matrix) -> float:
        """The bound over every neuron that the enclosures ``touch`` (c, 2, n) prove, for each output and sign; inf
        where the class has none."""
        return np.inf

    def branched_bound(self, Xl: Rows, V: Outputs, branches: Branches, cells: Patterns | None = None) -> float:
        """The bound over every neuron that the leaves prove, some with the list of all ``cells`` of the data; inf where
        the class has none, or where they leave out a choice of sides."""
        return np.inf

    def box_bound(self, Xl: Rows, V: Outputs, value: float, limit: int) -> float:
        """A bound of at most ``value`` over every neuron by a search over directions; inf where the class has none, or
        where it takes ``limit`` boxes (:class:`~bidual.architectures.boxes.BoxSearch`) or more."""
        return np.inf

    def sweep_bound(self, Xl: Rows, V: Outputs, limit: float = np.inf) -> float:
        """The bound over every neuron by sweeps through the data's arrangement; inf where the class has none, or where
        it takes more than ``limit`` work (:func:`~bidual.architectures.sweep.sweep_work`)."""
        return np.inf

    @abstractmethod
    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        """The hidden layer with the given weight (d, m) and bias (m,)."""

    def patterns(self, Xl: Rows, neurons: Neurons) -> Patterns:
        """The activation patterns of the given neurons."""
        if neurons.gates is None:
            return Patterns(Bits.nonnegative(Xl, neurons.inputs), neurons.inputs)
        gates, place = np.unique(neurons.gates, axis=1, return_inverse=True)  # many neurons may share one
        return Patterns(Bits.nonnegative(Xl, gates), gates).take(place)

    def has_gates(self, gates: Gates, p: int) -> bool:
        """True if these can be gates, or hyperplanes, of neurons on p lifted features."""
        return gates.ndim == 2 and gates.shape[0] == p and gates.dtype.kind == "f"

    def gates_of(self, hidden: Layer) -> Gates | None:
        """What opens the units of a hidden layer, neuron by neuron; None where they open themselves."""
        if hidden.gate is None or hidden.gate_bias is None:
            return None
        return hidden.gate if self.bias == "none" else np.vstack([hidden.gate, hidden.gate_bias])

    def lies_on(self, Xl: Rows, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
        """(m, P): which neurons lie on which pattern, one that opens exactly its rows."""
        place = {mask.tobytes(): j for j, mask in enumerate(patterns.bits.packed)}
        own = self.patterns(Xl, neurons).bits.packed
        found = np.array([place.get(mask.tobytes(), -1) for mask in own], dtype=np.intp)
        return np.equal(found[:, None], np.arange(len(patterns)))

    def to_network(self, neurons: Neurons, amplitudes: Vector, intercept: Vector) -> Network:
        """The network in which neuron j has the amplitude t_j."""
        inner, outer = self.split(amplitudes)
        W = neurons.inputs * inner
        weight, bias = (W, np.zeros(W.shape[1])) if self.bias == "none" else (W[:-1], W[-1])
        return Network((self.layer(weight, bias, neurons), Layer((neurons.outputs * outer).T, intercept)))

    @abstractmethod
    def split(self, amplitudes: Vector) -> tuple[Vector, Vector]:
        """(m,) and (m,): what of the amplitudes the input weights carry, and what the output weights."""

    def from_network(self, network: Network) -> tuple[Neurons, Vector]:
        """(neurons, amplitudes): the inverse of :meth:`to_network`. With separate outputs, a hidden unit that feeds
        several outputs becomes one neuron for each. Units of zero size are left out."""
        hidden, last = network.layers
        W = hidden.weight if self.bias == "none" else np.vstack([hidden.weight, hidden.bias])
        A, gates = last.weight.T, self.gates_of(hidden)
        if self.outputs == "separate":
            output, unit = np.nonzero(A)
            split = np.zeros((A.shape[0], unit.size))
            split[output, np.arange(unit.size)] = A[output, unit]
            W, A, gates = W[:, unit], split, None if gates is None else gates[:, unit]
        u, a = self.input_norm(W), self.output_norm(A)
        keep = u * a > 0
        W, A, u, a = W[:, keep], A[:, keep], u[keep], a[keep]
        return Neurons(W / u, A / a, None if gates is None else gates[:, keep]), u * a

    def refusal(self, network: Network, d: int, c: int, intercept: bool) -> str | None:
        """None if the network is one of this architecture from d features to c outputs, else why not."""
        name = type(self).__name__
        if len(network.layers) != 2 or network.n_branches is not None:
            return f"{name} networks have one hidden layer and no branches, this one has {len(network.layers) - 1}"
        if (network.n_inputs, network.n_outputs) != (d, c):
            return f"the network maps {network.n_inputs} features to {network.n_outputs} outputs, the data {d} to {c}"
        hidden, last = network.layers
        p = self.fan_in(d)
        own = self.layer(np.zeros((p, 0)), np.zeros(0), no_neurons(p if self.bias == "none" else p + 1, c, self.gated))
        if hidden.patches != own.patches:
            return f"the network sees its inputs as {hidden.patches}, {name} as {own.patches}"
        if (hidden.activation, hidden.slope, last.activation) != (own.activation, own.slope, "linear"):
            return f"the network has units {hidden!r} and {last!r}, {name} has {own.activation} of slope {own.slope:g}"
        if hidden.gates != own.gates:
            return f"the network's gates are {hidden.gates or 'of each unit'}, those of {name} {own.gates or 'are not'}"
        if self.bias == "none" and (hidden.bias.any() or (hidden.gate_bias is not None and hidden.gate_bias.any())):
            return f"the hidden units have biases, {name}(bias='none') has none; use bias='penalized'"
        if not intercept and last.bias.any():
            return "the network has an output intercept, the problem none; set intercept=True"
        return None

    def size(self, network: Network) -> float:
        """``sum_j |u_j| |a_j|``; a unit with a free bias and no weights is a constant, which an intercept has for
        free."""
        return float(self.from_network(network)[1].sum())

"""Two-layer networks each unit of which sees only the features of one group: pairs, single features, or given sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures.base import Architecture, Bias, OutputNorm, PatternPrices, Witness
from bidual.architectures.boxes import AXES, BoxSearch
from bidual.architectures.cones import ConeSearch
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.architectures.relu import ReLU
from bidual.errors import InvalidParameterError, RefusedError
from bidual.network import Layer, Network
from bidual.typing import Gates, Masks, Matrix, Outputs, Places, Rows, Vector

FEW = 4
"""Up to so many columns all faces of the cube are searched at once."""


@final
@dataclass(frozen=True)
class Grouped(Architecture):
    """``inner`` units whose input weights are 0 but for the features of one of the ``groups`` (and the bias).

    A neuron of the class is an inner neuron on the columns of its group, so the largest score is the largest over the
    groups of what inner neurons score there: as many problems of few dimensions as there are groups, for any number of
    features. With all pairs of features the networks are ``b + sum_jk f_jk(x_j, x_k)``, the pairwise additive models
    (GA2M: Lou, Caruana, Gehrke & Hooker 2013).

    Every feature is in a group, so that d is the number of all features in them; a neuron that fits in several groups
    counts to the first. A pattern is of the neurons of its gate's group. Raises InvalidParameterError for other units
    than ReLU with separate outputs, for a free bias, and for groups that are no sets of features 0 to d - 1.
    """

    inner: ReLU
    groups: tuple[tuple[int, ...], ...]
    bias: Bias = field(init=False, repr=False, compare=False)
    outputs: OutputNorm = field(init=False, repr=False, compare=False)
    slope: float | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.inner, ReLU) or self.inner.bias == "free" or self.inner.outputs != "separate":
            raise InvalidParameterError(
                f"groups of features need ReLU units with separate outputs, their bias penalized or none, not "
                f"{self.inner!r}; use ReLU()"
            )
        groups = tuple(tuple(sorted({int(j) for j in group})) for group in self.groups)
        seen = {j for group in groups for j in group}
        if not seen or () in groups or seen != set(range(max(seen) + 1)):
            raise InvalidParameterError(
                f"groups must be nonempty sets that hold every feature from 0 on at least once, got {self.groups!r}"
            )
        object.__setattr__(self, "groups", tuple(dict.fromkeys(groups)))
        for name in ("bias", "outputs", "slope"):
            object.__setattr__(self, name, getattr(self.inner, name))

    @property
    def n_features(self) -> int:
        return self.members.shape[1] - (self.bias != "none")

    @property
    def units(self) -> ReLU:
        return self.inner

    @cached_property
    def members(self) -> Masks:
        """(G, p): the lifted columns of each group."""
        d = 1 + max(map(max, self.groups))
        members = np.zeros((len(self.groups), d + (self.inner.bias != "none")), dtype=bool)
        for mine, group in zip(members, self.groups, strict=True):
            mine[list(group)] = True
        members[:, d:] = True
        return members

    def group_of(self, U: Matrix) -> Places:
        """(m,): the first group that holds all features of nonzero weight in U (p, m); -1 where none does."""
        inside = np.equal((U != 0).T.astype(np.float64) @ (~self.members).T.astype(np.float64), 0.0)
        return np.where(inside.any(axis=1), inside.argmax(axis=1), -1)

    def support(self, U: Matrix) -> Masks:
        return self.members[self.group_of(U)].T

    def confined(self, U: Matrix, rng: np.random.Generator) -> Matrix:
        return U * self.members[rng.integers(len(self.groups), size=U.shape[1])].T

    def search(self, Xl: Rows, V: Outputs, group: int) -> ConeSearch | BoxSearch | None:
        """The search for the neuron of a group that scores most; None where there are too many features for one."""
        columns = Xl[:, self.members[group]]
        if columns.shape[1] <= FEW:
            return ConeSearch(columns, V, self.inner.slope)
        return BoxSearch(columns, V, self.inner.slope) if np.linalg.matrix_rank(columns) <= AXES else None

    def embed(self, neurons: Neurons, group: int) -> Neurons:
        """Neurons on the columns of a group as neurons on all columns."""
        inputs = np.zeros((self.members.shape[1], len(neurons)))
        inputs[self.members[group]] = neurons.inputs
        return Neurons(inputs, neurons.outputs)

    def box_bound(self, Xl: Rows, V: Outputs, value: float, limit: int) -> float:
        count, bound = 0, 0.0
        for group in range(len(self.groups)):
            search = self.search(Xl, V, group)
            if search is None:
                return np.inf
            bound = max(bound, search.prove(value, limit - count))
            count += search.count
            if bound > value:
                return np.inf
        return bound

    def refusal(self, network: Network, d: int, c: int, intercept: bool) -> str | None:
        refusal = super().refusal(network, d, c, intercept)
        if refusal is not None or d != self.n_features:
            return refusal or f"Grouped is of networks on {self.n_features} features, the data have {d}"
        outside = np.flatnonzero(
            self.group_of(np.pad(network.layers[0].weight, ((0, int(self.bias != "none")), (0, 0)))) < 0
        )
        if outside.size:
            seen = np.flatnonzero(network.layers[0].weight[:, outside[0]])
            return (
                f"neuron {outside[0]} of the network sees the features {seen.tolist()}, which are in no group together"
            )
        return None

    def input_norm(self, U: Matrix) -> Vector:
        return self.inner.input_norm(U)

    def split(self, amplitudes: Vector) -> tuple[Vector, Vector]:
        return self.inner.split(amplitudes)

    def layer(self, weight: Matrix, bias: Vector, neurons: Neurons) -> Layer:
        return self.inner.layer(weight, bias, neurons)

    def activations(self, Xl: Rows, neurons: Neurons) -> Matrix:
        return self.inner.activations(Xl, neurons)

    def norm_bound(self, Xl: Rows, V: Outputs) -> float:
        """That of inner neurons on all columns, of which those of groups are some."""
        return self.inner.norm_bound(Xl, V)

    def all_patterns(self, Xl: Rows) -> Patterns:
        raise RefusedError("the patterns of groups of features are searched, not listed; use the oracle Groupwise")

    def most_patterns(self, n: int, r: int) -> int:
        return sum(self.inner.most_patterns(n, min(r, int(mine.sum()))) for mine in self.members)

    def sample(self, Xl: Rows, n_patterns: int, seed: int, antithetic: bool = False) -> Patterns:
        """Some patterns of random gates, each of a random group."""
        drawn = self.inner.sample(Xl, n_patterns, seed, antithetic).gates
        gates = self.confined(drawn, np.random.default_rng(seed))
        return self.patterns(Xl, Neurons(gates, np.zeros((1, gates.shape[1])))).nonempty().distinct()

    def has_gates(self, gates: Gates, p: int) -> bool:
        return super().has_gates(gates, p) and bool((self.group_of(gates) >= 0).all())

    def lies_on(self, Xl: Rows, neurons: Neurons, patterns: Patterns) -> NDArray[np.bool_]:
        """(m, P): which neurons lie in the cone of which pattern, and in its group."""
        same = np.equal((neurons.inputs != 0).T.astype(float) @ ~self.support(patterns.gates), 0.0)
        return same & self.inner.lies_on(Xl, neurons, patterns)

    def on_patterns(self, Xl: Rows, patterns: Patterns, V: Outputs, floor: float) -> PatternPrices:
        neurons, scores, bound = Neurons(np.zeros((Xl.shape[1], 0)), np.zeros((V.shape[1], 0))), [np.zeros(0)], 0.0
        witness: Witness | None = None
        for group, which, own in self._by_group(patterns):
            found = self.inner.on_patterns(Xl[:, self.members[group]], own, V, floor)
            neurons, bound = neurons.join(self.embed(found.neurons, group)), max(bound, found.bound)
            scores.append(found.scores)
            if found.witness is not None:
                mine = found.witness.renamed(which)
                witness = mine if witness is None else witness.join(mine, 0)
        together = np.concatenate(scores)
        order = np.argsort(-together, kind="stable")
        return PatternPrices(neurons.take(order), together[order], bound, witness)

    def bound_by_witness(self, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        bound = 0.0
        for group, which, own in self._by_group(patterns):
            mine = None if witness is None else witness.about(which)
            bound = max(bound, self.inner.bound_by_witness(Xl[:, self.members[group]], own, V, mine))
        return bound

    def _by_group(self, patterns: Patterns) -> list[tuple[int, Places, Patterns]]:
        """(group, places, patterns): those of each group, their gates on its columns."""
        group_of, parts = self.group_of(patterns.gates), []
        for group in np.unique(group_of):
            which = np.flatnonzero(group_of == group)
            own = Patterns(patterns.bits.take(which), patterns.gates[np.ix_(self.members[group], which)])
            parts.append((int(group), which, own))
        return parts


def grouped_refusal(architecture: Architecture) -> str | None:
    """Why the program on one list of patterns is not that of the architecture."""
    if not isinstance(architecture, Grouped):
        return None
    return "Grouped units have patterns of their own in every group of features; use the solver WorkingSet"


def pairs(d: int) -> tuple[tuple[int, ...], ...]:
    """All pairs of d features; a single feature is its own group."""
    return tuple(combinations(range(d), 2)) if d > 1 else ((0,),)


def singles(d: int) -> tuple[tuple[int, ...], ...]:
    """Each of d features by itself."""
    return tuple((j,) for j in range(d))

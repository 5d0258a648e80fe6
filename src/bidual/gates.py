"""Gates of deep networks: the paths through a fixed ReLU network, each open where all of its units are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bidual.errors import InvalidParameterError
from bidual.files import Arrays
from bidual.operators.bits import Bits
from bidual.operators.blocks import row_blocks
from bidual.operators.frozen import frozen
from bidual.typing import Matrix, Rows

Paths = NDArray[np.int64]
"""(q, m): column by column a branch, and in it one unit of each layer."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class GateNetwork:
    """B fixed ReLU networks side by side, ``p -> m_1 -> ... -> m_{q-1}``, that say where the paths through them open.

    A path is a branch and one unit of each of its layers, q numbers in all. Its value at x is the least pre-activation
    of its units, and it is open where that is not negative. Arrays are copied as read-only float64; two gate networks
    are equal when they are so bit for bit.

    weights : (B, p, m_1), (B, m_1, m_2), ...; biases : (B, m_1), (B, m_2), ..., zero if not given.

    Raises
    ------
    InvalidParameterError
        No layers, shapes that do not fit together, or a layer without units.
    InvalidDataError
        A weight that is not finite.
    """

    weights: tuple[Matrix, ...]
    biases: tuple[Matrix, ...] = ()

    def __post_init__(self) -> None:
        weights = tuple(frozen("weight", weight) for weight in self.weights)
        shapes = [weight.shape for weight in weights]
        fit = bool(shapes) and all(len(shape) == 3 and shape[0] and shape[2] for shape in shapes)
        if not fit or any((a[0], a[2]) != (b[0], b[1]) for a, b in pairwise(shapes)):
            raise InvalidParameterError(f"gates need weights (B, p, m_1), (B, m_1, m_2), ..., got {shapes}")
        biases = self.biases or tuple(np.zeros((shape[0], shape[2])) for shape in shapes)
        if len(biases) != len(weights):
            raise InvalidParameterError(f"{len(weights)} layers of gates need as many biases, got {len(biases)}")
        pairs = zip(biases, shapes, strict=True)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", tuple(frozen("bias", b, (shape[0], shape[2])) for b, shape in pairs))

    @classmethod
    def sample(
        cls, X: Rows, n_branches: int = 40, widths: Sequence[int] = (100,), seed: int = 0, bias: bool = True
    ) -> Self:
        """Gaussian branches for the rows X (n, d), with hidden layers of the given ``widths`` and one unit at the end:
        the gates of parallel networks with ``len(widths) + 2`` layers of weights.

        As in :func:`bidual.architectures.patterns.sample`, the first layer is scaled by the columns' root mean squares;
        ``bias`` gives it Gaussian biases too. The layers after it have none.
        """
        if n_branches < 1 or not widths or min(widths) < 1:
            raise InvalidParameterError(f"gates need branches and layers of units, got {n_branches} and {widths!r}")
        rng = np.random.default_rng(seed)
        scale = np.sqrt(np.einsum("nd,nd->d", X, X) / X.shape[0])
        sizes = [X.shape[1], *widths, 1]
        weights = [rng.standard_normal((n_branches, p, m)) for p, m in pairwise(sizes)]
        weights[0] /= np.where(scale > 0, scale, 1.0)[:, None]
        biases = [np.zeros((n_branches, m)) for m in sizes[1:]]
        if bias:
            biases[0] = rng.standard_normal((n_branches, widths[0]))
        return cls(tuple(weights), tuple(biases))

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each layer of a branch."""
        return tuple(weight.shape[2] for weight in self.weights)

    @property
    def n_branches(self) -> int:
        return self.weights[0].shape[0]

    @property
    def n_inputs(self) -> int:
        """d, the columns that X must have."""
        return self.weights[0].shape[1]

    @property
    def n_paths(self) -> int:
        """How many paths there are."""
        return self.n_branches * prod(self.widths)

    @property
    def length(self) -> int:
        """q: the numbers that name a path."""
        return 1 + len(self.weights)

    def paths(self, n_paths: int | None = None, seed: int = 0) -> Paths:
        """(q, m): all paths, branch by branch, or ``n_paths`` of them drawn with ``seed`` where there are more."""
        places = np.arange(self.n_paths) if n_paths is None or n_paths >= self.n_paths else None
        if places is None:
            places = np.sort(np.random.default_rng(seed).choice(self.n_paths, n_paths, replace=False))
        return np.array(np.unravel_index(places, (self.n_branches, *self.widths)), dtype=np.int64)

    def has(self, paths: NDArray[Any]) -> bool:
        """True if these are paths through this network."""
        if paths.ndim != 2 or paths.shape[0] != self.length or paths.dtype.kind != "i":
            return False
        most = np.array([self.n_branches, *self.widths])[:, None]
        return bool(((paths >= 0) & (paths < most)).all())

    def __call__(self, X: Matrix, paths: Paths) -> Matrix:
        """(n, m): the values of the paths at the rows of X (n, p)."""
        least = np.full((X.shape[0], paths.shape[1]), np.inf)
        for branch in np.unique(paths[0]):
            own, H = np.flatnonzero(paths[0] == branch), X
            for weight, bias, units in zip(self.weights, self.biases, paths[1:, own], strict=True):
                Z = H @ weight[branch] + bias[branch]
                least[:, own] = np.minimum(least[:, own], Z[:, units])
                H = np.maximum(Z, 0.0)
        return least

    def opened(self, X: Rows, paths: Paths) -> Bits:
        """Where the paths are open, X (n, p), block of rows by block of rows."""
        n, m = X.shape[0], paths.shape[1]
        packed = np.empty((m, -(-n // 8)), np.uint8)
        for rows in row_blocks(n, max(m, *X.shape[1:])):
            packed[:, rows.start // 8 : -(-rows.stop // 8)] = np.packbits(self(X[rows], paths) >= 0, axis=0).T
        return Bits(packed, n)

    def begun_by(self, weight: Matrix, bias: Matrix) -> Self:
        """These gates with another first layer, as on other inputs."""
        return type(self)((weight, *self.weights[1:]), (bias, *self.biases[1:]))

    @property
    def arrays(self) -> Arrays:
        """Weights and biases, as ``"i.weight"`` and ``"i.bias"``."""
        layers = enumerate(zip(self.weights, self.biases, strict=True))
        return {f"{i}.{name}": a for i, pair in layers for name, a in zip(("weight", "bias"), pair, strict=True)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, ArrayLike]) -> Self:
        """The gates that have these ``arrays``."""
        weights, biases = (
            tuple(np.asarray(arrays[f"{i}.{name}"]) for i in range(len(arrays) // 2)) for name in ("weight", "bias")
        )
        return cls(weights, biases)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GateNetwork):
            return NotImplemented
        mine, theirs = self.arrays, other.arrays
        return self is other or (mine.keys() == theirs.keys() and all(np.array_equal(mine[k], theirs[k]) for k in mine))

    def __hash__(self) -> int:
        return hash(tuple((k, a.shape, a.tobytes()) for k, a in self.arrays.items()))

    def __repr__(self) -> str:
        return f"GateNetwork({self.n_branches} branches of {' -> '.join(map(str, (self.n_inputs, *self.widths)))})"

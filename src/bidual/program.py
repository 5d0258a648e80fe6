"""The finite convex program on a list of activation patterns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import final

import numpy as np

from bidual.architectures.base import PatternPrices
from bidual.architectures.linear import block_prices
from bidual.architectures.neurons import Neurons
from bidual.architectures.patterns import Patterns
from bidual.errors import InvalidDataError, RefusedError
from bidual.network import Network
from bidual.operators import masked
from bidual.operators.masked import MaskedData
from bidual.operators.pooled import Products
from bidual.problem import Problem
from bidual.typing import Gates, Masks, Matrix, Outputs, Places, Rows, Vector


@final
@dataclass(frozen=True, eq=False)
class Blocks:
    """Some of the blocks of a program with separate outputs and no cones, the others being 0: column ``output[i]`` of
    the block of pattern ``pattern[i]`` is ``weight[i]``, weight (B, p)."""

    pattern: Places
    output: Places
    weight: Matrix

    def merged(self, c: int) -> Blocks:
        """In order, those of the same pattern and output added up; c outputs."""
        places, which = np.unique(self.pattern * c + self.output, return_inverse=True)
        weight = np.zeros((places.size, self.weight.shape[1]))
        np.add.at(weight, which, self.weight)
        return Blocks(places // c, places % c, weight)

    def take(self, which: Places) -> Blocks:
        """Those at the given places."""
        return Blocks(self.pattern[which], self.output[which], self.weight[which])


LARGE = 1e10
"""Operations of a pass above which only what matters of a product is computed in double precision."""

DROP = 1e-9
"""Blocks of at most this share of the largest block's norm are left out of the network."""


@final
@dataclass(frozen=True, eq=False)
class Program:
    """``min over blocks U and b of  L(sum_i D_i X U_i + 1 b', Y) + r(sum of the blocks' norms)``.

    Units that gate themselves (ReLU, leaky ReLU, absolute value) have two blocks ``V_i, W_i`` in the cone
    ``{u : S_i X u >= 0}``, ``S_i = 2 D_i - 1`` on pattern i, and ``U_i = V_i - W_i``: U is (P, 2, p, c). Gated and
    linear units have one free block: U is (P, p, c). ``D_i`` holds the slopes of pattern i (1 on its mask, the
    architecture's slope off it) and b (c,) is the intercept.

    The norm of a block is the sum of its columns' 2-norms (separate outputs, without a free bias), or the nuclear
    norm (shared outputs of gated and linear units). Shared outputs of ReLU units have no such finite program (Sahiner
    et al. 2020). Sources: Pilanci & Ergen 2020; Mishkin, Sahiner & Pilanci 2022.

    ``device`` is where its products run, ``spare`` the bytes they may take for what can be computed again. ``basis``
    (p, r): orthonormal columns that span the rows of X (:func:`~bidual.operators.row_space.row_basis`), in whose
    coordinates free blocks are then given, r in place of p.

    Raises RefusedError for shared outputs of ReLU units, InvalidDataError if the patterns are of other rows or gates.
    """

    problem: Problem
    patterns: Patterns
    device: str = "cpu"
    spare: float = inf
    basis: Matrix | None = None

    def __post_init__(self) -> None:
        n, rows = self.problem.lifted.shape[0], self.patterns.bits.n
        if rows != n:
            raise InvalidDataError(f"patterns are of {rows} rows, X has {n}; list patterns of problem.lifted")
        if not self.problem.architecture.has_gates(self.patterns.gates, self.problem.lifted.shape[1]):
            raise InvalidDataError(f"the patterns' gates are not of {self.problem.architecture}; sample them with it")
        if self.coned and self.shared:
            raise RefusedError(shared_refusal(self.problem))

    @property
    def coned(self) -> bool:
        """True if the blocks come in pairs inside cones."""
        return self._slope is not None

    @property
    def shared(self) -> bool:
        """True if a neuron may feed several outputs."""
        return self.problem.architecture.outputs == "shared" and self.problem.n_outputs > 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of U."""
        P, p, c = len(self.patterns), self.rows.shape[1], self.problem.n_outputs
        return (P, 2, p, c) if self.coned else (P, p, c)

    @cached_property
    def rows(self) -> Rows:
        """(n, p): X, or (n, r) in the coordinates of the basis."""
        return self.problem.lifted if self.basis is None else self.problem.lifted @ self.basis

    @cached_property
    def data(self) -> Products:
        """The masked data: the matrix of the program, in pieces."""
        return self.problem.architecture.masked(self.rows, self.patterns.bits, self.device, self.spare)

    @cached_property
    def slopes(self) -> Matrix:
        """(n, P): the diagonals of D."""
        return np.where(self.patterns.masks, 1.0, self._slope or 0.0)

    @property
    def _slope(self) -> float | None:
        return self.problem.architecture.slope

    def forward(self, U: Matrix, b: Vector) -> Outputs:
        """(n, c): the predictions ``sum_i D_i X U_i + 1 b'``."""
        return self.data.forward(U[:, 0] - U[:, 1] if self.coned else U) + b

    def blocks(self) -> Blocks:
        """All blocks, at 0."""
        P, p, c = self.shape
        return Blocks(np.repeat(np.arange(P), c), np.tile(np.arange(c), P), np.zeros((P * c, p)))

    def dense(self, blocks: Blocks) -> Matrix:
        """U, from its blocks."""
        U = np.zeros(self.shape)
        U[blocks.pattern, :, blocks.output] = blocks.weight
        return U

    def adjoint(self, R: Outputs) -> Matrix:
        """The gradient in U of ``<R, forward(U, b)>``, in the shape of U."""
        C = self.data.adjoint(R)
        return np.stack([C, -C], axis=1) if self.coned else C

    @property
    def large(self) -> bool:
        """True if a product with all masked data is one to be spared."""
        n, p, P = self.data.shape
        return not self.data.joint and 4.0 * n * p * P * self.problem.n_outputs > LARGE

    def prices(self, V: Outputs) -> PatternPrices:
        """The best unit without a cone on each pattern, by the program's own products; where these are large, the best
        unit of all, and the same bound."""
        architecture = self.problem.architecture
        gates = self.patterns.gates if architecture.gated else None
        if not self.shared and self.large:
            return self._best_price(V, gates)
        prices = block_prices(self.data.adjoint(V), architecture.outputs, gates)
        return replace(prices, neurons=replace(prices.neurons, inputs=self._features(prices.neurons.inputs)))

    def _best_price(self, V: Outputs, gates: Gates | None) -> PatternPrices:
        """Lengths of columns ``C_jk = X'D_j V_k``, in double precision for those that single precision cannot tell from
        the longest."""
        assert isinstance(self.data, MaskedData)
        with np.errstate(over="ignore"):
            rough, error = self.data.lengths(np.asarray(V, dtype=np.float32)), self.data.single_error(V)
        error = error if np.isfinite(rough).all() else np.full_like(error, inf)
        near = rough + error >= (rough - error).max() if np.isfinite(error).all() else np.ones_like(rough, dtype=bool)
        size, i, k, C = max(self._exact(V, near), key=lambda found: found[0])
        a, u = np.eye(V.shape[1])[:, [k]], self._features(C[:, None]) / max(size, 1e-300)
        return PatternPrices(Neurons(u, a, None if gates is None else gates[:, [i]]), np.array([size]), size)

    def _exact(self, V: Outputs, which: Masks) -> Iterator[tuple[float, int, int, Vector]]:
        """The longest of the columns (P, c) where ``which``, some at a time: length, pattern, output, and itself."""
        for k in np.flatnonzero(which.any(axis=0)):
            own = np.flatnonzero(which[:, k])
            for some in np.array_split(own, -(-own.size * self.data.shape[1] // masked.LENGTHS)):
                C = self.data.adjoint(V[:, k : k + 1], self.data.diagonals.take(some))[:, :, 0]
                lengths = np.linalg.norm(C, axis=1)
                i = int(np.argmax(lengths))
                yield float(lengths[i]), int(some[i]), int(k), C[i]

    def norms(self, U: Matrix) -> Matrix:
        """(P, 2, c) or (P, c): the 2-norms of the columns; (P,): the nuclear norms of shared blocks."""
        if self.shared:
            return np.linalg.svd(U, compute_uv=False).sum(axis=-1)
        return np.linalg.norm(U[..., :-1, :] if self.problem.architecture.bias == "free" else U, axis=-2)

    def objective(self, U: Matrix, b: Vector) -> float:
        """The value of the program at U inside its cones: that of ``to_network(U, b)``, or more."""
        size = float(self.norms(U).sum())
        return self.problem.loss_value(self.forward(U, b)) + self.problem.penalty.value(size)

    def violation(self, U: Matrix) -> float:
        """How far, at most, a row lies on the wrong side of a block's cone: 0 inside, and without cones."""
        if not self.coned:
            return 0.0
        signs = np.where(self.patterns.masks, 1.0, -1.0)
        Z = np.einsum("np,jspc->njsc", self.problem.lifted, U) * signs[:, :, None, None]
        return float(np.maximum(-Z, 0.0).max(initial=0.0))

    def to_network(self, U: Matrix | Blocks, b: Vector) -> Network:
        """One neuron for each column (or singular pair) of a block, or listed block, that is not negligible.

        Inside the cones its predictions are ``forward(U, b)`` up to what is dropped, and its size is at most
        ``norms(U).sum()``.
        """
        if isinstance(U, Blocks):
            return self._listed(U, b)
        U, b = self._anchored(U, b)
        if self.shared:
            left, size, right = np.linalg.svd(U, full_matrices=False)
            i, r = np.nonzero(size > DROP * size.max(initial=0.0))
            inputs, outputs, t = left[i, :, r], right[i, r], size[i, r]
        else:
            blocks = U if self.coned else U[:, None]
            size = self.norms(U).reshape(len(self.patterns), blocks.shape[1], self.problem.n_outputs)
            i, s, k = np.nonzero(size > DROP * size.max(initial=0.0))
            t = size[i, s, k]
            inputs = blocks[i, s, :, k] / t[:, None]
            outputs = np.eye(self.problem.n_outputs)[k] * np.where(s == 0, 1.0, -1.0)[:, None]
        architecture = self.problem.architecture
        gates = self.patterns.gates[:, i] if architecture.gated else None
        return architecture.to_network(Neurons(self._features(inputs.T), outputs.T, gates), t, b)

    def _listed(self, blocks: Blocks, b: Vector) -> Network:
        size = np.linalg.norm(blocks.weight, axis=1)
        kept = np.flatnonzero(size > DROP * size.max(initial=0.0))
        blocks, t = blocks.take(kept), size[kept]
        architecture, c = self.problem.architecture, self.problem.n_outputs
        gates = self.patterns.gates[:, blocks.pattern] if architecture.gated else None
        neurons = Neurons(self._features((blocks.weight / t[:, None]).T), np.eye(c)[:, blocks.output], gates)
        return architecture.to_network(neurons, t, b)

    def coordinates(self, U: Matrix) -> Matrix:
        """(r, m): the columns of U (p, m) in those of the blocks, less what no row sees."""
        return U if self.basis is None else self.basis.T @ U

    def _features(self, U: Matrix) -> Matrix:
        """(p, m): the columns of U (r, m), of features."""
        return U if self.basis is None else self.basis @ U

    def _anchored(self, U: Matrix, b: Vector) -> tuple[Matrix, Vector]:
        """(U, b) with the free biases of units that are linear on all rows as small as their cone allows.

        The rest is a constant, which the intercept takes over free of charge: otherwise a bias without bound could
        come with a negligible weight.
        """
        if not self.coned or self.problem.architecture.bias != "free":
            return U, b
        masks = self.patterns.masks
        uniform = np.flatnonzero(masks.all(axis=0) | ~masks.any(axis=0))
        if uniform.size == 0:
            return U, b
        signs = np.where(masks[0, uniform], 1.0, -1.0)[:, None, None]
        Z = np.einsum("np,jspc->njsc", self.problem.lifted, U[uniform])
        excess = signs * (signs * Z).min(axis=0)
        shift = np.zeros(self.shape[:2] + self.shape[3:])
        shift[uniform] = excess
        moved = self.slopes[0, uniform] @ (excess[:, 0] - excess[:, 1])
        bias = np.arange(self.shape[2]) == self.shape[2] - 1
        return U - shift[:, :, None, :] * bias[:, None], b + moved


def shared_refusal(problem: Problem) -> str:
    """Why shared outputs of units with cones are refused."""
    return (
        f"{type(problem.architecture).__name__}(outputs='shared') with {problem.n_outputs} outputs has no computable "
        "finite program (it is copositive); use outputs='separate', or GatedReLU(outputs='shared')"
    )

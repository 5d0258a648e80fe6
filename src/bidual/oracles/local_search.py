"""The oracle for data with too many cells to list: many neurons climb at once, and nothing is proven."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from bidual.architectures import Convolutional, Neurons, ReLU
from bidual.architectures.patterns import first_of_each
from bidual.architectures.relu import SMALLEST
from bidual.errors import InvalidParameterError, RefusedError
from bidual.operators.ascent import climb
from bidual.operators.cone import Cones, Projections
from bidual.operators.device import Device
from bidual.operators.row_space import row_basis
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Vector, never

BLOCK = 1 << 18
"""Rows times starts that climb together: what they need stays in the second-level cache."""

WIDTHS = (0.3, 0.1, 0.03, 0.01)
"""How wide kinks are rounded, one ascent after the other, relative to the typical input of a unit neuron."""

FEW, TOGETHER = 8, 64
"""Winners made exact at first, and the most between two looks at the clock."""

FREE_BIAS = 3.0
"""Typical inputs of a unit neuron that a free bias of length 1 is worth to the climb."""

CROSSINGS = 4
"""Cells that a winner may try."""

ALIKE = 0.9999
"""Two climbers whose cosine exceeds this go on as one."""

NEARBY = WIDTHS[-2:]
"""The widths for current neurons, which are nearly optimal, and for starts beside them."""

BESIDE = 0.3
"""How far from a current neuron, both of length 1, every other start lies."""


@final
@dataclass(frozen=True)
class LocalSearch(Oracle):
    """Multi-start ascent of the neuron score; the best winners, all if need be, are made exact on their own cells.

    The current neurons start first, then random ones and disturbed current ones in growing batches, until more of these
    score above ``target`` than the network has neurons or ``n_starts`` of them for each output and sign have been made:
    calls are cheap where networks are small, and the call that finds nothing has tried them all. A network of many
    neurons needs many new ones at a time, or it takes too many rounds. At most ``keep`` winners of a batch are kept,
    and of all made exact. The matrix products run on ``device``: ``"cpu"`` (NumPy) or a torch device such as
    ``"cuda"``.
    """

    n_starts: int = 400
    keep: int = 200
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.n_starts < 1:
            raise InvalidParameterError(f"n_starts must be at least 1, got {self.n_starts!r}")

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        if isinstance(problem.architecture, Convolutional):
            problem, V = _on_patches(problem, problem.architecture, V)
        architecture = problem.architecture
        if not isinstance(architecture, ReLU):
            raise RefusedError(
                f"LocalSearch looks for units whose input weights decide when they are active; "
                f"{type(architecture).__name__} has none: use Sampled, Listed or Enumerated"
            )
        search = _Search(problem, architecture, V, self.device, expired)
        found = search.climbed(current.inputs, current.outputs, target, self.keep, NEARBY)
        batch, done, fresh = 25, 0, 0
        while done < self.n_starts and fresh <= len(current) and not expired():
            U, A = _random_starts(problem, V, current, min(batch, self.n_starts - done), rng)
            near = search.climbed(U[:, ::2], A[:, ::2], target, self.keep, NEARBY)
            far = search.climbed(U[:, 1::2], A[:, 1::2], target, self.keep)
            fresh += sum(int(np.count_nonzero(part.scores > target)) for part in (near, far))
            found, done, batch = found.join(near).join(far), done + batch, 2 * batch
        winners = search.one_of_each_cell(found.neurons)
        few = winners.take(np.arange(min(self.keep, len(winners)))).join(current)
        return found.join(search.in_cells(search.one_of_each_cell(few), target))


def _on_patches(problem: Problem, architecture: Convolutional, V: Outputs) -> tuple[Problem, Outputs]:
    """(problem, V) with the patches for rows: units score there as their pooled outputs do on the images."""
    patches = architecture.patches
    Y, weights = (np.repeat(values, patches.count, axis=0) for values in (problem.Y, problem.weights))
    inner = replace(problem, X=patches(problem.X), Y=Y, weights=weights, architecture=architecture.inner)
    return inner, patches.spread(V)


def _random_starts(
    problem: Problem, V: Outputs, current: Neurons, count: int, rng: np.random.Generator
) -> tuple[Matrix, Matrix]:
    """``count`` inputs for each sign of each output axis: Gaussian ones, every other one beside a current neuron."""
    p, c = problem.lifted.shape[1], V.shape[1]
    A = np.repeat(np.hstack([np.eye(c), -np.eye(c)]), count, axis=1)
    U = rng.standard_normal((p, A.shape[1]))
    if problem.architecture.bias == "free":
        U[-1] *= _unit(problem.X)
    U /= problem.architecture.input_norm(U)
    if len(current):
        chosen = rng.integers(len(current), size=U[:, ::2].shape[1])
        U[:, ::2] = current.inputs[:, chosen] + BESIDE * U[:, ::2]
    return U / problem.architecture.input_norm(U), A


def _unit(X: Matrix) -> float:
    """The root mean square of the entries, 1 if all are 0: no neuron depends on the unit of the data."""
    return float(np.sqrt(np.mean(X**2))) or 1.0


def _principal_axes(X: Matrix) -> Matrix:
    """(p, r): an orthonormal basis of the space of the rows of X (n, p), r = min(n, p), that decorrelates them."""
    basis = row_basis(X)
    if basis is not None:
        return basis @ _principal_axes(X @ basis)
    return np.asarray(np.linalg.eigh(X.T @ X)[1], dtype=float)


class _Search:
    """One dual vector, with the data on the chosen device."""

    def __init__(self, problem: Problem, architecture: ReLU, V: Outputs, device: str, expired: Expired):
        self.problem, self.architecture, self.V = problem, architecture, V
        self.device, self.expired = Device(device), expired
        self.scale, unit = np.ones(problem.lifted.shape[1]), _unit(problem.X)
        if architecture.bias == "free":
            self.scale[-1] = FREE_BIAS * unit  # the climb needs a norm on the bias; the cell's exact neuron not
        Xl = problem.lifted * self.scale
        Xl /= max(unit, 1e-6 * _unit(Xl))  # squares of a bias that dwarfs the data stay finite in single precision
        self.axes = _principal_axes(Xl)
        self.X = self.device.put(Xl @ self.axes, np.float32)

    def climb(self, U: Matrix, A: Matrix, widths: tuple[float, ...]) -> tuple[Matrix, Matrix]:
        """(inputs, outputs): local maxima near the starts U (p, B) against the outputs A (c, B), each once; in single
        precision."""
        for width in widths:
            U = self._climb(U, A, width)
            alike = (U.T @ U > ALIKE) & (A.T @ A > ALIKE * np.sum(A**2, axis=0))
            first = ~np.triu(alike, 1).any(axis=0)
            U, A = U[:, first], A[:, first]
        length = self.architecture.input_norm(U)  # 0 for a free bias alone: a constant, and no neuron
        length = np.where(length > SMALLEST * np.abs(U).max(axis=0, initial=0.0), length, np.inf)
        return U * self.scale[:, None] / length, A

    def _climb(self, U: Matrix, A: Matrix, width: float) -> Matrix:
        """On a CPU, as many at once as the cache holds."""
        device, found = self.device, np.empty_like(U)
        each = max(8, BLOCK // self.X.shape[0] if device.name == "cpu" else U.shape[1])
        for start in range(0, U.shape[1], each):
            part = slice(start, start + each)
            T = self.V @ A[:, part]
            T = device.put(T / np.maximum(np.abs(T).max(axis=0), 1e-300), np.float32)
            starts = device.put(self.axes.T @ U[:, part], np.float32)
            climbed = climb(self.X, T, starts, self.architecture.slope, width, expired=self.expired)
            found[:, part] = self.axes @ device.get(climbed)
        return found

    def scores(self, U: Matrix, A: Matrix) -> Vector:
        return np.einsum("nm,nm->m", self.V @ A, self.architecture.activations(self.problem.lifted, Neurons(U, A)))

    def climbed(self, U: Matrix, A: Matrix, target: float, keep: int, widths: tuple[float, ...] = WIDTHS) -> Pricing:
        """Climb from the starts; the first that arrived in each cell, if it may beat the target."""
        if U.shape[1] == 0:
            return Pricing(Neurons(U, A), np.zeros(0))
        U, A = self._aim(*self.climb(U / self.scale[:, None], A, widths))
        if self.architecture.outputs == "shared":
            U, A = self._aim(*self.climb(U / self.scale[:, None], A, widths))
        scores = self.scores(U, A)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= 0.99 * min(target, scores.max())]
        order = order[self._first_in_cells(U[:, order], A[:, order])][:keep]
        return Pricing(Neurons(U[:, order], A[:, order]), scores[order])

    def one_of_each_cell(self, neurons: Neurons) -> Neurons:
        return neurons.take(self._first_in_cells(neurons.inputs, neurons.outputs))

    def _first_in_cells(self, U: Matrix, A: Matrix) -> NDArray[np.intp]:
        return first_of_each(np.vstack([self.problem.lifted @ U > 0, A > 0]))

    def in_cells(self, neurons: Neurons, target: float) -> Pricing:
        """The best neurons in the cells of the given ones, until some score more than the target or time is up."""
        found, done, size = Pricing(neurons.take(np.arange(0)), np.zeros(0)), 0, FEW
        while done < len(neurons) and not found.best_found > target and not self.expired():
            part = neurons.take(np.arange(done, min(done + size, len(neurons))))
            done, size = done + size, min(2 * size, TOGETHER)
            U = self._exact(part.inputs, part.outputs)
            found = found.join(Pricing(Neurons(U, part.outputs), self.scores(U, part.outputs)))
        return found

    def _exact(self, U: Matrix, A: Matrix) -> Matrix:
        """The best inputs with outputs A in the cells of U, or in those across walls where these are better.

        The best point of a cell is ``c + A' mu``. On the other side of a wall, that of row i, the gradient c has
        ``(1 - slope) t_i`` more of it; the point is best there too if ``mu_i + (1 - slope) t_i <= 0``, and else is not.
        """
        Xl, slope, free = self.problem.lifted, self.architecture.slope, self.architecture.bias == "free"
        T, active, U, going = self.V @ A, Xl @ U > 0, U.copy(), np.arange(U.shape[1])
        start: Projections | None = None
        for _ in range(CROSSINGS):
            each, t = np.arange(going.size), T[:, going]
            C = (Xl.T @ (np.where(active[:, going], 1.0, slope) * t)).T
            found = Cones(Xl, active[:, going], free).project(each, C, start=start)
            lengths = self.architecture.input_norm(found.points.T)
            longer = lengths > SMALLEST * np.linalg.norm(C, axis=1)
            U[:, going[longer]] = found.points[longer].T / lengths[longer]
            gains = np.where(found.rows >= 0, found.multipliers + (1.0 - slope) * t[found.rows, each[:, None]], 0.0)
            wall = gains.argmax(axis=1)
            better = gains[each, wall] > 1e-9 * np.abs(t).max(axis=0)
            if not better.any():
                break
            start, going = found.released(Xl, active[:, going], wall).take(better), going[better]
            active[found.rows[each, wall][better], going] ^= True
        return U

    def _aim(self, U: Matrix, A: Matrix) -> tuple[Matrix, Matrix]:
        """Shared outputs point to where the neuron's score is largest; separate outputs stay."""
        if self.architecture.outputs == "separate":
            return U, A
        A = self.V.T @ self.architecture.activations(self.problem.lifted, Neurons(U, A))
        return U, A / np.maximum(np.linalg.norm(A, axis=0), 1e-300)

"""The oracle for data with too many cells to list: many neurons climb at once, and nothing is proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Neurons, ReLU
from bidual.architectures.patterns import first_of_each
from bidual.architectures.relu import SMALLEST
from bidual.errors import InvalidParameterError, RefusedError
from bidual.operators.cone import Cones
from bidual.operators.convex_concave import climb
from bidual.operators.device import Device
from bidual.oracles.base import Oracle, Pricing, never
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Vector


@final
@dataclass(frozen=True)
class LocalSearch(Oracle):
    """Multi-start convex-concave ascent of the neuron score, each winner made exact on its own cell.

    The current neurons start first, then random ones and disturbed current ones in growing batches, until some score
    more than ``target`` or ``n_starts`` such starts for each output and sign have been made: early calls are cheap, and
    the call that finds nothing has tried them all. ``device`` is where the matrix products run: ``"cpu"`` (NumPy) or a
    torch device such as ``"cuda"``.
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
        architecture = problem.architecture
        if not isinstance(architecture, ReLU):
            raise RefusedError(
                f"LocalSearch looks for units whose input weights decide when they are active; "
                f"{type(architecture).__name__} has none: use Sampled, Listed or Enumerated"
            )
        search = _Search(problem, architecture, V, self.device)
        best = _merge(search.in_cells(current), search.refine(current.inputs, current.outputs, target, self.keep))
        batch, done = 25, 0
        while done < self.n_starts and not best.best_found > target and not expired():
            U, A = _random_starts(problem, V, current, min(batch, self.n_starts - done), rng)
            best = _merge(best, search.refine(U, A, target, self.keep))
            done, batch = done + batch, 2 * batch
        return best


def _random_starts(
    problem: Problem, V: Outputs, current: Neurons, count: int, rng: np.random.Generator
) -> tuple[Matrix, Matrix]:
    """``count`` inputs for each sign of each output axis: Gaussian ones, every other one added to a current neuron."""
    p, c = problem.lifted.shape[1], V.shape[1]
    A = np.repeat(np.hstack([np.eye(c), -np.eye(c)]), count, axis=1)
    U = rng.standard_normal((p, A.shape[1]))
    if problem.architecture.bias == "free":
        U[-1] *= _unit(problem.X)
    U /= problem.architecture.input_norm(U)
    if len(current):
        U[:, ::2] += current.inputs[:, rng.integers(len(current), size=U[:, ::2].shape[1])]
    return U / problem.architecture.input_norm(U), A


def _unit(X: Matrix) -> float:
    """The root mean square of the entries, 1 if all are 0: no neuron depends on the unit of the data."""
    return float(np.sqrt(np.mean(X**2))) or 1.0


def _merge(a: Pricing, b: Pricing) -> Pricing:
    scores = np.concatenate([a.scores, b.scores])
    order = np.argsort(-scores, kind="stable")
    return Pricing(a.neurons.join(b.neurons).take(order), scores[order])


class _Search:
    """One dual vector, with the data on the chosen device."""

    def __init__(self, problem: Problem, architecture: ReLU, V: Outputs, device: str):
        self.problem, self.architecture, self.V, self.device = problem, architecture, V, Device(device)
        self.scale = np.ones(problem.lifted.shape[1])
        if architecture.bias == "free":
            self.scale[-1] = 10.0 * _unit(problem.X)  # the climb needs a norm on the bias; the cell's exact neuron not
        Xl = problem.lifted * self.scale
        self.X = self.device.put(Xl / _unit(Xl), np.float32)

    def climb(self, U: Matrix, A: Matrix, rounds: int) -> Matrix:
        """(p, B): inputs that score higher against the outputs A (c, B) than the given ones; in single precision."""
        T = self.V @ A
        T = T / np.maximum(np.abs(T).max(axis=0), 1e-300)
        T, starts = self.device.put(T, np.float32), self.device.put(U / self.scale[:, None], np.float32)
        found = self.device.get(climb(self.X, T, starts, self.architecture.slope, rounds, 20)[0]).astype(float)
        length = self.architecture.input_norm(found)  # 0 for a free bias alone: a constant, and no neuron
        length = np.where(length > SMALLEST * np.abs(found).max(axis=0, initial=0.0), length, np.inf)
        return found * self.scale[:, None] / length

    def scores(self, U: Matrix, A: Matrix) -> Vector:
        return np.einsum("nm,nm->m", self.V @ A, self.architecture.activations(self.problem.lifted, Neurons(U, A)))

    def refine(self, U: Matrix, A: Matrix, target: float, keep: int) -> Pricing:
        """Climb from the starts, the better ones further; then the exact best neuron of each cell arrived at that may
        beat the target."""
        if U.shape[1] == 0:
            return Pricing(Neurons(U, A), np.zeros(0))
        U, A = self._aim(self.climb(U, A, 5), A)
        better = np.argsort(-self.scores(U, A), kind="stable")[: max(20, U.shape[1] // 4)]
        U, A = self._aim(self.climb(U[:, better], A[:, better], 40), A[:, better])
        scores = self.scores(U, A)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= 0.98 * min(target, scores.max())]
        masks = self.problem.lifted @ U[:, order] > 0
        order = order[first_of_each(np.vstack([masks, A[:, order] > 0]))][:keep]
        climbed = Pricing(Neurons(U[:, order], A[:, order]), scores[order])
        return _merge(climbed, self.in_cells(climbed.neurons))

    def in_cells(self, neurons: Neurons) -> Pricing:
        """The best neuron in the cell of each given one."""
        U, A = neurons.inputs, neurons.outputs
        Xl, slope, free = self.problem.lifted, self.architecture.slope, self.architecture.bias == "free"
        active = Xl @ U > 0
        C = (Xl.T @ (np.where(active, 1.0, slope) * (self.V @ A))).T
        points = Cones(Xl, active, free).project(np.arange(len(neurons)), C).points.T
        lengths = self.architecture.input_norm(points)
        longer = lengths > SMALLEST * np.linalg.norm(C, axis=1)
        U = np.where(longer, points / np.where(longer, lengths, 1.0), U)
        return Pricing(Neurons(U, A), self.scores(U, A))

    def _aim(self, U: Matrix, A: Matrix) -> tuple[Matrix, Matrix]:
        """Shared outputs point to where the neuron's score is largest; separate outputs stay."""
        if self.architecture.outputs == "separate":
            return U, A
        A = self.V.T @ self.architecture.activations(self.problem.lifted, Neurons(U, A))
        return U, A / np.maximum(np.linalg.norm(A, axis=0), 1e-300)

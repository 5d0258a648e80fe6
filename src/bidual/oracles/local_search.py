"""The oracle for data with too many cells to list: many neurons climb at once, and nothing is proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from bidual.architectures import Neurons, Patterns, ReLU
from bidual.architectures.patterns import first_of_each
from bidual.errors import InvalidParameterError, RefusedError
from bidual.operators.convex_concave import climb
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Matrix, Outputs


@final
@dataclass(frozen=True)
class LocalSearch(Oracle):
    """Multi-start convex-concave ascent of the neuron score, each winner made exact on its own cell.

    The current neurons start first, then random ones in growing batches, until some score more than ``target`` or
    ``n_starts`` random starts for each output and sign have been made: early calls are cheap, and the call that finds
    nothing has tried them all. ``device`` is where the matrix products run: ``"cpu"`` (NumPy) or a torch device.
    """

    n_starts: int = 100
    keep: int = 200
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.n_starts < 1:
            raise InvalidParameterError(f"n_starts must be at least 1, got {self.n_starts!r}")

    def price(
        self, problem: Problem, V: Outputs, current: Neurons, target: float, rng: np.random.Generator
    ) -> Pricing:
        architecture = problem.architecture
        if not isinstance(architecture, ReLU):
            raise RefusedError(
                f"LocalSearch looks for units whose input weights decide when they are active; "
                f"{type(architecture).__name__} has none: use Sampled, Listed or Enumerated"
            )
        search = _Search(problem, architecture, V, self.device)
        best = search.refine(current.inputs, current.outputs, target, self.keep)
        batch, done = 25, 0
        while done < self.n_starts and not (best.best_found > target):
            U, A = _random_starts(problem, V, min(batch, self.n_starts - done), rng)
            best = _merge(best, search.refine(U, A, target, self.keep))
            done, batch = done + batch, 2 * batch
        return best


def _random_starts(problem: Problem, V: Outputs, count: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """``count`` Gaussian inputs for each sign of each output axis."""
    p, c = problem.lifted.shape[1], V.shape[1]
    U = rng.standard_normal((p, 2 * c * count))
    U /= problem.architecture.input_norm(U)
    return U, np.tile(np.hstack([np.eye(c), -np.eye(c)]), count)


def _merge(a: Pricing, b: Pricing) -> Pricing:
    scores = np.concatenate([a.scores, b.scores])
    order = np.argsort(-scores, kind="stable")
    return Pricing(a.neurons.join(b.neurons).take(order), scores[order])


class _Search:
    """One dual vector, with the data on the chosen device."""

    def __init__(self, problem: Problem, architecture: ReLU, V: Outputs, device: str):
        self.problem, self.architecture, self.V, self.device = problem, architecture, V, device
        self.scale = np.ones(problem.lifted.shape[1])
        if architecture.bias == "free":
            self.scale[-1] = 10.0  # the climb needs a norm on the bias; the cell's exact neuron does not
        self.X = self._to_device(problem.lifted * self.scale)

    def _to_device(self, values: Matrix) -> Any:
        if self.device == "cpu":
            return values
        import torch

        return torch.as_tensor(values, device=self.device)

    def climb(self, U: Matrix, T: Matrix) -> Matrix:
        """(p, B): local maximisers of the scores against the targets T (n, B)."""
        found, _ = climb(
            self.X, self._to_device(T), self._to_device(U / self.scale[:, None]), self.architecture.slope, 10, 20
        )
        return (found if self.device == "cpu" else found.cpu().numpy()) * self.scale[:, None]

    def refine(self, U: Matrix, A: Matrix, target: float, keep: int) -> Pricing:
        """Climb from the starts, then take the exact best neuron of each cell arrived at that may beat the target."""
        architecture, Xl, V = self.architecture, self.problem.lifted, self.V
        shared = architecture.outputs == "shared"
        for _ in range(3 if shared else 1):
            if U.shape[1]:
                U = self.climb(U, V @ A)
                U = U / np.maximum(architecture.input_norm(U), 1e-300)
            if shared:
                A = V.T @ architecture.activations(Xl, Neurons(U, A))
                A = A / np.maximum(np.linalg.norm(A, axis=0), 1e-300)
        neurons = Neurons(U, A)
        scores = np.einsum("nm,nm->m", V @ A, architecture.activations(Xl, neurons))
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= 0.95 * min(target, scores.max(initial=0.0))]
        masks = Xl @ U[:, order] > 0
        order = order[first_of_each(np.vstack([masks, A[:, order] > 0]))][:keep]
        exact = [self._exact(neurons.take(order[i : i + 1])) for i in range(order.size)]
        return _best_of(exact, Pricing(neurons.take(order), scores[order]))

    def _exact(self, neuron: Neurons) -> Pricing:
        """The best neuron with the same pattern and outputs: its target is scalar, ``V a``."""
        architecture = ReLU(self.architecture.slope, self.architecture.bias, "separate")
        mask = self.problem.lifted @ neuron.inputs > 0
        prices = architecture.on_patterns(
            self.problem.lifted, Patterns(mask, neuron.inputs), self.V @ neuron.outputs, 0.0
        )
        positive = prices.neurons.outputs[0] > 0
        neurons = prices.neurons.take(positive)
        return Pricing(
            Neurons(neurons.inputs, np.repeat(neuron.outputs, len(neurons), axis=1)), prices.scores[positive]
        )


def _best_of(exact: list[Pricing], climbed: Pricing) -> Pricing:
    """The exact neurons and those they were made from, best first; the latter only where they score more."""
    best = climbed
    for pricing in exact:
        best = _merge(best, pricing)
    return best

"""Networks whose neurons form paths from the inputs to the outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.network import Layer, Network
from bidual.theorems.problem import DeepProblem
from bidual.typing import Matrix, Vector


@final
@dataclass(frozen=True, eq=False)
class Paths:
    """``f(x) = sum_k s_k phi(x'w_k) a_k'`` with unit w_k and a_k: all closed forms have this shape.

    inputs : (p, m), outputs : (m, c), products : (m,) nonnegative, the product of a path's norms.
    """

    inputs: Matrix
    products: Vector
    outputs: Matrix

    @classmethod
    def of(cls, W: Matrix) -> Paths:
        """The paths of a linear map W (p, c): its singular triples."""
        U, s, Vt = np.linalg.svd(W, full_matrices=False)
        kept = s > max(W.shape) * np.finfo(float).eps * s[0]
        return cls(U[:, kept], s[kept], Vt[kept])

    def to_network(self, problem: DeepProblem) -> Network:
        """The balanced network: every layer of path k carries ``s_k^(1 / L)``, which makes its price least."""
        kept = self.products > 0
        root = self.products[kept] ** (1.0 / problem.n_layers)
        first, last = self.inputs[:, kept] * root, root[:, None] * self.outputs[kept]
        bias = np.zeros(root.size)
        if problem.normalisation is not None:
            first, bias = problem.normalisation.fold(first)
        inner = np.diag(root)
        if problem.branched and root.size > 1:
            first, bias, inner, last = first.T[:, :, None], bias[:, None], root[:, None, None], last[:, None, :]
        between = [Layer(inner, np.zeros_like(bias), problem.activation)] * (problem.n_layers - 2)
        end = Layer(last, np.zeros(last.shape[:-2] + last.shape[-1:]))
        return Network((Layer(first, bias, problem.activation), *between, end))

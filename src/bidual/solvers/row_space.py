"""Units that gate themselves, on fewer rows than features: the same problem in the space of the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np

from bidual.architectures import Neurons, ReLU
from bidual.network import Network
from bidual.operators.row_space import row_basis
from bidual.problem import Problem
from bidual.solvers.base import Iterate
from bidual.typing import Matrix


@final
@dataclass(frozen=True, eq=False)
class RowSpace:
    """``problem`` with ``X Q`` for X and its bias column, Q the ``basis`` (p, n): ``inner``, which has no bias.

    A neuron's inputs are charged by their 2-norm, so the best ones lie in the span of Q: both problems have the same
    optimum and the same dual vectors (:func:`~bidual.operators.row_space.row_basis`).
    """

    problem: Problem
    basis: Matrix
    inner: Problem

    @classmethod
    def of(cls, problem: Problem) -> Self | None:
        """None where there are no more features than rows, or what is charged is no 2-norm of the inputs."""
        architecture = problem.architecture
        if not isinstance(architecture, ReLU) or architecture.bias == "free":
            return None
        basis = row_basis(problem.lifted)
        if basis is None:
            return None
        inner = replace(problem, X=problem.lifted @ basis, architecture=replace(architecture, bias="none"))
        return cls(problem, basis, inner)

    def start(self, network: Network) -> Network:
        """The network on the rows in the coordinates of the basis."""
        neurons, t = self.problem.architecture.from_network(network)
        U = self.basis.T @ neurons.inputs
        length = np.linalg.norm(U, axis=0)
        seen = length > 0.0
        inner = Neurons(U[:, seen] / length[seen], neurons.outputs[:, seen])
        return self.inner.architecture.to_network(inner, (t * length)[seen], network.layers[-1].bias)

    def back(self, iterate: Iterate) -> Iterate:
        """The iterate of the problem, from one of :attr:`inner` about which nothing is proven."""
        neurons, t = self.inner.architecture.from_network(iterate.network)
        network = self.problem.architecture.to_network(self._back(neurons), t, iterate.network.layers[-1].bias)
        pricing = replace(iterate.pricing, neurons=self._back(iterate.pricing.neurons))
        return replace(iterate, network=network, pricing=pricing)

    def _back(self, neurons: Neurons) -> Neurons:
        return replace(neurons, inputs=self.basis @ neurons.inputs)

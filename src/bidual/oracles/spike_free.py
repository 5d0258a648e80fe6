"""The oracle of d'Aspremont & Pilanci (2020): the best ReLU unit that is active on every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Neurons, Patterns, ReLU
from bidual.errors import RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.problem import Problem
from bidual.typing import Expired, Outputs, never


@final
@dataclass(frozen=True)
class SpikeFree(Oracle):
    """``max v'Xu`` over units active on every row, ``Xu >= 0`` and ``|u| <= 1``, for each output and sign.

    It equals ``min over z >= 0 of |X'(v + z)|``, a nonnegative least squares problem (d'Aspremont & Pilanci 2020, where
    it is a second-order cone program).

    It is the best ReLU unit for spike-free rows: orthonormal ones (whitened data with no more rows than features, no
    bias), where it is ``X'v_+ / |v_+|``. For other rows there may be better units, so it proves nothing.
    """

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        if not isinstance(problem.architecture, ReLU):
            name = type(problem.architecture).__name__
            raise RefusedError(f"SpikeFree finds ReLU units, not {name} units; use Enumerated, Swept or Sampled")
        Xl = problem.lifted
        everywhere = Patterns(np.ones((len(Xl), 1), dtype=bool), np.zeros((Xl.shape[1], 1)))
        prices = problem.architecture.on_patterns(Xl, everywhere, V, 0.0)
        return Pricing(prices.neurons, prices.scores)

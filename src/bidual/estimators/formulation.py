"""The training problem without its data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from bidual.architectures import Architecture
from bidual.estimators.encoding import Encoding
from bidual.estimators.rows import WeightedRows
from bidual.estimators.targets import Targets
from bidual.losses import Loss
from bidual.penalties import Penalty
from bidual.problem import Problem


@final
@dataclass(frozen=True, eq=False)
class Formulation:
    """What was minimised: the parts of the problem, and the encoding that turns data into it."""

    loss: Loss
    architecture: Architecture
    penalty: Penalty
    intercept: bool
    standardize: bool
    encoding: Encoding

    def problem(self, rows: WeightedRows) -> Problem:
        """The problem of these rows."""
        X, Y, weights = self.encoding.encode(rows)
        return Problem(X, Y, self.loss, self.architecture, self.penalty, weights, self.intercept)

    def priced(self, penalty: Penalty) -> Formulation:
        """The same with another penalty."""
        return replace(self, penalty=penalty)

    def encoding_of(self, rows: WeightedRows) -> Encoding:
        """The encoding that these rows would have been given."""
        return fit_encoding(rows, self.encoding.targets, self.architecture, self.intercept, self.standardize)


def fit_encoding(
    rows: WeightedRows, targets: Targets, architecture: Architecture, intercept: bool, standardize: bool
) -> Encoding:
    """Inputs are centered if the units have a bias, targets if there is an output intercept; images are scaled channel
    by channel."""
    centered = architecture.bias != "none"
    return Encoding.fit(
        rows,
        targets,
        standardize=standardize,
        center_inputs=centered,
        center_targets=intercept,
        patches=architecture.patches,
    )

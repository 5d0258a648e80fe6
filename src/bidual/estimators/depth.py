"""Networks of three layers and more: which there are, how they are solved, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bidual.architectures import Architecture, ParallelGated, ParallelReLU3
from bidual.architectures.arrangement import most_cells
from bidual.errors import InvalidParameterError
from bidual.gates import GateNetwork
from bidual.oracles import Sampled, SecondMasks
from bidual.solvers import WideProgram
from bidual.typing import Rows

MOST_ROWS = 12
"""Up to so many distinct rows, all patterns of ReLU sub-networks are searched, which takes seconds."""


def check_depth(n_layers: int, activation: str, image_shape: Any) -> None:
    """Raise InvalidParameterError, with the remedy, where networks of this depth are not trained."""
    if n_layers == 2:
        return
    if image_shape is not None:
        raise InvalidParameterError(f"n_layers={n_layers} has no filters; set n_layers=2, or image_shape=None")
    if activation == "gated_relu" or (activation == "relu" and n_layers == 3):
        return
    if activation == "relu":
        remedy = "set n_layers=3, or activation='gated_relu', which has any depth"
    elif activation in ("linear", "identity"):
        remedy = "use DeepLinearRegressor, or set n_layers=2"
    else:
        remedy = "set n_layers=2, or activation='relu' or 'gated_relu'"
    raise InvalidParameterError(f"n_layers={n_layers} is not trained with activation={activation!r}; {remedy}")


def deepened(shallow: Architecture, params: Mapping[str, Any], X: Rows, seed: int) -> Architecture:
    """The class of networks of ``n_layers`` for the standardised rows X (n, d); that of two layers as it is."""
    bias, outputs = shallow.bias, shallow.outputs
    if params["n_layers"] == 2:
        return shallow
    if params["activation"] == "relu":
        drawn = None if searched(shallow.lift(X)) else int(params["n_patterns"])
        return ParallelReLU3(bias, outputs, first=drawn, seed=0 if drawn is None else seed)
    widths = [int(params["branch_width"])] * (params["n_layers"] - 2)
    gates = GateNetwork.sample(X, int(params["n_branches"]), widths, seed, bias=bias != "none")
    return ParallelGated(gates, bias, outputs)


def searched(Xl: Rows) -> bool:
    """True if the lifted rows are so few that all patterns of both layers are looked at."""
    n = len(Xl)
    return n <= MOST_ROWS and most_cells(n, int(np.linalg.matrix_rank(Xl))) <= SecondMasks().limit


def wide_program(params: Mapping[str, Any], architecture: ParallelReLU3, seed: int) -> WideProgram:
    """The solver of three-layer ReLU networks, on all patterns of the second layer or on ``n_branches`` drawn ones."""
    for name, usual in (("solver", ("auto", "wide_program")), ("oracle", ("auto",)), ("max_neurons", (None,))):
        if params[name] not in usual:
            raise InvalidParameterError(
                f"{name}={params[name]!r} is not known to ReLU networks of three layers; set {name}={usual[0]!r}"
            )
    return WideProgram(SecondMasks() if architecture.first is None else Sampled(int(params["n_branches"]), seed))

"""Networks of three layers and more: which there are, and which are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bidual.architectures import Architecture, ParallelGated
from bidual.errors import InvalidParameterError
from bidual.gates import GateNetwork
from bidual.typing import Rows


def check_depth(n_layers: int, activation: str, image_shape: Any) -> None:
    """Raise InvalidParameterError, with the remedy, where networks of this depth are not trained."""
    if n_layers == 2:
        return
    if image_shape is not None:
        raise InvalidParameterError(f"n_layers={n_layers} has no filters; set n_layers=2, or image_shape=None")
    if activation != "gated_relu":
        remedy = "set n_layers=2, or activation='gated_relu'"
        if activation in ("linear", "identity"):
            remedy = "use DeepLinearRegressor, or set n_layers=2"
        raise InvalidParameterError(f"n_layers={n_layers} is not trained with activation={activation!r}; {remedy}")


def deepened(shallow: Architecture, params: Mapping[str, Any], X: Rows, seed: int) -> Architecture:
    """The class of networks of ``n_layers`` for the standardised rows X (n, d); that of two layers as it is."""
    if params["n_layers"] == 2:
        return shallow
    widths = [int(params["branch_width"])] * (params["n_layers"] - 2)
    gates = GateNetwork.sample(X, int(params["n_branches"]), widths, seed, bias=shallow.bias != "none")
    return ParallelGated(gates, shallow.bias, shallow.outputs)

"""What can be exported: a network, or a fitted estimator's network in the user's units."""

from __future__ import annotations

from typing import Any

from bidual.errors import InvalidParameterError
from bidual.network import Network


def exported_network(model: Any) -> Network:
    """The network itself; of a fitted estimator, the one from raw features to raw targets or decision scores."""
    if isinstance(model, Network):
        return model
    if hasattr(model, "encoding_") and hasattr(model, "network_"):
        return model.encoding_.fold(model.network_)
    raise InvalidParameterError(
        f"model must be a Network or a fitted estimator of this library, got {type(model).__name__}; fit it first"
    )

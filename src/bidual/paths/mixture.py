"""The weighted mean of two networks, which is a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bidual.network import Network


def mixture(a: Network, b: Network, share: float) -> Network:
    """``(1 - share) a + share b``: the hidden units of both, bit for bit, and output weights in proportion.

    Its predictions are the weighted mean of theirs, and so is its size. For networks of one hidden layer.
    """
    if share in (0.0, 1.0):
        return b if share else a
    (hidden, last), (other_hidden, other_last) = a.layers, b.layers
    theirs = other_hidden.arrays
    units: dict[str, Any] = {
        name: np.concatenate([array, theirs[name]], axis=-1) for name, array in hidden.arrays.items()
    }
    weight = np.vstack([(1.0 - share) * last.weight, share * other_last.weight])
    bias = (1.0 - share) * last.bias + share * other_last.bias
    return Network((replace(hidden, **units), replace(last, weight=weight, bias=bias)))

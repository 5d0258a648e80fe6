"""Unit neurons: the elements whose weighted sum is a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bidual.typing import Gates, Matrix


@dataclass(frozen=True)
class Neurons:
    """m neurons of unit size: neuron j maps x to ``activation(<x, inputs[:, j]>) outputs[:, j]``.

    inputs : (p, m), or (p, 2, h, m) where a neuron is itself a network of first-layer units, h of each sign, unused
    ones 0. outputs : (c, m). gates : (q, m), what opens a gated neuron, in its architecture's terms (the direction
    whose sign does, q = p, or a path), or None.
    """

    inputs: Matrix
    outputs: Matrix
    gates: Gates | None = None

    def __len__(self) -> int:
        return self.inputs.shape[-1]

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Neurons:
        """The neurons at the given places."""
        gates = None if self.gates is None else self.gates[:, which]
        return Neurons(self.inputs[..., which], self.outputs[:, which], gates)

    def join(self, other: Neurons) -> Neurons:
        """These neurons followed by the others."""
        if len(self) == 0 or len(other) == 0:
            return self if len(other) == 0 else other
        gates = None
        if self.gates is not None and other.gates is not None:
            gates = np.concatenate([self.gates, other.gates], axis=1)
        return Neurons(
            np.concatenate(_alike(self.inputs, other.inputs), axis=-1),
            np.concatenate([self.outputs, other.outputs], axis=1),
            gates,
        )


def as_networks(inputs: Matrix) -> Matrix:
    """(p, 2, h, m): single units (p, m) are networks of one positive unit."""
    if inputs.ndim == 4:
        return inputs
    units = np.zeros((inputs.shape[0], 2, 1, inputs.shape[1]))
    units[:, 0, 0] = inputs
    return units


def _alike(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix]:
    """Inputs of the same shape, but for the last axis."""
    if a.shape[:-1] == b.shape[:-1]:
        return a, b
    a, b = as_networks(a), as_networks(b)
    h = max(a.shape[2], b.shape[2])
    wide = [np.zeros((*u.shape[:2], h, u.shape[3])) for u in (a, b)]
    for larger, u in zip(wide, (a, b), strict=True):
        larger[:, :, : u.shape[2]] = u
    return wide[0], wide[1]


def no_neurons(p: int, c: int, gated: bool = False) -> Neurons:
    """The empty list of neurons."""
    return Neurons(np.zeros((p, 0)), np.zeros((c, 0)), np.zeros((p, 0)) if gated else None)

"""Sub-networks of three layers without the rounding of an interior-point method."""

from __future__ import annotations

import numpy as np

from bidual.architectures import Neurons, no_neurons
from bidual.architectures.neurons import as_networks
from bidual.architectures.parallel_relu3 import sub_network
from bidual.typing import Matrix, Rows, Vector

NEAR = 1e-6
"""Relative size of what is rounding: of a unit, of a sub-network, and of a distance from a hyperplane or a kink."""


def unrounded(Xl: Rows, neurons: Neurons, t: Vector) -> tuple[Neurons, Vector]:
    """(neurons, t) on the patterns that they nearly have, so that a bound of these is one of them.

    What is negligible is left out. Where ``x_i'u`` of a unit, or ``z_i`` of a sub-network, is nearly 0, it is made 0 by
    the least change of all units together.
    """
    settled, sizes = no_neurons(Xl.shape[1], neurons.outputs.shape[0]), []
    for j in np.flatnonzero(t > NEAR * t.max(initial=0.0)):
        units = as_networks(neurons.inputs)[..., j].transpose(1, 2, 0)
        lengths = np.linalg.norm(units, axis=2)
        units = np.where((lengths > NEAR * lengths.sum())[..., None], units, 0.0)
        units = _moved(Xl, units)
        one = sub_network(units, neurons.outputs[:, j])
        if one is not None:
            settled = settled.join(one)
            sizes.append(t[j] * float(np.linalg.norm(units, axis=2).sum()))
    return settled, np.array(sizes)


def _moved(Xl: Rows, units: Matrix) -> Matrix:
    """The units (2, h, p) with distances and kinks that are nearly 0 at 0."""
    lengths, reach = np.linalg.norm(units, axis=2), np.linalg.norm(Xl, axis=1)
    sign, place = np.nonzero(lengths)
    U, p = units[sign, place], Xl.shape[1]
    scale = reach[:, None] * lengths[sign, place]
    Z = Xl @ U.T
    row, unit = np.nonzero(np.abs(Z) <= NEAR * scale)
    on_planes = np.zeros((row.size, len(U), p))
    on_planes[np.arange(row.size), unit] = Xl[row]
    slopes = np.where(Z > NEAR * scale, 1.0 - 2.0 * sign, 0.0)
    kinks = np.abs((slopes * Z).sum(axis=1)) <= NEAR * scale.sum(axis=1)
    on_kinks = slopes[kinks][:, :, None] * Xl[kinks][:, None]
    A = np.concatenate([on_planes, on_kinks]).reshape(-1, U.size)
    moved = units.copy()
    moved[sign, place] -= np.linalg.lstsq(A, A @ U.ravel())[0].reshape(U.shape)
    return moved

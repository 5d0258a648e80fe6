"""Units that are linear on pieces, and so scale with their weights: ReLU and its kin, gated and linear units."""

from __future__ import annotations

from abc import abstractmethod
from math import inf

import numpy as np

from bidual.architectures.base import Architecture, Witness
from bidual.architectures.neurons import Neurons
from bidual.architectures.parallel_relu3 import ParallelReLU3
from bidual.architectures.patterns import Patterns
from bidual.errors import RefusedError
from bidual.operators.bits import Bits
from bidual.typing import Masks, Matrix, Outputs, Rows, Vector


class PiecewiseLinear(Architecture):
    """Units ``slope(x) u'x``. ``|u|`` is the 2-norm (without a free bias), so both layers can share an amplitude."""

    def input_norm(self, U: Matrix) -> Vector:
        return np.linalg.norm(U[:-1] if self.bias == "free" else U, axis=0)

    def split(self, amplitudes: Vector) -> tuple[Vector, Vector]:
        """Both layers carry ``sqrt(t_j)``, which makes weight decay least."""
        root = np.sqrt(amplitudes)
        return root, root

    @abstractmethod
    def slopes(self, Xl: Rows, neurons: Neurons, Z: Matrix | None = None) -> Matrix:
        """(n, m): the activation's slope at each lifted row, the activation being ``slopes * Z``; ``Z = Xl @ inputs``
        may be passed where it is known."""

    def activations(self, Xl: Rows, neurons: Neurons) -> Matrix:
        Z = Xl @ neurons.inputs
        return self.slopes(Xl, neurons, Z) * Z

    def bound_by_witness(self, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        """``max over patterns, outputs and signs of ||+-X'D v + (S X)'mu||``."""
        data = self.masked(Xl, self.proof_masks(Xl, patterns))
        separate = self.outputs == "separate" or V.shape[1] == 1
        if separate and self.bias != "free" and witness is None:
            return float(data.lengths(V).max(initial=0.0))
        return self.bound_of(data.adjoint(V), Xl, patterns, V, witness)

    def proof_masks(self, Xl: Rows, patterns: Patterns) -> Masks | Bits:
        """The listed masks; for units that are open everywhere, all true."""
        everywhere = self.most_patterns(*Xl.shape) == 1
        return np.ones(patterns.bits.shape, dtype=bool) if everywhere else patterns.bits

    def bound_of(self, C: Matrix, Xl: Rows, patterns: Patterns, V: Outputs, witness: Witness | None) -> float:
        """What the witness proves where C (P, p, c) holds ``X'D v``."""
        free = self.bias == "free"
        if self.outputs == "shared" and V.shape[1] > 1:
            return inf if free else float(np.linalg.svd(C, compute_uv=False)[:, 0].max(initial=0.0))
        rounding = 1e-12 * float(np.abs(V).sum())
        norms = np.repeat(np.linalg.norm(C, axis=1)[:, :, None], 2, axis=2)
        if free:
            norms = np.where((np.abs(C[:, -1]) <= rounding)[:, :, None], norms, np.inf)
        if witness is not None:
            S = np.where(patterns.masks, 1.0, -1.0)
            for (j, k, sign), a, b in zip(witness.blocks, witness.start[:-1], witness.start[1:], strict=True):
                rows, mu = witness.rows[a:b], witness.values[a:b]
                point = sign * C[j, :, k] + Xl[rows].T @ (S[rows, j] * mu)
                closed = not free or abs(point[-1]) <= max(rounding, 1e-12 * np.abs(C[j, :, k]).sum())
                proven = float(np.linalg.norm(point[:-1] if free else point)) if closed else np.inf
                place = (j, k, 0 if sign > 0 else 1)
                norms[place] = min(norms[place], proven)
        return float(norms.max(initial=0.0))


def linear_pieces(architecture: Architecture) -> PiecewiseLinear:
    """The architecture of the units; RefusedError if they are not linear on pieces."""
    if isinstance(architecture.units, PiecewiseLinear):
        return architecture.units
    raise RefusedError(bent_refusal(architecture))


def bent_refusal(architecture: Architecture) -> str | None:
    """Why a solver that moves neurons within linear pieces cannot use the architecture."""
    if isinstance(architecture.units, PiecewiseLinear):
        return None
    bent = f"{type(architecture).__name__} units are not linear on pieces; use the solver Incremental"
    return deep_refusal(architecture) or bent


def deep_refusal(architecture: Architecture) -> str | None:
    """Why a solver of two-layer networks cannot use the architecture."""
    if not isinstance(architecture, ParallelReLU3):
        return None
    return "ParallelReLU3 neurons are networks of several units themselves; use the solver WideProgram"

"""Relaxed units: where a sum of unit activations can lie on each row, if only two moments of the units are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.typing import Matrix, Rows, Vector


@dataclass(frozen=True)
class Ends:
    """The mean activations of B relaxed units on n rows lie between ``low`` (n, B) and ``high`` (n, B).

    touch : weights (n, B) -> where the ends touch |z|: ``|z| <= t/2 + z^2/(2t)`` at a high end (rows of positive
    weight), ``|z| >= t z + (1 - |t|) z^2/nu`` at a low end (the other rows).
    pull : weights w (n, B) -> the gradient (B, p+1, r) of ``sum w high`` over w > 0 plus ``sum w low`` over w < 0.
    """

    high: Matrix
    low: Matrix
    touch: Callable[[Matrix], Matrix]
    pull: Callable[[Matrix], Matrix]

    def best(self, w: Matrix) -> Vector:
        """(B,): ``sum w high`` over w > 0 plus ``sum w low`` over w < 0."""
        return np.sum(w * np.where(w > 0, self.high, self.low), axis=0)


@final
@dataclass(frozen=True)
class RelaxedUnits:
    """Means ``E phi(x_i'u)`` over units u on the sphere, ``phi(z) = mean z + half |z|``, as the moments ``w = E u`` and
    ``W = E uu'`` enclose them: with z = x_i'w, q = x_i'W x_i, nu_i = ||x_i||,

    ``max(|z|, q/nu_i) <= E |x_i'u| <= sqrt(q)``,

    by the triangle inequality, by ``|z| >= z^2/nu`` for ``|z| <= nu``, and by Cauchy-Schwarz. A block M = (a, G)
    (p+1, r) stands for ``w = G a, W = G G'``, both a and G scaled to norm 1: every such pair is a pair of moments, of
    rank r at most (Burer & Monteiro 2003). Kinks are rounded over ``width``.
    """

    X: Rows
    mean: float
    half: float
    nu: Vector

    def ends(self, blocks: Matrix, width: float) -> Ends:
        """The ends of each block of M (B, p+1, r)."""
        (a, size), (G, length) = _unit(blocks[:, :1]), _unit(blocks[:, 1:])
        Z = np.matmul(self.X, G)  # (B, n, r)
        z, q = np.einsum("bnr,br->nb", Z, a[:, 0]), np.einsum("bnr,bnr->nb", Z, Z)
        root, bent, secant = np.sqrt(q + width**2), np.sqrt(z * z + width**2), q / self.nu[:, None]
        ahead = bent - width - secant
        apart = np.sqrt(ahead * ahead + width**2)
        least = 0.5 * (bent - width + secant + apart - width)
        share = 0.5 * (1.0 + ahead / apart)  # of |z| in the larger of |z| and the secant
        slope = share * z / bent

        def pull(w: Matrix) -> Matrix:
            dz = w * (self.mean + self.half * np.where(w > 0, 0.0, slope))
            dq = w * self.half * np.where(w > 0, 0.5 / root, (1.0 - share) / self.nu[:, None])
            dG = np.matmul(self.X.T, dz.T[:, :, None] * a + 2.0 * dq.T[:, :, None] * Z)
            da = np.einsum("nb,bnr->br", dz, Z)[:, None]
            return np.concatenate([_tangent(da, a) / size, _tangent(dG, G) / length], axis=1)

        return Ends(
            self.mean * z + self.half * root,
            self.mean * z + self.half * least,
            lambda w: np.where(w > 0, root, np.clip(slope, -1.0, 1.0)),
            pull,
        )


def relaxed_units(X: Rows, slope: float) -> RelaxedUnits:
    """Units ``phi(z) = max(z, 0) + slope min(z, 0)`` on the rows X (n, p)."""
    nu = np.linalg.norm(X, axis=1)
    return RelaxedUnits(X, (1.0 + slope) / 2.0, (1.0 - slope) / 2.0, np.where(nu > 0, nu, 1.0))


def _unit(parts: Matrix) -> tuple[Matrix, Matrix]:
    """Each part (B, k, r) over its norm, and the norms (B, 1, 1)."""
    norms = np.linalg.norm(parts, axis=(1, 2), keepdims=True) + 1e-150
    return parts / norms, norms


def _tangent(gradient: Matrix, unit: Matrix) -> Matrix:
    """The gradient (B, k, r) without its component along the unit parts."""
    return gradient - np.sum(gradient * unit, axis=(1, 2), keepdims=True) * unit

"""Closed-form upper bounds of the largest neuron score, valid in any dimension and for any number of neurons."""

from __future__ import annotations

import numpy as np

from bidual.operators.blocks import row_blocks
from bidual.typing import Outputs, Rows, Vector


def rectifier(X: Rows, v: Vector, slope: float, free: bool = False) -> float:
    """A bound of ``max over |u| <= 1 of |sum_i v_i phi(x_i'u)|``, phi with the given negative slope; X (n, p), v (n,).

    ``phi(z) = slope z + (1 - slope) max(z, 0)`` leaves the rectifier, for which the least of four bounds is taken:
    ``max(sum v_+ nu, sum v_- nu)``, nu_i = ||x_i||; ``sigma_max(X) max(||v_+||, ||v_-||)``; and, from
    ``max(z, 0) = z/2 + |z|/2``, ``||X'v||/2`` plus half a bound of ``max of sum_i w_i |x_i'u|`` for w = v_+ or v_-,
    which by Cauchy-Schwarz is at most ``sqrt(sum w_i nu_i lambda_max(sum w_i x_i x_i'/nu_i))``.

    With a free bias (the last column, outside the norm; needs sum v = 0) phi is 1-Lipschitz around the bias:
    ``sum |v_i| nu_i`` and ``sigma_max ||v||``, with the rows of X centred.
    """
    if free:
        return _lipschitz(X[:, :-1], v, max(1.0, abs(slope)))
    nu = np.linalg.norm(X, axis=1)
    linear = float(np.linalg.norm(X.T @ v))
    parts = (np.maximum(v, 0.0), np.maximum(-v, 0.0))
    plain = max(float(part @ nu) for part in parts)
    spectral = float(np.linalg.norm(X, 2)) * max(float(np.linalg.norm(part)) for part in parts)
    split = max(_absolute(X, part, nu) for part in parts)
    return abs(slope) * linear + (1.0 - slope) * min(plain, spectral, (linear + split) / 2.0)


def _absolute(X: Rows, w: Vector, nu: Vector) -> float:
    """A bound of ``max over |u| <= 1 of sum_i w_i |x_i'u|`` for w >= 0."""
    scaled = X * np.sqrt(w / np.where(nu > 0, nu, 1.0))[:, None]
    return float(np.sqrt(w @ nu) * np.linalg.norm(scaled, 2))


def _lipschitz(X: Rows, v: Vector, constant: float) -> float:
    X = X - X.mean(axis=0)
    nu = np.linalg.norm(X, axis=1)
    return constant * min(float(np.abs(v) @ nu), float(np.linalg.norm(X, 2) * np.linalg.norm(v)))


def gate(X: Rows, V: Outputs) -> Vector:
    """(c,): a bound of ``||X'D v||`` over every mask D for each column v of V (n, c): ``sum |v_i| nu_i`` and
    ``sigma_max ||v||``; X (n, p).

    In the unit of the largest entry, and block of rows by block of rows: X is not copied, and sigma_max is that of the
    Gram matrix, which is as accurate for the largest singular value.
    """
    unit = max(float(X.max(initial=0.0)), -float(X.min(initial=0.0))) or 1.0
    gram, plain = np.zeros((X.shape[1], X.shape[1])), np.zeros(V.shape[1])
    for rows in row_blocks(*X.shape):
        block = X[rows] / unit
        gram += block.T @ block
        plain += np.sqrt(np.vecdot(block, block)) @ np.abs(V[rows])
    return unit * np.minimum(plain, np.sqrt(np.linalg.eigvalsh(gram)[-1]) * np.linalg.norm(V, axis=0))

"""The functions that losses are made of, in NumPy alone: a certificate is proven again without any solver library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bidual.typing import Matrix, Vector


def expit(z: Matrix) -> Matrix:
    """``1 / (1 + exp(-z))``, accurate at both ends."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def logsumexp(Z: Matrix) -> Vector:
    """(n,): ``log sum_k exp Z_ik`` of Z (n, c)."""
    top = Z.max(axis=1)
    return top + np.log(np.exp(Z - top[:, None]).sum(axis=1))


def softmax(Z: Matrix) -> Matrix:
    """(n, c): ``exp Z_ik / sum_l exp Z_il``."""
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def xlogx(x: Matrix) -> Matrix:
    """``x log x`` for x >= 0, 0 at 0."""
    return x * np.log(np.where(x > 0, x, 1.0))


def falling_root(f: Callable[[float], float], low: float, high: float) -> float:
    """The root of a decreasing function with ``f(low) > 0 > f(high)``: false position, where an end that stays twice
    counts half (the Illinois method: Dowell & Jarratt 1971)."""
    at_low, at_high, stays = f(low), f(high), 0
    for _ in range(200):
        t = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < t < high:
            t = 0.5 * (low + high)
        value = f(t)
        if value == 0.0 or high - low <= 4e-16 * high:
            return t
        if value > 0.0:
            low, at_low, at_high = t, value, at_high / 2 if stays == 1 else at_high
            stays = 1
        else:
            high, at_high, at_low = t, value, at_low / 2 if stays == -1 else at_low
            stays = -1
    return 0.5 * (low + high)


def rising_root(
    f: Callable[[Matrix], tuple[Matrix, Matrix]], low: Matrix, high: Matrix, start: Matrix | None = None
) -> Matrix:
    """Entry by entry, the root in [low, high] of an increasing function; f returns its value and its slope.

    Newton's steps, replaced by bisection where they leave the bracket, until they are below 1e-15 of its first width.
    """
    x = np.clip(0.0, low, high) if start is None else start
    rounding = 1e-15 * (1.0 + high - low)
    for _ in range(200):
        value, slope = f(x)
        low, high = np.where(value <= 0.0, x, low), np.where(value >= 0.0, x, high)
        before, x = x, x - value / slope
        x = np.where((low <= x) & (x <= high), x, 0.5 * (low + high))
        if np.all(np.abs(x - before) <= rounding + 4e-16 * np.abs(x)):
            break
    return x

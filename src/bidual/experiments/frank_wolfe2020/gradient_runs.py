"""Gradient runs from random starts: networks of a given width, many side by side."""

from __future__ import annotations

import numpy as np

from bidual.typing import Matrix, Vector

RATE, MOMENTS = 0.02, (0.9, 0.999)


def adam(A: Matrix, y: Vector, beta: float, width: int, runs: int, steps: int, seed: int) -> tuple[Matrix, Matrix]:
    """Weights (runs, d, width) and output weights (runs, width) after Adam with a falling step size on
    ``1/2 ||(AW)_+ v - y||^2 + beta/2 (||W||^2 + ||v||^2)``; the first ones are normal, in the scale of the targets.
    """
    rng, d = np.random.default_rng([seed, width]), A.shape[1]
    scale = (np.linalg.norm(y) / np.linalg.norm(A)) ** 0.5
    W = scale * rng.standard_normal((runs, d, width)) / np.sqrt(d)
    v = scale * rng.standard_normal((runs, width)) / np.sqrt(width)
    first, second = [np.zeros_like(W), np.zeros_like(v)], [np.zeros_like(W), np.zeros_like(v)]
    a, b = MOMENTS
    for step in range(1, steps + 1):
        H = np.maximum(A @ W, 0.0)
        residual = (H @ v[:, :, None])[:, :, 0] - y
        back = residual[:, :, None] * (H > 0) * v[:, None, :]
        slopes = (A.T @ back + beta * W, (residual[:, None, :] @ H)[:, 0] + beta * v)
        pace = RATE * scale * 0.5 * (1 + np.cos(np.pi * step / (steps + 1))) * np.sqrt(1 - b**step) / (1 - a**step)
        for k, (weights, slope) in enumerate(zip((W, v), slopes, strict=True)):
            first[k] += (1 - a) * (slope - first[k])
            second[k] += (1 - b) * (slope * slope - second[k])
            weights -= pace * first[k] / (np.sqrt(second[k]) + 1e-12)
    return W, v


def objectives(A: Matrix, y: Vector, beta: float, W: Matrix, v: Matrix) -> Vector:
    """(runs,): ``1/2 ||(AW)_+ v - y||^2 + beta sum_j ||w_j|| |v_j|``, what balancing the neurons leaves."""
    residual = (np.maximum(A @ W, 0.0) @ v[:, :, None])[:, :, 0] - y
    return np.asarray(0.5 * np.sum(residual**2, axis=1) + beta * np.sum(np.linalg.norm(W, axis=1) * np.abs(v), axis=1))

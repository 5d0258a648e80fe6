"""Whitened rows with normal targets."""

from __future__ import annotations

import numpy as np

from bidual.typing import Matrix

N, K = 20, 5


def orthonormal(seed: int) -> tuple[Matrix, Matrix]:
    """X (N, N) with ``XX' = I``, and targets (N, K) whose singular values are well apart."""
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.standard_normal((N, N)))[0]
    return X, rng.standard_normal((N, K)) * (1 - np.arange(K) / 6)

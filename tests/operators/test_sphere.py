"""The quadratic on the sphere: never below its values there, and attained."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidual.operators.sphere import sphere_maximum

EPS = np.finfo(float).eps


def quadratic(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 5))
    c, Q = rng.normal(size=p), rng.normal(size=(p, p))
    Q = Q + Q.T
    if kind == "hard":  # no linear part along the leading eigenvectors, of which there are two
        values, vectors = np.linalg.eigh(Q)
        values[-2:] = values[-1]
        Q, c = vectors @ np.diag(values) @ vectors.T, vectors[:, :-2] @ rng.normal(size=max(p - 2, 0)) * 0.1
    elif kind == "linear":
        Q = np.zeros((p, p))
    elif kind == "quadratic":
        c = np.zeros(p)
    elif kind == "concave":
        Q = -Q @ Q
    scale = 10.0 ** rng.integers(-100, 100)
    return scale * c, scale * Q


@pytest.mark.parametrize("kind", ["any", "hard", "linear", "quadratic", "concave"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_bound_is_the_maximum(kind: str, seed: int) -> None:
    c, Q = quadratic(kind, seed)
    size = float(np.linalg.norm(c) + np.linalg.norm(Q))
    bound = sphere_maximum(c, Q, 100 * EPS * size)
    w = np.random.default_rng(seed).normal(size=(2000, c.size))
    for _ in range(300):  # ascent: the shift makes every step rise
        w = w / np.linalg.norm(w, axis=1)[:, None]
        values = w @ c + np.einsum("ij,ij->i", w @ Q, w)
        assert values.max() <= bound
        w = w + 0.25 * (c + 2.0 * w @ Q) / size
    assert bound == pytest.approx(values.max(), abs=1e-4 * size)


def test_errors_up_to_the_rounding_are_covered() -> None:
    c, Q = quadratic("any", 1)
    rng, rounding = np.random.default_rng(0), 1e-3 * float(np.linalg.norm(c) + np.linalg.norm(Q))
    bound = sphere_maximum(c, Q, rounding)
    for _ in range(200):
        e, E = rng.normal(size=c.size), rng.normal(size=Q.shape)
        e, E = rounding * e / np.linalg.norm(e), rounding * (E + E.T) / np.linalg.norm(E + E.T, 2)
        assert sphere_maximum(c + e, Q + E, 1e-14 * rounding) <= bound

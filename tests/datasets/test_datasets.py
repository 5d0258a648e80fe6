"""Data sets are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.datasets import BUNDLED, load, planted_network
from bidual.errors import InvalidParameterError


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled(name: str) -> None:
    data = load(name)
    n, d = data.X.shape
    assert data.y.shape == (n,) and len(data.features) == d and np.isfinite(data.X).all()
    assert data.source and data.licence and data.description and data.target
    assert (data.y.dtype.kind == "U") == (data.task == "classification")


def test_unknown_name() -> None:
    with pytest.raises(InvalidParameterError, match="diabetes"):
        load("iris")


def test_planted_rows_follow_the_network() -> None:
    data = planted_network(50, 3, neurons=4, noise=0.1, seed=1)
    np.testing.assert_allclose(
        data.clean,
        sum(
            a * np.maximum(data.X @ w + b, 0)
            for a, w, b in zip(data.amplitudes, data.weights.T, data.biases, strict=True)
        ),
    )
    assert 0.05 < np.std(data.y - data.clean) / np.std(data.clean) < 0.2
    np.testing.assert_array_equal(planted_network(50, 3, 4, 0.1, 1).y, data.y)
    np.testing.assert_array_equal(planted_network(50, 3, noise=0).y, planted_network(50, 3, noise=0).clean)


@pytest.mark.parametrize("arguments", [(0, 1), (1, 0), (1, 1, 0), (1, 1, 1, -1.0)])
def test_planted_refuses(arguments: tuple[int, ...]) -> None:
    with pytest.raises(InvalidParameterError, match="must be at least"):
        planted_network(*arguments)

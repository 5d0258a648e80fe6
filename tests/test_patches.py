"""Patches against their twins, pixel by pixel."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidual.errors import InvalidParameterError
from bidual.patches import Patches


@st.composite
def patches(draw: st.DrawFn) -> Patches:
    height, width, channels = (draw(st.integers(1, 5)) for _ in range(3))
    shape = draw(st.sampled_from([(height, width), (height, width, channels)]))
    size = draw(st.integers(1, height)), draw(st.integers(1, width))
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return Patches(shape, size, stride, draw(st.sampled_from(["mean", "sum"])))


@given(patches())
def test_patches_are_windows_of_the_image(given: Patches) -> None:
    X = np.random.default_rng(0).normal(size=(3, given.n_inputs))
    (f, g), (s, t) = given.filter_size, given.stride
    twins = []
    for image in X.reshape(3, *given.image_shape):
        for i in range(0, image.shape[0] - f + 1, s):
            twins += [image[i : i + f, j : j + g].ravel() for j in range(0, image.shape[1] - g + 1, t)]
    np.testing.assert_array_equal(given(X), twins)
    assert given(X).shape == (3 * given.count, given.length) and given.positions[0] * given.positions[1] == given.count


@given(patches())
def test_spreading_is_the_adjoint_of_pooling(given: Patches) -> None:
    rng = np.random.default_rng(0)
    H, V = rng.normal(size=(2 * given.count, 3)), rng.normal(size=(2, 3))
    each = H.reshape(2, -1, 3)
    twin = np.array([h.sum(axis=0) / (len(h) if given.pooling == "mean" else 1) for h in each])
    np.testing.assert_allclose(given.pool(H), twin)
    np.testing.assert_allclose(np.sum(V * given.pool(H)), np.sum(given.spread(V) * H))


@given(patches())
def test_json_keeps_them(given: Patches) -> None:
    assert Patches(**json.loads(json.dumps(given.to_dict()))) == given


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"image_shape": (5,)}, r"image_shape must be \(height, width\) or \(height, width, channels\), got \(5,\)"),
        ({"image_shape": 25}, "image_shape must be"),
        ({"image_shape": (5, 0)}, "image_shape must hold positive integers"),
        ({"image_shape": (3, 32, 32)}, "filter_size=4 is larger than the image .* move channels to the last axis"),
        ({"filter_size": 2.0}, "filter_size must hold positive integers, got 2.0"),
        ({"filter_size": True}, "filter_size must hold positive integers"),
        ({"filter_size": (2, 2, 2)}, r"filter_size must be one number or \(height, width\)"),
        ({"stride": 0}, "stride must hold positive integers, got 0"),
        ({"pooling": "max"}, "pooling must be 'mean' or 'sum', got 'max'"),
    ],
)
def test_refusals(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidParameterError, match=sentence):
        Patches(**({"image_shape": (6, 6), "filter_size": 4} | wrong))

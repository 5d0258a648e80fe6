"""Images as stacks of patches: what the units of a convolutional layer see."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bidual.errors import InvalidParameterError
from bidual.typing import Matrix

Pooling = Literal["mean", "sum"]


@final
@dataclass(frozen=True)
class Patches:
    """The N windows of an image that a filter slides over, and how a unit's N outputs become one.

    Without padding: ``N = (1 + (height - f) // s) (1 + (width - f) // s)``, f the filter's size and s the stride.

    Parameters
    ----------
    image_shape : (height, width) or (height, width, channels); a row of X is such an image in C order
    filter_size : a number of pixels, or (height, width)
    stride : pixels from one window to the next, or (down, right)
    pooling : "mean" or "sum" of a unit's outputs on the patches of an image

    Raises
    ------
    InvalidParameterError
        Sizes that are no positive integers, filters larger than the image, or another pooling.
    """

    image_shape: tuple[int, ...]
    filter_size: tuple[int, int]
    stride: tuple[int, int]
    pooling: Pooling

    def __init__(self, image_shape: Any, filter_size: Any, stride: Any = 1, pooling: str = "mean"):
        shape, size, step = (
            _sizes("image_shape", image_shape),
            _pair("filter_size", filter_size),
            _pair("stride", stride),
        )
        if len(shape) not in (2, 3):
            raise InvalidParameterError(
                f"image_shape must be (height, width) or (height, width, channels), got {image_shape!r}"
            )
        if size[0] > shape[0] or size[1] > shape[1]:
            raise InvalidParameterError(
                f"filter_size={filter_size!r} is larger than the image of image_shape={image_shape!r}, which is "
                "(height, width) or (height, width, channels); take smaller filters, or move channels to the last axis"
            )
        if pooling not in ("mean", "sum"):
            raise InvalidParameterError(f"pooling must be 'mean' or 'sum', got {pooling!r}")
        for name, value in (("image_shape", shape), ("filter_size", size), ("stride", step), ("pooling", pooling)):
            object.__setattr__(self, name, value)

    @cached_property
    def index(self) -> NDArray[np.intp]:
        """(N, q): the columns of X that each patch holds, channels of a pixel side by side."""
        pixels = np.arange(self.n_inputs).reshape(*self.image_shape[:2], -1)
        windows = sliding_window_view(pixels, self.filter_size, axis=(0, 1))[:: self.stride[0], :: self.stride[1]]
        return windows.transpose(0, 1, 3, 4, 2).reshape(-1, self.length)

    def __call__(self, X: Matrix) -> Matrix:
        """(n N, q): the patches of each row of X (n, d), one image after the other."""
        return np.take(X, self.index, axis=1).reshape(-1, self.length)

    def pool(self, H: NDArray[Any]) -> NDArray[Any]:
        """(n, m): what a unit gives for an image, from what it gives for the patches, H (n N, m)."""
        each = H.reshape(H.shape[0] // self.count, self.count, H.shape[1])
        return each.mean(axis=1) if self.pooling == "mean" else each.sum(axis=1)

    def spread(self, V: NDArray[Any]) -> NDArray[Any]:
        """(n N, c): the adjoint of :meth:`pool`, ``<V, pool(H)> = <spread(V), H>``, V (n, c)."""
        return np.repeat(self.share * V, self.count, axis=0)

    @property
    def share(self) -> float:
        """What one patch counts: 1 for a sum, 1/N for a mean."""
        return 1.0 / self.count if self.pooling == "mean" else 1.0

    @property
    def count(self) -> int:
        """N, the patches of an image."""
        down, right = self.positions
        return down * right

    @property
    def positions(self) -> tuple[int, int]:
        """The places of the filter along the height and along the width."""
        (height, width, *_), (f, g), (s, t) = self.image_shape, self.filter_size, self.stride
        return 1 + (height - f) // s, 1 + (width - g) // t

    @property
    def length(self) -> int:
        """q, the numbers in a patch."""
        return self.filter_size[0] * self.filter_size[1] * self.channels

    @property
    def filter_shape(self) -> tuple[int, ...]:
        """That of a patch as an image: (height, width), and the channels if there are several."""
        return self.filter_size if self.channels == 1 else (*self.filter_size, self.channels)

    @property
    def channels(self) -> int:
        """1 for images of shape (height, width)."""
        return self.image_shape[2] if len(self.image_shape) == 3 else 1

    @property
    def n_inputs(self) -> int:
        """d, the columns of X."""
        return prod(self.image_shape)

    def to_dict(self) -> dict[str, Any]:
        """The parameters, as JSON holds them."""
        return asdict(self)


def _sizes(name: str, value: Any) -> tuple[int, ...]:
    given = tuple(value) if isinstance(value, tuple | list) else (value,)
    if not all(isinstance(v, int | np.integer) and not isinstance(v, bool) and v >= 1 for v in given):
        raise InvalidParameterError(f"{name} must hold positive integers, got {value!r}")
    return tuple(int(v) for v in given)


def _pair(name: str, value: Any) -> tuple[int, int]:
    given = _sizes(name, value)
    if len(given) not in (1, 2):
        raise InvalidParameterError(f"{name} must be one number or (height, width), got {value!r}")
    return given[0], given[-1]

"""Images that an archive holds as JPEG files, one after the other."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError, MissingDependencyError

KEYS = ("train_jpeg", "train_off", "train_y", "test_jpeg", "test_off", "test_y")


def decode_archive(archive: Mapping[str, Any]) -> list[NDArray[Any]]:
    """Training images (n, channels, height, width) and their labels (n,), then those to test on, in random order.

    ``train_jpeg`` holds the bytes of all files, of which file i begins at ``train_off[i]``. Such archives may be
    ordered by class; a fixed seed shuffles them.
    """
    arrays: list[NDArray[Any]] = []
    for part in ("train", "test"):
        content, offsets, y = (np.asarray(archive[f"{part}_{key}"]) for key in ("jpeg", "off", "y"))
        if content.dtype != np.uint8 or offsets.shape != (len(y) + 1,) or not _rising(offsets, content.size):
            raise InvalidDataError(f"{part}_off must hold where each of {len(y)} files in {part}_jpeg begins and ends")
        order = np.random.default_rng(0).permutation(len(y))
        images = [_decoded(content[offsets[i] : offsets[i + 1]].tobytes()) for i in order]
        if len({image.shape for image in images}) != 1:
            raise InvalidDataError(f"the images of {part}_jpeg must be of one size; fetch the archive again")
        arrays += [np.stack(images), y[order]]
    return arrays


def _rising(offsets: NDArray[Any], size: int) -> bool:
    return bool(offsets[0] == 0 and offsets[-1] == size and np.all(np.diff(offsets) > 0))


def _decoded(content: bytes) -> NDArray[np.uint8]:
    """(3, height, width): red, green and blue."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingDependencyError("decoding JPEG images needs Pillow: pip install 'bidual[plot]'") from error
    try:
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).transpose(2, 0, 1)
    except (UnidentifiedImageError, OSError) as error:
        raise InvalidDataError(f"{len(content)} bytes are not a JPEG image; fetch the archive again") from error

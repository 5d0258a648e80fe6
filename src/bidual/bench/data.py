"""The benchmark's data: teachers with two designs, and sets."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bidual.bench.cells import SETS, Cell
from bidual.datasets import load
from bidual.errors import InvalidDataError
from bidual.typing import Outputs, Rows

FASHION = "BIDUAL_FASHION_MNIST"
"""Environment variable: a folder with ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz``."""


def data(cell: Cell) -> tuple[Rows, Outputs]:
    """X (n, d) with a column of ones last, Y (n, c) as the cell's loss wants it.

    Raises InvalidDataError if the set is not on this machine.
    """
    if cell.data in SETS:
        X, y = _SETS[cell.data]()
        X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
        Y = np.eye(int(y.max()) + 1)[y.astype(int)] if cell.loss == "multinomial" else y[:, None]
        return np.column_stack([X, np.ones(len(X))]), np.asarray(Y, dtype=float)
    X, F = teacher(cell)
    if cell.loss == "multinomial":
        return X, np.eye(F.shape[1])[F.argmax(axis=1)]
    return X, np.sign(F) if cell.loss == "logistic" else F


def teacher(cell: Cell) -> tuple[Rows, Outputs]:
    """Ten ReLU neurons with 10 % noise on Gaussian rows: independent columns, or a rotated spectrum ``1 / sqrt(j)``."""
    n, d, _, c = cell.size
    rng = np.random.default_rng(cell.seed)
    Z = rng.normal(size=(n, d - 1))
    if cell.data == "power_law":
        spectrum = (1.0 + np.arange(d - 1)) ** -0.5
        rotation = np.linalg.qr(rng.normal(size=(d - 1, d - 1)))[0]
        Z = (Z * spectrum / np.sqrt(np.mean(spectrum**2))) @ rotation
    X = np.column_stack([Z, np.ones(n)])
    F = np.maximum(X @ rng.normal(size=(d, 10)), 0.0) @ rng.normal(size=(10, c))
    return X, (F - F.mean(axis=0)) / F.std(axis=0) + 0.1 * rng.normal(size=(n, c))


def _breast_cancer() -> tuple[Rows, NDArray[np.float64]]:
    bundled = load("breast_cancer")
    return bundled.X, np.where(bundled.y == "malignant", 1.0, -1.0)


def _digits() -> tuple[Rows, NDArray[np.float64]]:
    bundled = load("digits")
    return bundled.X, bundled.y.astype(float)


def _california_like() -> tuple[Rows, NDArray[np.float64]]:
    """As many rows and columns as California housing, and its traits: skewed columns, two coordinates on which the
    target depends without monotony, and a target cut off at its top."""
    (n, _, _, _), _ = SETS["california_like"]
    rng = np.random.default_rng(0)
    place = rng.normal(size=(n, 2)) + np.where(rng.random((n, 1)) < 0.5, 2.0, -2.0)
    skewed = np.exp(0.5 * rng.normal(size=(n, 6)) @ (np.eye(6) + 0.3))
    y = 0.4 * np.log(skewed[:, 0]) + 0.3 * np.sqrt(skewed[:, 1]) - 0.2 * np.abs(place).sum(axis=1)
    y = np.minimum((y - y.mean()) / y.std() + 0.3 * rng.normal(size=n), 2.0)
    return np.column_stack([skewed, place]), y - y.mean()


def _a9a_like() -> tuple[Rows, NDArray[np.float64]]:
    """One-hot columns of 14 fields, as those of a9a: 123 columns of which 14 are 1 in a row, one class in four."""
    (n, d, _, _), _ = SETS["a9a_like"]
    rng = np.random.default_rng(0)
    levels = np.full(14, (d - 1) // 14) + (np.arange(14) < (d - 1) % 14)
    fields = [rng.choice(k, size=n, p=np.arange(k, 0, -1) / (k * (k + 1) / 2)) for k in levels]
    X = np.hstack([np.eye(k)[field] for k, field in zip(levels, fields, strict=True)])
    score = X @ rng.normal(size=d - 1) + 2.0 * X[:, 0] * X[:, levels[0]] + rng.logistic(size=n)
    return X, np.where(score > np.quantile(score, 0.76), 1.0, -1.0)


def _fashion_mnist() -> tuple[Rows, NDArray[np.float64]]:
    """The 10,000 test images of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, MIT licence), from files at hand."""
    import gzip

    folder = Path(os.environ.get(FASHION, "/usr/share/datasets/fashion-mnist"))
    images, labels = (folder / f"t10k-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1"))
    if not (images.is_file() and labels.is_file()):
        raise InvalidDataError(
            f"Fashion-MNIST is not in {str(folder)!r}; set {FASHION} to the folder of {images.name} and {labels.name}"
        )
    X = np.frombuffer(gzip.decompress(images.read_bytes()), np.uint8, offset=16).reshape(-1, 784)
    return X / 255.0, np.frombuffer(gzip.decompress(labels.read_bytes()), np.uint8, offset=8).astype(float)


_SETS = {
    "breast_cancer": _breast_cancer,
    "digits": _digits,
    "california_like": _california_like,
    "a9a_like": _a9a_like,
    "fashion_mnist": _fashion_mnist,
}

"""The sets of images that the experiment is run on."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from bidual.datasets import ImageSet, load, load_images, missing_images
from bidual.experiments.base import Setting
from bidual.experiments.descent import missing_torch
from bidual.experiments.three_layer2021.image_rows import ImageRows, image_rows
from bidual.experiments.three_layer2021.images import Images
from bidual.patches import Patches


@final
class Digits(Images):
    """scikit-learn's digits, which are always there."""

    name = "images-digits"
    title = "digits"
    patches = Patches((8, 8), 4, 1)

    def rows(self, setting: Setting) -> ImageRows:
        data = load("digits")
        X, y = np.round(data.X * 255 / 16).astype(np.uint8), data.y.astype(np.intp)
        return image_rows(ImageSet(X[:1200], y[:1200], X[1200:], y[1200:]), 200 if setting.quick else 1200, 597)


class ImageFiles(Images):
    """A set of images that is read from a folder; ``trained`` of them are used unless all are asked for."""

    source: ClassVar[str]
    trained: ClassVar[int]

    def missing(self, setting: Setting) -> str | None:
        return missing_torch() or missing_images(self.source, setting.images)

    def rows(self, setting: Setting) -> ImageRows:
        assert setting.images is not None
        data = load_images(self.source, setting.images)
        if len(self.patches.image_shape) == 3:
            data = ImageSet(_channels_last(data.X), data.y, _channels_last(data.test_X), data.test_y)
        n = 200 if setting.quick else len(data.y) if setting.full else self.trained
        return image_rows(data, n, 500 if setting.quick else len(data.test_y))


@final
class FashionMNIST(ImageFiles):
    name = "images-fashion-mnist"
    title = "Fashion-MNIST"
    source = "fashion-mnist"
    trained = 2500
    patches = Patches((28, 28), 6, 2)


@final
class CIFAR10JPEG(ImageFiles):
    name = "images-cifar10-jpeg"
    title = "CIFAR-10 (JPEG)"
    source = "cifar10-jpeg"
    trained = 1200
    patches = Patches((32, 32, 3), 6, 2)


@final
class CIFAR10(ImageFiles):
    name = "images-cifar10"
    title = "CIFAR-10 (exact subset)"
    source = "cifar10"
    trained = 1200
    patches = Patches((32, 32, 3), 6, 2)


def _channels_last(X: np.ndarray) -> np.ndarray:
    """The files hold one channel after the other, patches take the channels of a pixel side by side."""
    return X.reshape(len(X), 3, 32, 32).transpose(0, 2, 3, 1).reshape(len(X), -1)

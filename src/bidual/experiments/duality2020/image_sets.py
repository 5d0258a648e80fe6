"""The sets of images that the experiment is run on."""

from __future__ import annotations

from typing import ClassVar, final

from bidual.datasets import load, load_images, missing_images
from bidual.experiments.base import Setting
from bidual.experiments.descent import missing_torch
from bidual.experiments.duality2020.images import Images
from bidual.experiments.duality2020.subsets import Subset, take


@final
class Digits(Images):
    """scikit-learn's digits, which are always there."""

    name = "images-digits"
    title = "digits"

    def subset(self, setting: Setting) -> Subset:
        data = load("digits")
        y = data.y.astype(int)
        return take(data.X[:800], y[:800], data.X[800:], y[800:], 3 if setting.quick else 4, 16.0)


class ImageFiles(Images):
    """A set of images that is read from a folder."""

    source: ClassVar[str]

    def missing(self, setting: Setting) -> str | None:
        return missing_torch() or missing_images(self.source, setting.images)

    def subset(self, setting: Setting) -> Subset:
        assert setting.images is not None
        data = load_images(self.source, setting.images)
        return take(data.X, data.y, data.test_X, data.test_y, 5 if setting.quick else 20, 255.0)


@final
class MNIST(ImageFiles):
    name = "images-mnist"
    title = "MNIST"
    source = "mnist"


@final
class FashionMNIST(ImageFiles):
    name = "images-fashion-mnist"
    title = "Fashion-MNIST"
    source = "fashion-mnist"


@final
class CIFAR10(ImageFiles):
    name = "images-cifar10"
    title = "CIFAR-10 (exact subset)"
    source = "cifar10"

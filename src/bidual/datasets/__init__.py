"""Small data sets as plain arrays, each with its source and licence; nothing is downloaded."""

from bidual.datasets.bundled import BUNDLED, Dataset, load
from bidual.datasets.images import IMAGES, ImageSet, load_images, missing_images
from bidual.datasets.planted import Planted, planted_network

__all__ = [
    "BUNDLED",
    "IMAGES",
    "Dataset",
    "ImageSet",
    "Planted",
    "load",
    "load_images",
    "missing_images",
    "planted_network",
]

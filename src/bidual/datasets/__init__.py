"""Small data sets as plain arrays, each with its source and licence; nothing is downloaded."""

from bidual.datasets.bundled import BUNDLED, Dataset, load
from bidual.datasets.planted import Planted, planted_network

__all__ = ["BUNDLED", "Dataset", "Planted", "load", "planted_network"]

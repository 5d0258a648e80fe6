"""One class of networks per file: its neurons, their cone, their best scores, its map to a network."""

from bidual.architectures.base import Architecture, PatternPrices, Witness
from bidual.architectures.gated import GatedReLU
from bidual.architectures.linear import Linear
from bidual.architectures.neurons import Neurons, no_neurons
from bidual.architectures.patterns import Patterns
from bidual.architectures.relu import ReLU

ARCHITECTURES: dict[str, type[Architecture]] = {"relu": ReLU, "gated": GatedReLU, "linear": Linear}

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "GatedReLU",
    "Linear",
    "Neurons",
    "PatternPrices",
    "Patterns",
    "ReLU",
    "Witness",
    "no_neurons",
]

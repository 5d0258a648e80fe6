"""One class of networks per file: its neurons, their cone, their best scores, its map to a network."""

from bidual.architectures.base import Architecture, PatternPrices, Witness
from bidual.architectures.bounded import Bounded
from bidual.architectures.branches import Branches
from bidual.architectures.convolutional import Convolutional
from bidual.architectures.gated import Gated, GatedReLU
from bidual.architectures.grouped import Grouped
from bidual.architectures.linear import Linear
from bidual.architectures.neurons import Neurons, no_neurons
from bidual.architectures.parallel_gated import ParallelGated
from bidual.architectures.parallel_relu3 import ParallelReLU3
from bidual.architectures.patterns import Patterns
from bidual.architectures.pieces import PiecewiseLinear
from bidual.architectures.relu import ReLU
from bidual.architectures.sign import Sign
from bidual.architectures.tanh import Tanh

ARCHITECTURES: dict[str, type[Architecture]] = {
    "relu": ReLU,
    "gated": GatedReLU,
    "parallel_gated": ParallelGated,
    "linear": Linear,
    "sign": Sign,
    "tanh": Tanh,
    "parallel_relu3": ParallelReLU3,
}

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Bounded",
    "Branches",
    "Convolutional",
    "Gated",
    "GatedReLU",
    "Grouped",
    "Linear",
    "Neurons",
    "ParallelGated",
    "ParallelReLU3",
    "PatternPrices",
    "Patterns",
    "PiecewiseLinear",
    "ReLU",
    "Sign",
    "Tanh",
    "Witness",
    "no_neurons",
]

"""Bengio et al. (2006): networks whose hidden units are added one by one."""

from bidual.experiments.base import Paper
from bidual.experiments.bengio2006.boundaries import Boundaries
from bidual.experiments.bengio2006.convergence import Convergence
from bidual.experiments.bengio2006.double_moon import DoubleMoon
from bidual.experiments.bengio2006.real_data import RealData

BENGIO2006 = Paper(
    "Bengio, Le Roux, Vincent, Delalleau & Marcotte (2006), Convex neural networks, NIPS 18",
    (DoubleMoon(), Boundaries(), Convergence(), RealData()),
)

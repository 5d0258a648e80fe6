"""Ergen & Pilanci (2020): deep networks in closed form, beside networks that were trained."""

from bidual.experiments.base import Paper
from bidual.experiments.duality2020.image_sets import CIFAR10, MNIST, Digits, FashionMNIST
from bidual.experiments.duality2020.layers import Layers
from bidual.experiments.duality2020.ranks import Ranks
from bidual.experiments.duality2020.strong_duality import StrongDuality

DUALITY2020 = Paper(
    "Ergen & Pilanci (2020), Revealing the structure of deep neural networks via convex duality, arXiv 2002.09773",
    (Ranks(), Layers(), StrongDuality(), Digits(), MNIST(), FashionMNIST(), CIFAR10()),
)

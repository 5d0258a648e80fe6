"""Ergen & Pilanci (2021): parallel sub-networks of three layers by convex programs, beside gradient runs."""

from bidual.experiments.base import Paper
from bidual.experiments.three_layer2021.gates import Gates
from bidual.experiments.three_layer2021.image_sets import CIFAR10, CIFAR10JPEG, Digits, FashionMNIST
from bidual.experiments.three_layer2021.optima import Optima
from bidual.experiments.three_layer2021.patterns import Patterns
from bidual.experiments.three_layer2021.strong_duality import StrongDuality
from bidual.experiments.three_layer2021.widths import Widths

THREE_LAYER2021 = Paper(
    "Ergen & Pilanci (2021), Global optimality beyond two layers: training deep ReLU networks via convex programs, "
    "arXiv:2110.05518",
    (StrongDuality(), Optima(), Widths(), Patterns(), Digits(), FashionMNIST(), CIFAR10JPEG(), CIFAR10(), Gates()),
)

"""Networks planted in the data: one ReLU neuron by a convex problem, several by gradient descent."""

from bidual.planted.gradient_descent import Descent, gradient_descent
from bidual.planted.objectives import OBJECTIVES, Continuous, Modified, Objective, Plain
from bidual.planted.single_neuron import PlantedFit, fit_planted_relu

__all__ = [
    "OBJECTIVES",
    "Continuous",
    "Descent",
    "Modified",
    "Objective",
    "Plain",
    "PlantedFit",
    "fit_planted_relu",
    "gradient_descent",
]

"""Ergen & Pilanci (2019): what the relaxation of a planted neuron does, and what it does for several."""

from bidual.experiments.base import Paper
from bidual.experiments.shallow2019.objectives import Objectives
from bidual.experiments.shallow2019.one_neuron import OneNeuron
from bidual.experiments.shallow2019.one_neuron_rates import OneNeuronRates
from bidual.experiments.shallow2019.realisability import Realisability
from bidual.experiments.shallow2019.several_neurons import SeveralNeurons
from bidual.experiments.shallow2019.several_neurons_rates import SeveralNeuronsRates

SHALLOW2019 = Paper(
    "Ergen & Pilanci (2019), Convex optimization for shallow neural networks, Allerton Conference",
    (Objectives(), OneNeuron(), OneNeuronRates(), Realisability(), SeveralNeurons(), SeveralNeuronsRates()),
)

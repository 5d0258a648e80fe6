"""Plots of fits and networks, in scikit-learn's manner; matplotlib is imported when one is drawn."""

from __future__ import annotations

from bidual.display.activation_patterns import ActivationPatternDisplay
from bidual.display.architecture import ArchitectureDisplay
from bidual.display.base import Display
from bidual.display.convergence import ConvergenceDisplay
from bidual.display.effects import EffectPanel, EffectsDisplay
from bidual.display.function import FunctionDisplay
from bidual.display.neurons import NeuronDisplay
from bidual.display.regularization_path import RegularizationPathDisplay
from bidual.display.responses import Response

DISPLAYS: tuple[type[Display], ...] = (
    ActivationPatternDisplay,
    ArchitectureDisplay,
    ConvergenceDisplay,
    EffectsDisplay,
    FunctionDisplay,
    NeuronDisplay,
)

__all__ = [
    "DISPLAYS",
    "ActivationPatternDisplay",
    "ArchitectureDisplay",
    "ConvergenceDisplay",
    "Display",
    "EffectPanel",
    "EffectsDisplay",
    "FunctionDisplay",
    "NeuronDisplay",
    "RegularizationPathDisplay",
    "Response",
]

"""Plots of fits and networks, in scikit-learn's manner; matplotlib is imported when one is drawn."""

from __future__ import annotations

from bidual.display.base import Display
from bidual.display.convergence import ConvergenceDisplay
from bidual.display.function import FunctionDisplay

DISPLAYS: tuple[type[Display], ...] = (ConvergenceDisplay, FunctionDisplay)

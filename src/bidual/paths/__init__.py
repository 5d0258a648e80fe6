"""Regularisation paths: the training problem at every strength of a range, each certified."""

from bidual.paths.certified import RegularizationPath, path
from bidual.paths.mixture import mixture
from bidual.paths.span import Knot, Span
from bidual.paths.strengths import at_strength, falling_strengths

__all__ = ["Knot", "RegularizationPath", "Span", "at_strength", "falling_strengths", "mixture", "path"]

"""Globally optimal networks in closed form, one theorem per file (Ergen & Pilanci 2020)."""

from bidual.theorems.base import Theorem
from bidual.theorems.batch_norm import BatchNorm
from bidual.theorems.certificate import TheoremCertificate
from bidual.theorems.deep_scalar import DeepScalar
from bidual.theorems.descent import ProximalDescent
from bidual.theorems.interpolation import LinearInterpolation
from bidual.theorems.nuclear import NuclearNorm
from bidual.theorems.paths import Paths
from bidual.theorems.problem import DeepProblem
from bidual.theorems.projection import Projection
from bidual.theorems.prox import prox
from bidual.theorems.rank_one import RankOneReLU
from bidual.theorems.solve import THEOREMS, ClosedForm, closed_form, solve
from bidual.theorems.whitened_linear import WhitenedLinear
from bidual.theorems.whitened_relu import WhitenedReLU

__all__ = [
    "THEOREMS",
    "BatchNorm",
    "ClosedForm",
    "DeepProblem",
    "DeepScalar",
    "LinearInterpolation",
    "NuclearNorm",
    "Paths",
    "Projection",
    "ProximalDescent",
    "RankOneReLU",
    "Theorem",
    "TheoremCertificate",
    "WhitenedLinear",
    "WhitenedReLU",
    "closed_form",
    "prox",
    "solve",
]

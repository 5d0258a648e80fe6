"""The certificate of a closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

from bidual.certificate import relative
from bidual.errors import CertificateError
from bidual.network import Network
from bidual.theorems.base import Theorem
from bidual.theorems.problem import DeepProblem

ROUNDING = 1e-12
"""Of an objective, relative to it."""


@final
@dataclass(frozen=True)
class TheoremCertificate:
    """``dual <= objective of every network in the scope of the theorem``, ``primal`` the one of this network.

    ``dual`` is below the theorem's bound by more than the rounding of its computation. ``theorem`` says what was used;
    ``method`` is its name. Scope "global" is every network of the problem, of any width and any number of branches,
    unless the theorem's docstring narrows it.
    """

    primal: float
    dual: float
    theorem: Theorem
    scope: Literal["global"] = "global"

    @property
    def method(self) -> str:
        """The name of the theorem."""
        return self.theorem.name

    @property
    def gap(self) -> float:
        """``primal - dual``, never below 0 but for rounding."""
        return self.primal - self.dual

    @property
    def relative_gap(self) -> float:
        """``gap / |primal|`` (0 when both vanish)."""
        return relative(self.gap, self.primal)

    @classmethod
    def of(cls, theorem: Theorem, problem: DeepProblem, network: Network) -> TheoremCertificate:
        """Computed from the data and the weights."""
        primal = problem.objective(network)
        dual = theorem.bound(problem, network) - ROUNDING * primal
        return cls(primal, max(dual, 0.0), theorem)

    def verify(self, problem: DeepProblem, network: Network, rtol: float = 1e-9) -> None:
        """Prove both numbers again from the data and the network, with NumPy and SciPy only.

        Raises CertificateError at the first number that does not follow.
        """
        refusal = problem.refusal(network) or self.theorem.outside(problem, network)
        if not self.theorem.covers(problem):
            refusal = f"{self.method} proves nothing here: it is about {self.theorem.about}"
        if refusal is not None:
            raise CertificateError(refusal)
        if self.scope != "global":
            raise CertificateError(f"theorems prove bounds of scope 'global', got {self.scope!r}")
        proven = type(self).of(self.theorem, problem, network)
        if not math.isfinite(proven.primal):
            raise CertificateError(f"the network has objective {proven.primal!r}: it does not fit, and beta is 0")
        scale = rtol * max(abs(proven.primal), 1e-300)
        if not abs(self.primal - proven.primal) <= scale:
            raise CertificateError(f"primal is stated as {self.primal!r}, the network has {proven.primal!r}")
        if not self.dual <= proven.dual + scale:
            raise CertificateError(f"dual is stated as {self.dual!r}, but only {proven.dual!r} is proven")
        if self.dual > proven.primal + scale:
            raise CertificateError(f"dual {self.dual!r} exceeds the primal {proven.primal!r}")

    def __str__(self) -> str:
        return (
            f"primal {self.primal:.8g}, dual {self.dual:.8g}, relative gap {self.relative_gap:.2e} "
            f"(scope {self.scope}, by {self.method})"
        )

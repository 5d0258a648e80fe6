"""The certificate of a fitted estimator: two numbers that enclose the optimum, to be proven again from raw data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from bidual.architectures import Grouped
from bidual.certificate import Certificate, Method, Scope
from bidual.errors import CertificateError
from bidual.estimators.formulation import Formulation
from bidual.network import Network


@final
@dataclass(frozen=True, eq=False)
class FittedCertificate:
    """``dual <= least training objective over the scope <= primal``, of a fitted network.

    The objective is the one of the estimator's docstring: the mean loss plus ``alpha`` times the size of the network,
    on the standardised data.

    Parameters
    ----------
    core : the numbers, with the dual vectors and witnesses that prove them
    network : the network they are about, in standard units
    formulation : the problem it was trained on
    """

    core: Certificate
    network: Network
    formulation: Formulation

    @property
    def primal(self) -> float:
        """The training objective of the network."""
        return self.core.primal

    @property
    def dual(self) -> float:
        """The proven lower bound over ``scope``."""
        return self.core.dual

    @property
    def gap(self) -> float:
        """``primal - dual``."""
        return self.core.gap

    @property
    def relative_gap(self) -> float:
        """``gap / |primal|`` (0 when both vanish)."""
        return self.core.relative_gap

    @property
    def scope(self) -> Scope:
        """``"global"``: every network of any width; ``"patterns"``: those on the listed activation patterns."""
        return self.core.scope

    @property
    def method(self) -> Method:
        """How ``dual`` was proven."""
        return self.core.method

    @property
    def global_dual(self) -> float:
        """The proven lower bound for every network of any width, possibly loose."""
        return self.core.global_dual

    @property
    def global_method(self) -> Method:
        """How ``global_dual`` was proven."""
        return self.core.global_method

    @property
    def global_relative_gap(self) -> float:
        """``(primal - global_dual) / |primal|``."""
        return self.core.global_relative_gap

    @property
    def priced_gap(self) -> float:
        """The gap if the best neuron found by search were the best there is; it proves nothing."""
        return self.core.priced_gap

    @property
    def relative_priced_gap(self) -> float:
        """``priced_gap / |primal|``."""
        return self.core.relative_priced_gap

    def verify(self, X: Any, y: Any, sample_weight: Any = None) -> None:
        """Prove every number again from the raw data of ``fit``, in any order of the rows, with NumPy only.

        Raises
        ------
        CertificateError
            A number does not follow, or these are not the data of ``fit``.
        InvalidDataError
            The data have another shape than those of ``fit``, or entries that are not finite.
        """
        formulation = self.formulation
        rows = formulation.encoding.collect(X, y, sample_weight)
        if not formulation.encoding_of(rows).same_as(formulation.encoding):
            raise CertificateError("these data give another encoding: they are not the data of fit, or it was changed")
        self.core.verify(formulation.problem(rows), self.network)

    def __str__(self) -> str:
        every = "every network of any width"
        if isinstance(self.formulation.architecture, Grouped):
            every += " whose units see one group of features"
        where = every if self.scope == "global" else "networks on the listed patterns"
        lines = [
            f"primal {self.primal:.8g}, the training objective of this network",
            f"dual   {self.dual:.8g}, proven for {where} (by {self.method})",
            f"gap    {self.relative_gap:.2e} relative",
        ]
        if self.scope != "global":
            lines += [
                f"global {self.global_dual:.8g}, proven for {every} (by {self.global_method}): gap "
                f"{self.global_relative_gap:.2e}",
                f"priced {self.relative_priced_gap:.2e}, the gap if no neuron is better than the best one found",
            ]
        return "\n".join(lines)

"""How a fit went: its objective coming down, the proven lower bounds coming up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from bidual.certificate import Certificate
from bidual.display.base import PALETTE, Display, fitted
from bidual.errors import InvalidParameterError
from bidual.typing import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bidual.solvers import Record, Solution

PRIMAL, PROVEN, PRICED, SCOPE = PALETTE[2], PALETTE[0], PALETTE[4], PALETTE[3]
FEW = 60
"""Up to as many records are marked one by one."""


@final
class ConvergenceDisplay(Display):
    """Training objective and lower bounds of a fit, against time or iterations.

    The band between the objective and the proven global bound holds the optimum over every network of the
    architecture. The dashed line would be a bound if the best neuron found by search were the best there is: it proves
    nothing. A certificate whose scope is the listed patterns adds its own proven bound, known at the end only.

    Parameters
    ----------
    history : records of a solve, at least one
    certificate : what was proven at the end, if known
    status : why the solve ended, if known
    """

    def __init__(
        self, history: Sequence[Record], certificate: Certificate | None = None, status: str | None = None
    ) -> None:
        if not history:
            raise InvalidParameterError("history must hold at least one record, got none")
        self.history = tuple(history)
        self.certificate = certificate
        self.status = status

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, x: Literal["seconds", "iteration"] = "seconds", ax: Axes | None = None
    ) -> ConvergenceDisplay:
        """Plot the ``history_`` of a fitted estimator."""
        return cls(*fitted(estimator, "history_", "certificate_", "status_")).plot(ax, x=x)

    @classmethod
    def from_solution(
        cls, solution: Solution, *, x: Literal["seconds", "iteration"] = "seconds", ax: Axes | None = None
    ) -> ConvergenceDisplay:
        """Plot the history of a solver's solution."""
        return cls(solution.history, solution.certificate, solution.status).plot(ax, x=x)

    def plot(
        self, ax: Axes | None = None, *, x: Literal["seconds", "iteration"] = "seconds"
    ) -> ConvergenceDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : axes to draw on; those of a new figure if None
        x : ``"seconds"`` or ``"iteration"``, the horizontal axis
        """
        if x not in ("seconds", "iteration"):
            raise InvalidParameterError(f"x must be 'seconds' or 'iteration', got {x!r}")
        ax = self._take(ax)
        t, primal, proven, priced = (self._column(name) for name in (x, "primal", "dual", "priced_dual"))
        marks: dict[str, Any] = {"drawstyle": "steps-post"}
        if t.size <= FEW:
            marks |= {"marker": "o", "markersize": 3.5}
        ax.fill_between(t, proven, primal, step="post", color=PROVEN, alpha=0.15, lw=0, label="certified global gap")
        ax.plot(t, primal, color=PRIMAL, lw=2, label=f"objective of the network: {primal[-1]:.5g}", **marks)
        unproven = f"if no better neuron exists (not proven): {priced[-1]:.5g}"
        ax.plot(t, priced, color=PRICED, lw=1.5, ls="--", label=unproven, **marks)
        ax.plot(t, proven, color=PROVEN, lw=2, label=f"proven for every network: {proven[-1]:.5g}", **marks)
        if self.certificate is not None and self.certificate.scope != "global":
            label = f"proven on the listed patterns: {self.certificate.dual:.5g}"
            ax.plot(t[-1], self.certificate.dual, "D", color=SCOPE, ms=7, mec="white", zorder=4, clip_on=False, label=label)
        self._scale(ax, t, primal, proven, priced)
        ax.set(xlabel="time (s)" if x == "seconds" else "iteration", ylabel="training objective (loss + penalty)")
        ax.set_title(self._title(), fontsize="medium")
        ax.legend(fontsize="small", frameon=False)
        return self

    def _column(self, name: str) -> Vector:
        """A field of the records; a bound that is not finite says nothing and is not drawn."""
        values = np.array([getattr(record, name) for record in self.history], dtype=float)
        return np.where(np.isfinite(values), values, np.nan)

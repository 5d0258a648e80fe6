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
        self._scale(ax, x, t, primal, proven, priced)
        ax.set(xlabel="time (s)" if x == "seconds" else "iteration", ylabel="training objective (loss + penalty)")
        ax.set_title(self._title(), fontsize="medium")
        ax.legend(fontsize="small", frameon=False)
        return self

    def _column(self, name: str) -> Vector:
        """A field of the records; a bound that is not finite says nothing and is not drawn."""
        values = np.array([getattr(record, name) for record in self.history], dtype=float)
        return np.where(np.isfinite(values), values, np.nan)

    def _title(self) -> str:
        parts = [] if self.status is None else [str(self.status).replace("_", " ")]
        if self.certificate is not None:
            proof = self.certificate
            parts.append(f"relative gap {max(proof.relative_gap, 0.0):.1e} (scope: {proof.scope})")
        return ", ".join(parts)

    def _scale(self, ax: Axes, x: str, t: Vector, primal: Vector, proven: Vector, priced: Vector) -> None:
        """Limits that show how it ended, however far away it began."""
        last = np.array([primal[-1], proven[-1], priced[-1]])
        if self.certificate is not None:
            last = np.append(last, self.certificate.dual)
        if primal[-1] > 0 and np.nanmax(primal) > 10 * primal[-1]:
            top, floor = float(np.nanmax(primal)), float(np.min(last[last > 0]))
            bottom = max(floor, 1e-3 * primal[-1]) if (last[np.isfinite(last)] > 0).all() else primal[-1] / 10
            pad = (top / bottom) ** 0.05
            ax.set_yscale("log")
            ax.set_ylim(bottom / pad, top * pad)
        else:
            shown = np.concatenate([curve[min(1, t.size - 1) :] for curve in (primal, proven, priced)] + [last])
            _linear(ax, t, primal, float(np.nanmin(shown)), float(np.nanmax(shown)))
        falls = primal <= 0.1 * primal[0] + 0.9 * primal[-1]
        if x == "seconds" and t.size > 4 and t[np.argmax(falls)] < 0.05 * t[-1]:
            ax.set_xscale("log")
            ax.set_xlim(t[1] / 2, t[-1] * 1.2)


def _linear(ax: Axes, t: Vector, primal: Vector, low: float, high: float) -> None:
    """Linear limits around all but the first record, and around that too if it is not far away."""
    far = primal[0] - low > 4.0 * (high - low) > 0.0
    if not far:
        high = max(high, float(primal[0]))
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    ax.set_ylim(low - pad, high + (4 * pad if far else pad))
    if far:
        text = f"\u2191 without neurons: {primal[0]:.4g}"
        ax.annotate(text, (t[0], 1.0), (6, -4), ("data", "axes fraction"), "offset points", va="top", fontsize="small")

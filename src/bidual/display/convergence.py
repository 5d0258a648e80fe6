"""How a fit went: its objective coming down, the proven lower bounds coming up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, final

import numpy as np

from bidual.display.base import PALETTE, Display, fitted, make_room
from bidual.errors import InvalidParameterError
from bidual.typing import Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bidual.certificate import Scope
    from bidual.solvers import Record, Solution

PRIMAL, PROVEN, PRICED, SCOPE = PALETTE[2], PALETTE[0], PALETTE[4], PALETTE[3]
FEW = 60
"""Up to as many records are marked one by one."""


class Proof(Protocol):
    """What is told of a certificate."""

    @property
    def dual(self) -> float:
        """The bound over the scope."""

    @property
    def relative_gap(self) -> float:
        """The gap as a share of the objective."""

    @property
    def scope(self) -> Scope:
        """What the bound holds for."""


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

    def __init__(self, history: Sequence[Record], certificate: Proof | None = None, status: str | None = None) -> None:
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

    def plot(self, ax: Axes | None = None, *, x: Literal["seconds", "iteration"] = "seconds") -> ConvergenceDisplay:
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
        dots: list[dict[str, Any]] = [{"marker": "o", "ms": size} if t.size <= FEW else {} for size in (6, 3)]
        ax.plot(t, primal, color=PRIMAL, lw=2, label=f"objective of the network: {primal[-1]:.5g}", **dots[0])
        ax.fill_between(t, proven, primal, color=PROVEN, alpha=0.15, lw=0, label="certified gap, every network")
        unproven = "if no better neuron exists (not proven)"
        ax.plot(t, priced, color=PRICED, lw=1.5, ls="--", label=unproven, **dots[1])
        ax.plot(t, proven, color=PROVEN, lw=2, label=f"proven for every network: {proven[-1]:.5g}", **dots[1])
        proof = self.certificate
        if proof is not None and proof.scope != "global":
            diamond: dict[str, Any] = {"marker": "D", "ms": 7, "mec": "white", "zorder": 4, "clip_on": False}
            label = f"proven on the listed patterns: {proof.dual:.5g}"
            ax.plot(t[-1], proof.dual, color=SCOPE, ls="none", label=label, **diamond)
        self._scale(ax, x, t, primal, proven, priced)
        ax.set(xlabel="time (s)" if x == "seconds" else "iteration", ylabel="training objective (loss + penalty)")
        ax.set_title(self._title(), fontsize="medium")
        make_room(ax, below=0.25)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize="small", frameon=False)
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
        from matplotlib.ticker import MaxNLocator

        last = [primal[-1], proven[-1], priced[-1], *([] if self.certificate is None else [self.certificate.dual])]
        first = int(np.argmax(primal < primal[0])) or min(1, t.size - 1)  # after the network without neurons
        if primal[first if t.size > first + 1 else 0] > 10.0 * primal[-1] > 0.0:
            _logarithmic(ax, primal, [value for value in last if value > 1e-3 * primal[-1]])
        else:
            seen = np.concatenate([*(curve[first:] for curve in (primal, proven, priced)), last])
            seen = seen[np.isfinite(seen)]
            low, high = float(seen.min()), float(seen.max())
            _linear(ax, t, primal, low if _far(low - proven[0], high - low) else float(np.fmin(low, proven[0])), high)
        if t.size == 1:
            ax.set_xlim(t[0] - 0.5, t[0] + 0.5) if x == "iteration" else ax.set_xlim(0.0, 2.0 * t[0] + 1e-3)
        if x == "iteration":
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        elif t.size > 4 and t[1] > 0.0 and t[np.argmax(primal <= 0.1 * primal[0] + 0.9 * primal[-1])] < 0.05 * t[-1]:
            ax.set_xscale("log")
            ax.set_xlim(t[1] / 2, t[-1] * 1.2)


def _logarithmic(ax: Axes, primal: Vector, last: Sequence[float]) -> None:
    """Logarithmic limits from the lowest final value to the first, with plain numbers at the ticks."""
    top, bottom = float(np.nanmax(primal)), min([*last, primal[-1]])
    pad = (top / bottom) ** 0.05
    ax.set_yscale("log")
    ax.set_ylim(bottom / pad, top * pad)
    ax.yaxis.set_major_formatter(lambda value, place: f"{value:g}")
    ax.yaxis.set_minor_formatter(
        lambda value, place: f"{value:g}" if top < 100 * bottom and f"{value:e}"[0] in "25" else ""
    )


def _far(distance: float, span: float) -> bool:
    """True if the beginning would hide the rest; a rest that is a thousand times smaller shows nothing by itself."""
    return bool(span < distance < 1e3 * span)


def _linear(ax: Axes, t: Vector, primal: Vector, low: float, high: float) -> None:
    """Linear limits around all but the beginning, and around that too if it is not far away."""
    far = _far(primal[0] - low, 4.0 * (high - low))
    if not far:
        high = max(high, float(primal[0]))
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    ax.set_ylim(low - pad, high + (4 * pad if far else pad))
    if far:
        after = int(np.argmax(primal <= high))
        left = t[after] > (t[0] + t[-1]) / 2
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        text = f"\u2191 without neurons: {primal[0]:.4g}"
        ax.annotate(text, (t[after], 1.0), (-8 if left else 8, -4), va="top", ha="right" if left else "left", **place)

"""What an audit found, on one axis: what is impossible, what was trained, and what is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from bidual.display.base import PALETTE, Display, make_room

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bidual.trained.audit import AuditReport

TRAINED, FOUND, IMPOSSIBLE = PALETTE[2], PALETTE[0], PALETTE[4]


@final
class AuditDisplay(Display):
    """Training objectives of the audited network and of better ones, over the proven lower bound.

    No network of any width has an objective in the hatched part. The optimum lies in the band.
    """

    def __init__(self, report: AuditReport) -> None:
        self.report = report

    @classmethod
    def from_report(cls, report: AuditReport, *, ax: Axes | None = None) -> AuditDisplay:
        """Plot an audit."""
        return cls(report).plot(ax)

    def plot(self, ax: Axes | None = None) -> AuditDisplay:
        """Draw one line for each network."""
        ax, report = self._take(ax, (7.6, 2.2 + 0.35 * len(self.report.steps))), self.report
        low = report.dual - 0.25 * max(report.primal - report.dual, 1e-3 * abs(report.primal))
        high = report.primal + 0.1 * (report.primal - low)
        hatch: dict[str, Any] = {"hatch": "////", "fc": "none", "ec": IMPOSSIBLE, "alpha": 0.4, "lw": 0}
        ax.axvspan(low, report.dual, label="no network of any width (proven)", **hatch)
        ax.axvspan(report.dual, report.best, color=FOUND, alpha=0.15, lw=0, label="the optimum is in here")
        ax.axvline(report.dual, color=FOUND, lw=2)
        for place, step in enumerate(report.steps):
            color = FOUND if place else TRAINED
            ax.plot([report.dual, step.objective], [place, place], color=color, lw=1.5, alpha=0.6)
            ax.plot([step.objective], [place], "o", ms=8, color=color)
            label = f"{step.name}: {step.network.n_neurons} neurons, {step.objective:.5g}"
            ax.annotate(label, (report.dual, place), (6, 5), textcoords="offset points", fontsize="small")
        ax.set_yticks([])
        ax.set(xlim=(low, high), ylim=(len(report.steps) - 0.5, -0.7), xlabel="training objective (loss + penalty)")
        ax.set_title(
            f"lower bound {report.dual:.5g} by {report.method}, gap {report.relative_gap:.1e}", fontsize="medium"
        )
        make_room(ax, below=0.3)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3), ncols=2, fontsize="small", frameon=False)
        return self

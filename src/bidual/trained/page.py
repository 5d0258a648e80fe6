"""The report of an audit as one HTML file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bidual import __version__
from bidual.errors import MissingDependencyError
from bidual.report.figures import drawn
from bidual.report.html import Html, bullets, p, picture, table, tag, text
from bidual.report.page import PAGE
from bidual.report.sentences import HOW, number, percent, small
from bidual.report.style import CSS
from bidual.trained.display import AuditDisplay

if TYPE_CHECKING:
    from bidual.trained.audit import AuditReport

NOT_PROVEN = (
    "That the network predicts well. The bound is about the objective on the rows of the audit.",
    "That a better network exists, unless the table has one: a gap may be of the bound and not of the network.",
    "Anything about networks with more layers or other units, or under another loss or weight decay.",
)


def write_page(report: AuditReport, path: str | os.PathLike[str]) -> None:
    """Write the page."""
    title = f"Audit of a {report.kind}"
    body = "\n".join([tag("h1", text(title)), p(f"Made by bidual {__version__}.", css="soft"), *_parts(report)])
    Path(path).write_text(PAGE.substitute(title=text(title), css=CSS, body=body), encoding="utf8")


def verdict(report: AuditReport) -> str:
    """What the audit proved, in one or two sentences."""
    proven = f"Proven: no network of any width has a training objective more than {percent(report.relative_gap)} lower."
    if report.best == report.primal:
        return f"{proven} No better network was found."
    less = 100 * (report.primal - report.best) / abs(report.primal)
    return f"{proven} One was found whose objective is {less:.2g} % lower."


def _parts(report: AuditReport) -> list[Html]:
    optimal = report.relative_gap <= report.tol
    tiles = [
        (small(report.relative_gap), "proven relative gap, to every network of any width"),
        (number(report.primal), "training objective"),
        (number(report.dual), "lower bound"),
        (number(report.best), "best objective found"),
        (report.steps[0].network.n_neurons, "neurons"),
        (f"{report.seconds:.1f} s", "to audit"),
    ]
    rows = [(step.name, number(step.objective), step.network.n_neurons) for step in report.steps]
    return [
        tag("div", text(verdict(report)), css="verdict" if optimal else "verdict open"),
        tag("div", *(tag("div", tag("b", text(a)), tag("span", text(b)), css="tile") for a, b in tiles), css="tiles"),
        _picture(report),
        tag("h3", text("From the trained network to a better one")),
        table(("network", "objective", "neurons"), rows, (1, 2)),
        tag("h3", text("What training minimised")),
        p(str(report.objective)),
        p(f"The lower bound was proven {HOW[report.method]}.", css="soft"),
        tag("h3", text("What is not proven")),
        bullets(NOT_PROVEN),
    ]


def _picture(report: AuditReport) -> Html:
    try:
        with drawn(7.6, 2.2 + 0.35 * len(report.steps)) as (ax, saved):
            AuditDisplay(report).plot(ax)
    except MissingDependencyError as error:
        return p(f"No plot: {error}", css="soft")
    caption = "No network of any width has an objective in the hatched part; the optimum lies in the band."
    return picture(saved[0], "objectives and lower bound", caption)

"""One HTML file that tells what was fitted, what is proven of it, and what is not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bidual.report.case import Baseline, Case, score
from bidual.report.page import render
from bidual.report.sentences import Fact, facts, not_proven, number, small, verdict


def write_report(path: str | os.PathLike[str], cases: Sequence[Case], title: str) -> None:
    """Write the report of the cases to one file that needs no other."""
    Path(path).write_text(render(cases, title), encoding="utf8")


__all__ = [
    "Baseline",
    "Case",
    "Fact",
    "facts",
    "not_proven",
    "number",
    "render",
    "score",
    "small",
    "verdict",
    "write_report",
]

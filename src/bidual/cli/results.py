"""What was found, as JSON and as text."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from bidual.report import Case, facts, not_proven, number, small, verdict

WIDTH = 100
CERTIFICATE = (
    *("primal", "dual", "gap", "relative_gap", "scope", "method", "priced_gap", "relative_priced_gap"),
    *("global_dual", "global_relative_gap", "global_method"),
)

ROWS: tuple[tuple[str, Callable[[Case], str]], ...] = (
    ("status", lambda case: case.estimator.status_),
    ("objective (primal)", lambda case: number(case.estimator.certificate_.primal)),
    ("lower bound (dual)", lambda case: number(case.estimator.certificate_.dual)),
    ("relative gap", lambda case: small(case.estimator.certificate_.relative_gap)),
    ("scope", lambda case: case.estimator.certificate_.scope),
    ("priced gap (not proven)", lambda case: small(case.estimator.certificate_.relative_priced_gap)),
    ("global bound", lambda case: number(case.estimator.certificate_.global_dual)),
    ("relative gap to it", lambda case: small(case.estimator.certificate_.global_relative_gap)),
    ("neurons", lambda case: str(case.estimator.n_neurons_)),
    ("seconds", lambda case: f"{case.seconds:.2f}"),
    ("train score", lambda case: _score(case, case.train_score)),
    ("test score", lambda case: _score(case, case.test_score)),
)
BASELINE_ROWS: tuple[tuple[str, Callable[[Case], str]], ...] = (
    ("scikit-learn MLP: seconds", lambda case: f"{case.baseline.seconds:.2f}" if case.baseline else ""),
    ("scikit-learn MLP: train", lambda case: _score(case, case.baseline.train_score if case.baseline else None)),
    ("scikit-learn MLP: test", lambda case: _score(case, case.baseline.test_score if case.baseline else None)),
)
"""Line of the table -> its text for a case."""


def case_json(case: Case) -> dict[str, Any]:
    """All that was found."""
    estimator = case.estimator
    baseline = None if case.baseline is None else vars(case.baseline)
    return {
        "name": case.name,
        "task": "classification" if case.classifies else "regression",
        "target": case.target,
        "rows": {"train": len(case.X), "test": 0 if case.X_test is None else len(case.X_test)},
        "features": list(case.features),
        "status": estimator.status_,
        "proven": case.proven,
        "certificate": {name: getattr(estimator.certificate_, name) for name in CERTIFICATE},
        "layers": estimator.n_layers,
        "neurons": estimator.n_neurons_,
        "iterations": estimator.n_iter_,
        "seconds": case.seconds,
        "metric": "accuracy" if case.classifies else "r2",
        "train_score": case.train_score,
        "test_score": case.test_score,
        "baseline": baseline,
        "notes": list(case.notes),
    }


def case_text(case: Case) -> str:
    """The certificate of one case with a sentence for each number, and the scores."""
    lines = [verdict(case), ""]
    for fact in facts(case):
        lines += _hanging(f"{fact.name:<20}{fact.value:<12}", fact.sentence)
    lines += ["", f"{case.estimator.n_neurons_} neurons, {case.seconds:.1f} s"]
    lines.append(f"train {_score(case, case.train_score)} ({len(case.X)} rows)")
    if case.X_test is not None:
        lines.append(f"test  {_score(case, case.test_score)} ({len(case.X_test)} rows)")
    if case.baseline is not None:
        scores = f"train {_score(case, case.baseline.train_score)}, test {_score(case, case.baseline.test_score)}"
        lines.append(f"{case.baseline.name}: {scores} ({case.baseline.seconds:.1f} s, {case.baseline.note})")
    return "\n".join(lines)


def cases_text(cases: Sequence[Case]) -> str:
    """The cases side by side, and what the lines mean."""
    rows = ROWS + (BASELINE_ROWS if any(case.baseline for case in cases) else ())
    head = ["", *(case.name for case in cases)]
    lines = [table([head, *([name, *(show(case) for case in cases)] for name, show in rows)]), ""]
    for case in cases:
        lines.append(f"{case.name}: {verdict(case)}")
    lines += ["", "What the lines mean:"]
    widest = min(cases, key=lambda case: case.estimator.certificate_.scope == "global")
    for fact in facts(widest):
        lines += _hanging(f"  {fact.name:<20}", fact.meaning)
    lines += ["", "What is not proven:"]
    for sentence in not_proven(widest):
        lines += _hanging("  - ", sentence)
    return "\n".join(lines)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns under a line, the first to the left and the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _score(case: Case, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    return f"{case.metric} {value:.3f}"


def _hanging(start: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))

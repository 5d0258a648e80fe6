"""``bidual demo``: three fits of real data, from nothing to a certificate, beside scikit-learn's MLP."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidual.cli.arguments import add_common, writable_folder
from bidual.cli.console import note
from bidual.cli.exits import Outcome

if TYPE_CHECKING:
    from bidual.cli.exits import Exit
    from bidual.report import Case

CASES: Mapping[str, tuple[str, str | None]] = {
    "diabetes_bmi": ("diabetes", "bmi"),
    "diabetes": ("diabetes", None),
    "breast_cancer": ("breast_cancer", None),
}
"""Title -> data set, and the only column to use. With one column every activation pattern can be looked at, so that
what is proven holds for every network."""
SEED = 0
ROWS = 150
"""Training rows with ``--quick``."""


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "demo",
        help="train on real data",
        description="Train on two data sets that scikit-learn carries (nothing is downloaded), and on one column of "
        "the first, where the optimum is proven for every network; print what is proven, and write report.html and a "
        "model for each.",
    )
    parser.add_argument("--out", type=Path, default=Path("bidual-demo"), metavar="DIR", help="default: bidual-demo")
    parser.add_argument("--quick", action="store_true", help=f"at most {ROWS} training rows each")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Fit, compare, write."""
    from bidual.cli.results import case_json, cases_text
    from bidual.report import write_report

    folder = writable_folder(args.out)
    cases: list[Case] = []
    models: dict[str, str] = {}
    for name in CASES:
        case = _case(name, args.quick, args.quiet)
        cases.append(case)
        models[name] = str(folder / f"{name}.npz")
        case.estimator.save(models[name])
        if case.estimator.status_ == "interrupted":
            break
    report = folder / "report.html"
    if not args.quiet:
        note(f"writing {report}")
    write_report(report, cases, "bidual demo")
    text = f"{cases_text(cases)}\n\nwrote {report}, {', '.join(models.values())} (bidual.load_model reads the .npz)"
    result = {"command": "demo", "cases": [case_json(case) for case in cases], "models": models, "report": str(report)}
    return Outcome(_worst(cases), text, result)


def _case(name: str, quick: bool, quiet: bool) -> Case:
    from sklearn.model_selection import train_test_split

    from bidual.cli.training import fit_estimator, with_baseline
    from bidual.datasets import load
    from bidual.report import Case

    source, column = CASES[name]
    data = load(source)
    if column is not None:
        place = data.features.index(column)
        about = f"{data.description.split(', from ')[0]}, from {column} alone"
        data = replace(data, X=data.X[:, [place]], features=(column,), description=about)
    strata = data.y if data.task == "classification" else None
    X, X_test, y, y_test = train_test_split(data.X, data.y, test_size=0.25, random_state=SEED, stratify=strata)
    if quick:
        X, y = X[:ROWS], y[:ROWS]
    params = {"random_state": SEED}
    if not quiet:
        note(f"{name}: {data.description} ({len(X)} training rows, {X.shape[1]} features)")
    estimator, seconds, warned = fit_estimator(name, data.task, params, X, y, quiet)
    case = Case(
        name,
        estimator,
        X,
        y,
        data.features,
        seconds,
        X_test,
        y_test,
        target=data.target,
        description=data.description,
        origin=data.source,
        licence=data.licence,
        notes=warned,
    )
    return case if estimator.status_ == "interrupted" else with_baseline(case, SEED)


def _worst(cases: list[Case]) -> Exit:
    from bidual.cli.training import exit_of

    return max(exit_of(case.estimator.status_) for case in cases)

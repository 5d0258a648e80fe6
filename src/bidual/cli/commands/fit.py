"""``bidual fit``: train a network on a table and write it, with its certificate and a report."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bidual.cli.arguments import add_common, positive, writable_folder
from bidual.cli.console import note
from bidual.cli.exits import Outcome
from bidual.cli.options import ESTIMATOR, add_estimator, add_table, given

if TYPE_CHECKING:
    from bidual.cli.preparation import Prepared
    from bidual.report import Case


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "fit",
        help="train a network on a table",
        description="Train a network on a CSV or parquet table and write model.npz and report.html. Text columns are "
        "one-hot encoded, missing numbers replaced by the median and marked.",
    )
    add_table(parser)
    parser.add_argument("--alpha", type=positive, help="strength of the penalty (default: 0.03, classes 0.003)")
    parser.add_argument("--radius", type=positive, help="budget for the size of the network, in place of --alpha")
    add_estimator(parser)
    parser.add_argument("--compare", action="store_true", help="train scikit-learn's MLP on the same rows, too")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Encode, split, fit, write."""
    from bidual.cli.model_file import TableModel
    from bidual.cli.preparation import prepare
    from bidual.cli.results import case_json, case_text
    from bidual.cli.training import exit_of
    from bidual.report import write_report

    prepared = prepare(args)
    folder = writable_folder(args.out)
    model_path, report_path = folder / "model.npz", folder / "report.html"
    case = _fit(args, prepared)
    TableModel(case.estimator, prepared.encoding, prepared.rows).write(model_path)
    write_report(report_path, [case], f"{case.target}, from {args.data.name}")
    if not args.quiet:
        for text in case.notes[len(prepared.notes) :]:
            note(text)
    files = {"model": str(model_path), "report": str(report_path)}
    text = f"{case_text(case)}\n\nwrote {model_path} and {report_path}"
    return Outcome(exit_of(case.estimator.status_), text, {"command": "fit", **case_json(case), **files})


def _fit(args: argparse.Namespace, prepared: Prepared) -> Case:
    from bidual.cli.training import as_case, fit_estimator, with_baseline

    if not args.quiet:
        for text in prepared.notes:
            note(text)
    params = given(args, "alpha", "radius", *ESTIMATOR)
    task, title = prepared.encoding.task, args.data.stem
    params["random_state"] = args.seed
    estimator, seconds, warned = fit_estimator(title, task, params, prepared.X, prepared.y, args.quiet)
    case = as_case(args, prepared, estimator, seconds, warned)
    return with_baseline(case, args.seed) if args.compare and estimator.status_ != "interrupted" else case

"""``bidual fit``: train a network on a table and write it, with its certificate and a report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidual.cli.arguments import add_common, count, positive, seed, share, writable_folder
from bidual.cli.console import note
from bidual.cli.exits import Outcome

if TYPE_CHECKING:
    from bidual.cli.preparation import Prepared
    from bidual.report import Case

PARAMS = (
    *(
        "alpha",
        "radius",
        "activation",
        "n_layers",
        "n_branches",
        "branch_width",
        "n_patterns",
        "interaction_cst",
        "loss",
        "solver",
        "oracle",
    ),
    *("tol", "max_iter", "time_limit", "max_neurons", "restarts"),
)
"""Options that the estimator takes; those not given keep its defaults."""


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "fit",
        help="train a network on a table",
        description="Train a network on a CSV or parquet table and write model.npz and report.html. Text columns are "
        "one-hot encoded, missing numbers replaced by the median and marked.",
    )
    parser.add_argument("data", type=Path, help="CSV (.csv, .tsv, .csv.gz) or parquet file")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    parser.add_argument("--task", choices=("regression", "classification"), help="default: by the target's values")
    parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave a column out; repeatable")
    parser.add_argument(
        "--drop-unusable", action="store_true", help="leave out columns of dates, free text and row numbers"
    )
    parser.add_argument("--max-levels", type=count, metavar="N", help="most levels of a category (default: 50)")
    parser.add_argument("--test-size", type=share, default=0.2, metavar="SHARE", help="rows held back (default: 0.2)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of the split and the search (default: 0)")
    parser.add_argument("--alpha", type=positive, help="strength of the penalty (default: 0.03, classes 0.003)")
    parser.add_argument("--radius", type=positive, help="budget for the size of the network, in place of --alpha")
    parser.add_argument("--activation", help="relu (default), leaky_relu, abs, gated_relu, linear, sign or tanh")
    parser.add_argument(
        "--layers", dest="n_layers", type=count, metavar="N", help="2 (default), 3 with relu, any with gated_relu"
    )
    parser.add_argument(
        "--branches", dest="n_branches", type=count, metavar="N", help="of the gates, or sampled second-layer patterns"
    )
    parser.add_argument("--branch-width", type=count, metavar="N", help="units in a layer of a branch of gates")
    parser.add_argument("--patterns", dest="n_patterns", type=count, metavar="N", help="sampled activation patterns")
    parser.add_argument(
        "--interactions",
        dest="interaction_cst",
        choices=("pairwise", "no_interactions"),
        help="units see two encoded columns, or one: curves and maps, proven globally (default: all columns)",
    )
    parser.add_argument("--loss", help="squared_error or huber; log_loss, hinge, squared_hinge or squared_error")
    parser.add_argument("--solver", help="auto (default), or another that the estimators know")
    parser.add_argument("--oracle", help="how neurons are found: auto (default), or another that the estimators know")
    parser.add_argument("--tol", type=positive, help="relative gap at which to stop (default: 1e-3)")
    parser.add_argument("--max-iter", type=count, metavar="N", help="most rounds of the solver")
    parser.add_argument("--time-limit", type=positive, metavar="SECONDS")
    parser.add_argument("--max-neurons", type=count, metavar="N")
    parser.add_argument("--restarts", type=seed, metavar="N", help="search on N times from the best network")
    parser.add_argument("--compare", action="store_true", help="train scikit-learn's MLP on the same rows, too")
    parser.add_argument("--out", type=Path, default=Path("bidual-out"), metavar="DIR", help="default: bidual-out")
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
    from bidual.cli.training import fit_estimator, with_baseline
    from bidual.report import Case

    if not args.quiet:
        for text in prepared.notes:
            note(text)
    params = {name: value for name in PARAMS if (value := getattr(args, name)) is not None}
    task, title = prepared.encoding.task, args.data.stem
    params["random_state"] = args.seed
    estimator, seconds, warned = fit_estimator(title, task, params, prepared.X, prepared.y, args.quiet)
    case = Case(
        title,
        estimator,
        prepared.X,
        prepared.y,
        tuple(prepared.encoding.features),
        seconds,
        prepared.X_test,
        prepared.y_test,
        target=args.target,
        origin=str(args.data),
        notes=(*prepared.notes, *warned),
    )
    return with_baseline(case, args.seed) if args.compare and estimator.status_ != "interrupted" else case

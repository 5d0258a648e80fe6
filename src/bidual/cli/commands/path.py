"""``bidual path``: certified models at every strength, the best of which is written with a report."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bidual.cli.arguments import add_common, count, positive, writable_folder
from bidual.cli.console import note
from bidual.cli.exits import Exit, Outcome
from bidual.cli.options import ESTIMATOR, add_estimator, add_table, given

if TYPE_CHECKING:
    from pathlib import Path

    from bidual.cli.preparation import Prepared
    from bidual.estimators import FittedPath
    from bidual.report import Case

COLUMNS = ("alpha", "objective", "lower_bound", "global_lower_bound", "score")


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "path",
        help="certify every strength, and choose one",
        description="Train networks on a table at a few strengths of the penalty, which certify every strength of a "
        "range; choose one by the score of rows that were held out; write path.csv, and model.npz and report.html of "
        "the network with it.",
    )
    add_table(parser)
    parser.add_argument(
        "--alphas", type=positive, nargs=2, metavar=("LEAST", "LARGEST"), help="the range; default: by --ratio"
    )
    parser.add_argument("--ratio", type=positive, help="least over largest strength (default: 0.01)")
    parser.add_argument("--eps", type=positive, help="relative gap that no strength shall exceed (default: 0.05)")
    parser.add_argument("--cv", type=count, metavar="N", help="folds; default: leave-one-out from the fits of the path")
    parser.add_argument("--scoring", help="a score of scikit-learn; default: squared error, log loss or accuracy")
    add_estimator(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Encode, split, compute the path, choose, write."""
    from bidual.cli.model_file import TableModel
    from bidual.cli.preparation import prepare
    from bidual.cli.results import case_json, case_text
    from bidual.cli.training import exit_of
    from bidual.report import write_report

    prepared = prepare(args)
    folder = writable_folder(args.out)
    case = _chosen(args, prepared)
    files = {name: str(folder / file) for name, file in _FILES.items()}
    TableModel(case.estimator, prepared.encoding, prepared.rows).write(folder / _FILES["model"])
    write_report(files["report"], [case], f"{case.target}, from {args.data.name}")
    _write_table(folder / _FILES["table"], case.chosen)
    if not args.quiet:
        for text in case.notes:
            note(text)
    path, alpha = case.chosen.path_, case.chosen.alpha_
    told = (
        f"every alpha from {path.alpha_min:.3g} to {path.alpha_max:.3g} within {path.worst:.2%} of the optimum (scope "
        f"{path.scope}), from {len(path.alphas)} fits\nbest alpha {alpha:.4g}, score {case.chosen.best_score_:.4g}"
    )
    code = exit_of(case.estimator.status_) if path.complete else Exit.LIMIT
    text = f"{told}\n\n{case_text(case)}\n\nwrote {', '.join(files.values())}"
    return Outcome(code, text, {"command": "path", **case_json(case), "path": _described(path, case.chosen), **files})


_FILES = {"model": "model.npz", "report": "report.html", "table": "path.csv"}


def _chosen(args: argparse.Namespace, prepared: Prepared) -> Case:
    from bidual.cli.training import as_case, fit_on_path

    params = given(args, *ESTIMATOR) | {"random_state": args.seed}
    choice = given(args, "alphas", "ratio", "eps", "cv", "scoring")
    if "alphas" in choice:
        from numpy import geomspace

        least, largest = choice["alphas"]
        choice["alphas"] = geomspace(least, largest, 100)
    task, title = prepared.encoding.task, f"path of {args.data.stem}"
    model, seconds, warned = fit_on_path(title, task, params, choice, prepared.X, prepared.y, args.quiet)
    return as_case(args, prepared, model.best_estimator_, seconds, warned, model)


def _write_table(file: Path, model: Any) -> None:
    """What is proven at the alphas that were compared, and their scores, as CSV."""
    from numpy import column_stack, savetxt

    rows = column_stack([model.alphas_, model.path_.bounds(model.alphas_), model.scores_])
    savetxt(file, rows, fmt="%.17g", delimiter=",", header=",".join(COLUMNS), comments="")


def _described(path: FittedPath, model: Any) -> dict[str, Any]:
    return {
        "alpha_max": path.alpha_max,
        "alpha_min": path.alpha_min,
        "eps": path.eps,
        "worst": path.worst,
        "scope": path.scope,
        "complete": path.complete,
        "fits": [{"alpha": a, "neurons": m} for a, m in zip(path.alphas.tolist(), path.n_neurons, strict=True)],
        "best_alpha": model.alpha_,
        "best_score": model.best_score_,
    }

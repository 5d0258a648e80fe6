"""``bidual predict``: apply a model of ``bidual fit`` to another table."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from bidual.cli.arguments import add_common
from bidual.cli.console import note
from bidual.cli.exits import Exit, InputError, Outcome


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "predict",
        help="apply a model to a table",
        description="Predict the rows of a table with a model of `bidual fit`, one line each, in their order. A level "
        "that the training rows did not have counts as none of theirs, with a note.",
    )
    parser.add_argument("model", type=Path, help="model.npz of `bidual fit`")
    parser.add_argument("data", type=Path, help="CSV or parquet file with the columns of the training table")
    parser.add_argument("--proba", action="store_true", help="the probability of each class, too")
    parser.add_argument("--out", type=Path, metavar="CSV", help="where to write; default: stdout")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Encode, predict, write."""
    from bidual.cli.model_file import TableModel
    from bidual.tables import read_table

    model = TableModel.read(args.model)
    encoded = model.encoding.design(read_table(args.data))
    if not args.quiet:
        for text in encoded.notes:
            note(text)
    columns = {"prediction": model.estimator.predict(encoded.X).tolist()}
    if args.proba:
        columns |= _probabilities(model.estimator, encoded.X)
    result: dict[str, Any] = {"command": "predict", "target": model.encoding.target, "rows": len(encoded.X)}
    result["notes"] = list(encoded.notes)
    if args.out is None:
        return Outcome(Exit.SUCCESS, _csv(columns).rstrip("\n"), {**result, "predictions": columns})
    try:
        args.out.write_text(_csv(columns), encoding="utf8")
    except OSError as error:
        raise InputError(f"cannot write {str(args.out)!r} ({error.strerror or error}); choose another --out") from error
    return Outcome(Exit.SUCCESS, f"wrote {len(encoded.X)} predictions to {args.out}", {**result, "out": str(args.out)})


def _probabilities(estimator: Any, X: Any) -> dict[str, list[Any]]:
    if not hasattr(estimator, "classes_"):
        raise InputError("--proba is for classes; this model predicts a quantity")
    if not hasattr(estimator, "predict_proba"):
        raise InputError(f"a model with loss {estimator.loss!r} gives no probabilities; fit with --loss log_loss")
    columns = estimator.predict_proba(X).T.tolist()
    return {f"P({label})": column for label, column in zip(estimator.classes_, columns, strict=True)}


def _csv(columns: dict[str, list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()

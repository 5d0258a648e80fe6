"""``bidual audit``: how far a network trained anywhere is from the best of any width."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bidual.cli.arguments import add_common, positive
from bidual.cli.exits import Exit, Outcome


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "audit",
        help="certify a network trained elsewhere",
        description="Prove a lower bound on the training objective that any width could reach, for a trained network "
        "with one hidden layer of ReLU units, and look for better ones. The table has the columns that the network "
        "takes, in its order, as it saw them, and the targets. Exit code 0 if the proven gap is within --tol.",
    )
    parser.add_argument("model", type=Path, help=".pt (state_dict), .onnx, .joblib (scikit-learn) or .npz (bidual)")
    parser.add_argument("data", type=Path, help="the table it was trained on")
    parser.add_argument(
        "--target", nargs="+", metavar="COLUMN", help="what it predicts; not for models of `bidual fit`"
    )
    parser.add_argument("--loss", help="for .pt and .onnx: mse, huber, smooth_l1, cross_entropy, bce_with_logits, ...")
    parser.add_argument("--weight-decay", type=positive, metavar="NUMBER", help="for .pt and .onnx: the optimiser's")
    parser.add_argument("--tol", type=positive, default=1e-3, help="relative gap to reach; default: 0.001")
    parser.add_argument("--time-limit", type=positive, default=60.0, metavar="SECONDS", help="default: 60, about")
    parser.add_argument("--trust", action="store_true", help="read .joblib files, which can run any code")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a report, .html")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Read, audit, write."""
    from bidual.cli.audited import read_audited
    from bidual.trained import audit

    model, X, y = read_audited(args.model, args.data, args.target, args.trust)
    report = audit(
        model, X, y, loss=args.loss, weight_decay=args.weight_decay, tol=args.tol, time_limit=args.time_limit
    )
    if args.out is not None:
        report.save(args.out)
    names = ("kind", "primal", "dual", "gap", "relative_gap", "scope", "method", "best", "seconds")
    result: dict[str, Any] = {"command": "audit"} | {name: getattr(report, name) for name in names}
    result["objective"] = str(report.objective)
    result["steps"] = [
        {"name": step.name, "objective": step.objective, "neurons": step.network.n_neurons} for step in report.steps
    ]
    result["out"] = None if args.out is None else str(args.out)
    code = Exit.SUCCESS if report.relative_gap <= args.tol else Exit.LIMIT
    return Outcome(code, str(report), result)

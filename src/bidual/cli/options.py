"""Options that ``fit`` and ``path`` share: the table, and the estimator."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bidual.cli.arguments import count, positive, seed, share

ESTIMATOR = (
    *(
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


def given(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options of these names that were given."""
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def add_table(parser: argparse.ArgumentParser) -> None:
    """The table, what is left out of it, and where to write."""
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
    parser.add_argument("--out", type=Path, default=Path("bidual-out"), metavar="DIR", help="default: bidual-out")


def add_estimator(parser: argparse.ArgumentParser) -> None:
    """What is trained, and how far."""
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

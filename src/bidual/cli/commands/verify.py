"""``bidual verify``: prove the certificate of a model of ``bidual fit`` again, from its training rows."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidual.cli.arguments import add_common
from bidual.cli.exits import Exit, Outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bidual.cli.model_file import TableModel


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "verify",
        help="prove a model's certificate again",
        description="Prove every number of the stored certificate again, from the training rows. The model knows their "
        "fingerprints, so the table may have them in any order and others beside them.",
    )
    parser.add_argument("model", type=Path, help="model.npz of `bidual fit`")
    parser.add_argument("data", type=Path, help="the table it was trained on")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Find the training rows, and prove."""
    from bidual.cli.model_file import TableModel
    from bidual.cli.results import CERTIFICATE
    from bidual.errors import CertificateError

    model = TableModel.read(args.model)
    proof = model.estimator.certificate_
    began = time.perf_counter()
    reason, rows = "", 0
    try:
        X, y = training_rows(model, args.data)
        rows = len(X)
        proof.verify(X, y)
    except CertificateError as error:
        reason = str(error)
    seconds = time.perf_counter() - began
    result: dict[str, Any] = {"command": "verify", "verified": not reason, "rows": rows, "seconds": seconds}
    result["certificate"] = {name: getattr(proof, name) for name in CERTIFICATE}
    if reason:
        text = f"NOT verified: {reason}"
        return Outcome(Exit.UNPROVEN, text, {**result, "reason": reason})
    text = f"verified on the {rows} training rows in {seconds:.2f} s: every number follows from the data\n{proof}"
    return Outcome(Exit.SUCCESS, text, result)


def training_rows(model: TableModel, path: Path) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """The design and targets of the rows of the table that the model was trained on; CertificateError if some are
    not there."""
    from bidual.cli.preparation import with_target
    from bidual.errors import CertificateError
    from bidual.tables import find_rows, fingerprints, labels, numbers, read_table

    encoding = model.encoding
    table, _ = with_target(read_table(path), encoding.target)
    values = table[encoding.target]
    X = encoding.design(table).X
    found = numbers(values).tolist() if encoding.task == "regression" else labels(values)
    places, lost = find_rows(model.rows, fingerprints(X, found))
    if lost:
        raise CertificateError(
            f"{lost} of the {len(model.rows)} training rows are not in {str(path)!r}, or were changed"
        )
    return X[places], encoding.targets(values.iloc[places])

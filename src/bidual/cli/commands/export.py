"""``bidual export``: a model of ``bidual fit`` as an ONNX file or a PyTorch program."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bidual.cli.arguments import add_common
from bidual.cli.exits import Exit, InputError, Outcome

SUFFIXES = (".onnx", ".pt2")


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "export",
        help="write a model for other programs",
        description="Write the network of a model of `bidual fit` as an ONNX file (.onnx; needs onnx) or a PyTorch "
        "program (.pt2, for torch.export.load; needs torch). Its inputs are the encoded columns of the table, which "
        "the command lists in order; encoding text and missing values is left to you. A classifier's outputs are "
        "decision scores.",
    )
    parser.add_argument("model", type=Path, help="model.npz of `bidual fit`")
    parser.add_argument("out", type=Path, help="file to write, .onnx or .pt2")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Read, write."""
    if args.out.suffix not in SUFFIXES:
        raise InputError(f"cannot tell the format of {str(args.out)!r}; let it end in {' or '.join(SUFFIXES)}")
    from bidual.cli.model_file import TableModel

    model = TableModel.read(args.model)
    if args.out.suffix == ".onnx":
        from bidual.export import to_onnx

        to_onnx(model.estimator, args.out)
    else:
        _write_program(model.estimator, args.out)
    outputs = "decision scores" if hasattr(model.estimator, "classes_") else "predictions"
    features = list(model.encoding.features)
    result = {"command": "export", "out": str(args.out), "inputs": features, "outputs": outputs, "dtype": "float64"}
    return Outcome(Exit.SUCCESS, f"wrote {args.out}: {outputs} from {', '.join(features)} (float64)", result)


def _write_program(estimator: Any, out: Path) -> None:
    """The module traced for any number of rows, so that its reader needs torch alone."""
    from bidual.export import to_torch

    module = to_torch(estimator)
    import torch

    X = torch.zeros((2, estimator.n_features_in_), dtype=torch.float64)
    program = torch.export.export(module, (X,), dynamic_shapes=({0: torch.export.Dim("n")},))
    torch.export.save(program, out)

"""Models of any program in files, and the tables they were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bidual.cli.exits import InputError
from bidual.cli.model_file import TableModel
from bidual.errors import MissingDependencyError, ModelFileError

SUFFIXES = (".pt", ".pth", ".onnx", ".joblib", ".pkl", ".npz")


def read_audited(path: Path, data: Path, target: Sequence[str] | None, trust: bool) -> tuple[Any, Any, Any]:
    """(model, X, y) as ``bidual.audit`` takes them; a model of ``bidual fit`` knows its table's encoding and target."""
    if path.suffix not in SUFFIXES:
        raise InputError(f"cannot tell the format of {str(path)!r}; it must end in one of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise InputError(f"there is no file {str(path)!r}")
    if path.suffix == ".npz":
        try:
            model = TableModel.read(path)
        except ModelFileError:
            return _own(path), *_columns(data, target)
        from bidual.cli.commands.verify import training_rows

        return model.estimator, *training_rows(model, data)
    found: Any = path
    if path.suffix in (".pt", ".pth"):
        found = _state_dict(path)
    elif path.suffix != ".onnx":
        found = _unpickled(path, trust)
    return found, *_columns(data, target)


def _own(path: Path) -> Any:
    """An estimator or a network of this library, saved from Python."""
    from bidual.estimators.files import load_model
    from bidual.network import Network

    try:
        return load_model(path)
    except ModelFileError:
        return Network.load(path)


def _state_dict(path: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("PyTorch files need torch: pip install 'bidual[torch]'") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch raise types of their own
        raise InputError(
            f"{str(path)!r} is no state_dict ({type(error).__name__}); write torch.save(model.state_dict(), path)"
        ) from error


def _unpickled(path: Path, trust: bool) -> Any:
    if not trust:
        raise InputError(f"reading {str(path)!r} runs code that is in it; pass --trust if you wrote it yourself")
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:
        raise InputError(
            f"cannot read {str(path)!r} ({type(error).__name__}: {error}); write it with joblib.dump"
        ) from error


def _columns(data: Path, target: Sequence[str] | None) -> tuple[Any, Any]:
    """The columns that are not targets, in order, as numbers, and the targets as they are."""
    from bidual.tables import listed, read_table

    table = read_table(data)
    if not target:
        raise InputError("--target must name the column, or columns, that the model predicts")
    unknown = [name for name in target if name not in table.columns]
    if unknown:
        raise InputError(f"there is no column {unknown[0]!r} to predict; the table has {listed(table.columns)}")
    X = table.drop(columns=[*target])
    try:
        X = X.to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{str(data)!r} must hold the numbers that the model takes ({error}); encode text first"
        ) from error
    y = table[[*target]].to_numpy()
    return X, y[:, 0] if len(target) == 1 else y

"""From a file to a pandas table."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bidual.errors import InvalidDataError, MissingDependencyError

PARQUET = (".parquet", ".pq")
SEPARATORS = ",;\t|"
INSTALL = "pip install 'bidual[data]'"


def read_table(path: str | os.PathLike[str]) -> Any:
    """The pandas table in a CSV or parquet file, its columns named by text.

    A CSV file (``.gz`` too) may separate its columns by commas, semicolons, tabs or bars: whichever is most frequent in
    its first line.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    InvalidDataError
        It cannot be read as a table, has two columns of one name, or has no rows.
    MissingDependencyError
        pandas, or pyarrow for parquet, is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingDependencyError(f"reading tables needs pandas and pyarrow: {INSTALL}") from error
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        if path.suffix.lower() in PARQUET:
            table = pandas.read_parquet(path)
        else:
            options: dict[str, Any] = {"skipinitialspace": True, "low_memory": False}
            if tuple(map(int, pandas.__version__.split(".")[:2])) < (
                3,
                1,
            ):  # later ones always read the nearest float64
                options["float_precision"] = "round_trip"
            table = pandas.read_csv(path, sep=_separator(path), **options)
    except ImportError as error:
        raise MissingDependencyError(f"reading parquet files needs pyarrow: {INSTALL}") from error
    except Exception as error:  # pandas and pyarrow raise a dozen types on malformed input
        raise InvalidDataError(f"cannot read {str(path)!r} as a table: {_first_line(error)}") from error
    return _checked(table, str(path))


def listed(names: Iterable[Any], most: int = 8) -> str:
    """``'a', 'b', ... (20 in all)``."""
    quoted = [repr(str(name)) for name in names]
    more = f", ... ({len(quoted)} in all)" if len(quoted) > most else ""
    return ", ".join(quoted[:most]) + more


def _checked(table: Any, path: str) -> Any:
    table.columns = [str(name).strip() for name in table.columns]
    if not table.columns.is_unique:
        twice = sorted(set(table.columns[table.columns.duplicated()]))
        raise InvalidDataError(f"{path!r} has several columns named {listed(twice)}; give each its own name")
    if 0 in table.shape:
        raise InvalidDataError(f"{path!r} has no rows")
    return table.reset_index(drop=True)


def _separator(path: Path) -> str:
    """The separator that the first line has most of, outside quotes."""
    if path.suffix.lower() == ".gz":
        with gzip.open(path, "rt", encoding="utf8", errors="replace") as lines:
            first = lines.readline()
    else:
        with open(path, encoding="utf8", errors="replace") as lines:
            first = lines.readline()
    plain = re.sub(r'"[^"]*"', "", first)
    return max(SEPARATORS, key=plain.count)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

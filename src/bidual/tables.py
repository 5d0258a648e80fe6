"""Tables: reading CSV and parquet files, and turning their columns into the numbers a network learns from.

The encoding is learnt from the training rows and applied, unchanged, to every later table:

- numbers and booleans stay as they are; a missing one becomes the training median, and if the training rows had missing
  values a column says so;
- every level of a category gets a column of 0 and 1; "missing" is a level of its own if the training rows had it;
- a level that the training rows never had gets 0 in every one of these columns, and a note says so.

Columns of dates, free text or row numbers are refused, or dropped on request. Nothing is printed: notes are returned.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError, MissingDependencyError
from bidual.typing import Rows, Vector

Kind = Literal["number", "boolean", "category"]
Task = Literal["regression", "classification"]
Label = str | bool | int

MISSING = "(missing)"
MAX_LEVELS = 50
"""Levels that a category may have by default."""
FEW = 10
"""Up to as many different whole numbers are taken for classes."""
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_IDENTIFIER = re.compile(r"(unnamed: \d+|.*\b)?(id|index|key|uuid|row|rownames?|number|nr)?", re.IGNORECASE)
_WORDS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Column:
    """How one column of the table becomes columns of the design: its median, or its levels."""

    name: str
    kind: Kind
    median: float = 0.0
    had_missing: bool = False
    levels: tuple[str, ...] = ()

    @property
    def features(self) -> list[str]:
        """The names of its columns of the design."""
        if self.kind == "category":
            return [f"{self.name}={level}" for level in self.levels]
        return [self.name, f"{self.name} {MISSING}"] if self.had_missing else [self.name]

    def encode(self, values: Any) -> tuple[Rows, list[str]]:
        """(n, k) design of a pandas column, and notes."""
        return self._levels(values) if self.kind == "category" else self._numbers(values)

    def _numbers(self, values: Any) -> tuple[Rows, list[str]]:
        x = numbers(values, self.name)
        missing = np.isnan(x)
        filled = np.where(missing, self.median, x)
        if self.had_missing:
            return np.column_stack([filled, missing.astype(float)]), []
        lost = f"column {self.name!r}: {missing.sum()} missing values, none in the training rows; replaced by the median"
        return filled[:, None], [lost] if missing.any() else []

    def _levels(self, values: Any) -> tuple[Rows, list[str]]:
        words = texts(values)
        hot = np.array([[word == level for level in self.levels] for word in words], dtype=float)
        new = sorted(set(words) - set(self.levels))
        shown = ", ".join(map(repr, new[:3])) + (", ..." if len(new) > 3 else "")
        note = f"column {self.name!r}: levels not seen in training ({shown}); all of its columns are 0 there"
        return hot.reshape(len(words), len(self.levels)), [note] if new else []


@dataclass(frozen=True)
class TableEncoding:
    """What a model must know of the table it was trained on. JSON holds it: ``to_json``, ``from_json``.

    columns : the columns used, in order, each with its median or levels
    target : the name of the column to predict
    task : "regression" or "classification"
    classes : the labels, for classification
    """

    columns: tuple[Column, ...]
    target: str
    task: Task
    classes: tuple[Label, ...] = ()

    @classmethod
    def learn(
        cls,
        table: Any,
        target: str,
        task: Task,
        classes: Sequence[Label] = (),
        drop: Iterable[str] = (),
        drop_unusable: bool = False,
        max_levels: int = MAX_LEVELS,
    ) -> tuple[TableEncoding, list[str]]:
        """Learn from the training rows (a pandas table): the encoding, and notes.

        Raises
        ------
        InvalidDataError
            A column cannot be used and ``drop_unusable`` is not set, or no column is left.
        """
        ignored, notes, refused, columns = {target, *drop}, [], {}, []
        for name in sorted(set(drop) - set(table.columns)):
            raise InvalidDataError(f"there is no column {name!r} to drop; the table has {listed(table.columns)}")
        for name in table.columns:
            if name in ignored:
                continue
            values = table[name]
            reason = unusable(values, name, max_levels)
            if reason is not None:
                refused[name] = reason
            elif values.nunique(dropna=False) < 2:
                notes.append(f"column {name!r} left out: all training rows have the same value")
            else:
                columns.append(learn_column(values, name))
        reasons = "; ".join(f"column {name!r} {reason}" for name, reason in refused.items())
        if refused and not drop_unusable:
            raise InvalidDataError(f"{reasons}. Replace by numbers, or leave out (--drop COLUMN, or --drop-unusable)")
        if refused:
            notes.append(f"left out: {reasons}")
        if not columns:
            raise InvalidDataError(f"no column is left to predict {target!r} from")
        return cls(tuple(columns), target, task, tuple(classes)), notes

    @property
    def features(self) -> list[str]:
        """The names of the columns of the design."""
        return [name for column in self.columns for name in column.features]

    def design(self, table: Any) -> tuple[Rows, list[str]]:
        """(n, d) design of a table with these columns, and notes on what did not fit.

        Raises
        ------
        InvalidDataError
            A column is absent, or has text where the training rows had numbers.
        """
        absent = [column.name for column in self.columns if column.name not in table.columns]
        if absent:
            raise InvalidDataError(f"the table lacks {listed(absent)}; it has {listed(table.columns)}")
        parts, notes = zip(*(column.encode(table[column.name]) for column in self.columns), strict=True)
        return np.hstack(parts), [note for some in notes for note in some]

    def targets(self, values: Any) -> NDArray[Any]:
        """(n,): the target column as numbers or labels; it must have no missing values.

        Raises
        ------
        InvalidDataError
            A label that is not one of ``classes``.
        """
        if self.task == "regression":
            return numbers(values, self.target)
        found = labels(values)
        new = sorted({str(label) for label in found} - {str(label) for label in self.classes})
        if new:
            raise InvalidDataError(f"target {self.target!r} has the classes {listed(new)}, unknown to the model")
        return np.array(found)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> TableEncoding:
        """What ``to_json`` described."""
        columns = (Column(**{**c, "levels": tuple(c["levels"])}) for c in described["columns"])
        return cls(tuple(columns), described["target"], described["task"], tuple(described["classes"]))


def learn_column(values: Any, name: str) -> Column:
    """The encoding of one usable pandas column."""
    kind = kind_of(values)
    if kind == "category":
        return Column(name, kind, levels=tuple(sorted(set(texts(values)))))
    x = numbers(values, name)
    return Column(name, kind, float(np.nanmedian(x)), bool(np.isnan(x).any()))


def kind_of(values: Any) -> Kind:
    """What a pandas column holds."""
    from pandas.api import types

    present = values.dropna()
    if types.is_bool_dtype(present.dtype) or (present.dtype == object and all(isinstance(v, bool) for v in present)):
        return "boolean"
    if isinstance(values.dtype, _categorical()):
        return "category"
    return "number" if types.is_numeric_dtype(values.dtype) else "category"


def unusable(values: Any, name: str, max_levels: int = MAX_LEVELS) -> str | None:
    """None, or why the column cannot be used: dates, nested values, free text, row numbers."""
    from pandas.api import types

    present = values.dropna()
    if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
        return "holds dates or times"
    if types.is_complex_dtype(values.dtype):
        return "holds complex numbers"
    if kind_of(values) != "category":
        whole = types.is_integer_dtype(values.dtype) and len(present) > 2 and present.is_unique
        return "numbers the rows" if whole and _names_rows(name) else None
    odd = next((v for v in present if not isinstance(v, str | bool | int | float | np.generic)), None)
    if odd is not None:
        dated = hasattr(odd, "year") or hasattr(odd, "hour")
        return "holds dates or times" if dated else f"holds values of type {type(odd).__name__}"
    words = texts(present)
    count = len(set(words))
    if words and all(_DATE.fullmatch(word.strip()) for word in words):
        return "holds dates or times"
    if count > max_levels or count > max(FEW, len(words) / 2):
        return f"looks like text or names ({count} different values in {len(words)} rows)"
    return None


def _names_rows(name: str) -> bool:
    return bool(re.fullmatch(r"unnamed: \d+|(.*[ _.-])?(id|index|idx|key|row|rows|rownames|nr)", name.lower())) or (
        name.endswith("Id") or name.endswith("ID")
    )


def _categorical() -> Any:
    from pandas import CategoricalDtype

    return CategoricalDtype


def numbers(values: Any, name: str) -> Vector:
    """(n,): a pandas column as float64, true and false as 1 and 0, missing ones as NaN."""
    from pandas import to_numeric

    words = values.map(lambda v: _WORDS.get(v.strip().lower(), v) if isinstance(v, str) else v, na_action="ignore")
    try:
        x = np.asarray(to_numeric(words).to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError) as error:
        bad = next((v for v in words.dropna() if not _is_number(v)), None)
        raise InvalidDataError(f"column {name!r} must hold numbers, but has {bad!r}") from error
    if np.isinf(x).any():
        raise InvalidDataError(f"column {name!r} has infinite values; correct them or leave the column out")
    return x


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def texts(values: Any) -> list[str]:
    """A pandas column as text, whole numbers without a decimal point, missing ones as ``MISSING``."""
    absent = values.isna()
    return [MISSING if gone else _text(v) for v, gone in zip(values, absent, strict=True)]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def labels(values: Any) -> list[Label]:
    """The labels of a pandas column without missing values: booleans, whole numbers or text."""
    if kind_of(values) == "boolean":
        return [bool(v) for v in values]
    if kind_of(values) == "number" and bool((values % 1 == 0).all()):
        return [int(v) for v in values]
    return texts(values)


def infer_task(values: Any) -> tuple[Task, str]:
    """The task a target column suggests, and why."""
    if kind_of(values) == "category":
        return "classification", "the target is text"
    if kind_of(values) == "boolean":
        return "classification", "the target is true or false"
    count = values.nunique()
    if count <= min(FEW, len(values) / 2) and bool((values % 1 == 0).all()):
        return "classification", f"the target has {count} different whole numbers"
    return "regression", "the target is a quantity"


def classes_of(values: Any, name: str) -> tuple[Label, ...]:
    """The classes of a target column, sorted; refused if they are fewer than two or nearly as many as the rows."""
    found = sorted(set(labels(values)), key=lambda label: (isinstance(label, str), label))
    if len(found) < 2:
        raise InvalidDataError(f"target {name!r} has one class only ({found[0]!r}); there is nothing to learn")
    if len(found) > max(2, len(values) / 2):
        raise InvalidDataError(
            f"target {name!r} has {len(found)} different values in {len(values)} rows, too many for classes; "
            "for a quantity use --task regression"
        )
    return tuple(found)


def read_table(path: str | os.PathLike[str]) -> Any:
    """The pandas table in a CSV (or ``.tsv``, also compressed) or parquet file, its columns named by text.

    A CSV file may separate its columns by commas, semicolons, tabs or bars: the most frequent one in its first line.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    InvalidDataError
        It cannot be read as a table, or has no rows.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingDependencyError("reading tables needs pandas and pyarrow: pip install 'bidual[data]'") from error
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            table = pandas.read_parquet(path)
        else:
            table = pandas.read_csv(path, sep=_separator(path), skipinitialspace=True, low_memory=False)
    except ImportError as error:
        raise MissingDependencyError("reading parquet needs pyarrow: pip install 'bidual[data]'") from error
    except MemoryError:
        raise
    except Exception as error:  # pandas and pyarrow raise a dozen types on malformed input
        raise InvalidDataError(f"cannot read {str(path)!r} as a table: {_first_line(error)}") from error
    table.columns = [str(name).strip() for name in table.columns]
    if not table.columns.is_unique:
        twice = sorted(set(table.columns[table.columns.duplicated()]))
        raise InvalidDataError(f"{str(path)!r} has several columns named {listed(twice)}; give each its own name")
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InvalidDataError(f"{str(path)!r} has no rows")
    return table

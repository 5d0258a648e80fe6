"""How a table becomes a design: learnt from the training rows, applied to every later table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bidual.errors import InvalidDataError
from bidual.tables.kinds import MAX_LEVELS, MISSING, Kind, kind_of, numbers, texts, unusable
from bidual.tables.reading import listed
from bidual.tables.targets import Label, Task, labels
from bidual.typing import Rows


@dataclass(frozen=True)
class Encoded:
    """A design X (n, d), and notes on what did not fit."""

    X: Rows
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of the table: its kind, and its median or its levels."""

    name: str
    kind: Kind
    median: float = 0.0
    had_missing: bool = False
    levels: tuple[str, ...] = ()

    @classmethod
    def learn(cls, values: Any) -> Column:
        """From the training rows of a usable pandas column."""
        name, kind = str(values.name), kind_of(values)
        if kind == "category":
            return cls(name, kind, levels=tuple(sorted(set(texts(values)))))
        x = numbers(values)
        return cls(name, kind, float(np.nanmedian(x)), bool(np.isnan(x).any()))

    @property
    def features(self) -> list[str]:
        """The names of its columns of the design."""
        if self.kind == "category":
            return [f"{self.name}={level}" for level in self.levels]
        return [self.name, f"{self.name} {MISSING}"] if self.had_missing else [self.name]

    def encode(self, values: Any) -> Encoded:
        """Its columns of the design."""
        return self._hot(texts(values)) if self.kind == "category" else self._filled(values)

    def _filled(self, values: Any) -> Encoded:
        x = numbers(values)
        missing = np.isnan(x)
        x = np.where(missing, self.median, x)
        if self.had_missing:
            return Encoded(np.column_stack([x, missing.astype(float)]))
        note = f"column {self.name!r}: {missing.sum()} missing, none in the training rows; replaced by the median"
        return Encoded(x[:, None], (note,) if missing.any() else ())

    def _hot(self, words: list[str]) -> Encoded:
        place = {level: i for i, level in enumerate(self.levels)}
        codes = np.array([place.get(word, -1) for word in words])
        new = sorted(set(words) - set(place))
        note = f"column {self.name!r}: {listed(new, 3)} not among the training rows' levels; encoded as none of them"
        return Encoded((codes[:, None] == np.arange(len(place))).astype(float), (note,) if new else ())


@dataclass(frozen=True)
class TableEncoding:
    """What a model must know of the table it was trained on; ``to_json`` and ``from_json`` keep it.

    columns : the columns used, in order
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
    ) -> tuple[TableEncoding, tuple[str, ...]]:
        """From the training rows, a pandas table: the encoding, and notes on the columns left out.

        Raises
        ------
        InvalidDataError
            A column cannot be used and ``drop_unusable`` is not set, or no column is left.
        """
        drop = set(drop)
        unknown = sorted(drop - set(table.columns))
        if unknown:
            raise InvalidDataError(
                f"there is no column {listed(unknown)} to drop; the table has {listed(table.columns)}"
            )
        names = [name for name in table.columns if name != target and name not in drop]
        constant = [name for name in names if table[name].dropna().map(str).nunique() + table[name].hasnans < 2]
        reasons = {name: unusable(table[name], max_levels) for name in names if name not in constant}
        notes = [f"column {name!r} left out: it has one value only" for name in constant]
        refused = "; ".join(f"column {name!r} {reason}" for name, reason in reasons.items() if reason)
        if refused and not drop_unusable:
            raise InvalidDataError(
                f"{refused}. Put numbers in its place, or leave it out (--drop COLUMN, or --drop-unusable for all)"
            )
        if refused:
            notes.append(f"left out: {refused}")
        columns = tuple(Column.learn(table[name]) for name, reason in reasons.items() if reason is None)
        if not columns:
            raise InvalidDataError(f"no column is left to predict {target!r} from")
        return cls(columns, target, task, tuple(classes)), tuple(notes)

    @property
    def features(self) -> list[str]:
        """The names of the columns of the design."""
        return [name for column in self.columns for name in column.features]

    def design(self, table: Any) -> Encoded:
        """The design of a pandas table that has these columns.

        Raises
        ------
        InvalidDataError
            A column is absent, or has text where the training rows had numbers.
        """
        absent = [column.name for column in self.columns if column.name not in table.columns]
        if absent:
            raise InvalidDataError(f"the table lacks the column {listed(absent)}; it has {listed(table.columns)}")
        parts = [column.encode(table[column.name]) for column in self.columns]
        return Encoded(np.hstack([part.X for part in parts]), tuple(note for part in parts for note in part.notes))

    def targets(self, values: Any) -> NDArray[Any]:
        """(n,): a target column without missing values, as numbers or labels.

        Raises
        ------
        InvalidDataError
            A value is not a number, or not one of ``classes``.
        """
        if self.task == "regression":
            return numbers(values)
        known = {str(label): label for label in self.classes}
        found = [str(label) for label in labels(values)]
        new = sorted(set(found) - set(known))
        if new:
            raise InvalidDataError(f"target {self.target!r} has the class {listed(new)}, which the model does not know")
        return np.array([known[word] for word in found])

    def to_json(self) -> dict[str, Any]:
        """Numbers, text, lists and dictionaries."""
        return asdict(self)

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> TableEncoding:
        """What ``to_json`` described."""
        columns = (Column(**{**column, "levels": tuple(column["levels"])}) for column in described["columns"])
        return cls(tuple(columns), described["target"], described["task"], tuple(described["classes"]))

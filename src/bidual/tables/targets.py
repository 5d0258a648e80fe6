"""What the target column asks for: the task, and its classes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from bidual.errors import InvalidDataError
from bidual.tables.kinds import FEW, kind_of, numbers, texts

Task = Literal["regression", "classification"]
Label: TypeAlias = str | bool | int


def labels(values: Any) -> list[Label]:
    """The labels of a column without missing values: booleans, whole numbers or text."""
    kind = kind_of(values)
    if kind == "category":
        return list(texts(values))
    x = numbers(values)
    if kind == "boolean":
        return [bool(v) for v in x]
    return [int(v) for v in x] if np.all(x % 1 == 0) else list(texts(values))


def infer_task(values: Any) -> tuple[Task, str]:
    """The task that a target column without missing values suggests, and why."""
    kind = kind_of(values)
    if kind == "category":
        return "classification", "the target is text"
    if kind == "boolean":
        return "classification", "the target is true or false"
    x = numbers(values)
    count = np.unique(x).size
    if count <= min(FEW, len(x) / 2) and np.all(x % 1 == 0):
        return "classification", f"the target has {count} different whole numbers"
    return "regression", "the target is a quantity"


def classes_of(values: Any) -> tuple[Label, ...]:
    """The classes of a target column, sorted.

    Raises
    ------
    InvalidDataError
        There are fewer than two, or nearly as many as rows.
    """
    found = sorted(set(labels(values)))
    if len(found) < 2:
        raise InvalidDataError(f"target {values.name!r} has one value only ({found[0]!r}); there is nothing to learn")
    if len(found) > max(2, len(values) / 2):
        raise InvalidDataError(
            f"target {values.name!r} has {len(found)} different values in {len(values)} rows, too many for classes; "
            "choose another target, or --task regression if it is a quantity"
        )
    return tuple(found)

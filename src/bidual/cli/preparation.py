"""From a table to training and test rows: task, split, encoding."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from bidual.cli.exits import InputError
from bidual.tables import (
    MAX_LEVELS,
    TableEncoding,
    Task,
    classes_of,
    fingerprints,
    infer_task,
    listed,
    numbers,
    read_table,
)
from bidual.typing import Rows


@dataclass(frozen=True, eq=False)
class Prepared:
    """The encoding learnt from the training rows, both parts of the table as arrays, the fingerprints of the training
    rows, and notes."""

    encoding: TableEncoding
    X: Rows
    y: NDArray[Any]
    X_test: Rows | None
    y_test: NDArray[Any] | None
    rows: NDArray[np.uint64]
    notes: tuple[str, ...]


def prepare(args: argparse.Namespace) -> Prepared:
    """Read, check and split the table that the options name."""
    table, notes = with_target(read_table(args.data), args.target)
    values = table[args.target]
    task, told = _task(values, args.task)
    classes = classes_of(values) if task == "classification" else ()
    train, test = split(values, classes, args.test_size, args.seed)
    encoding, left_out = TableEncoding.learn(
        table.iloc[train], args.target, task, classes, args.drop, args.drop_unusable, args.max_levels or MAX_LEVELS
    )
    X = encoding.design(table.iloc[train]).X
    y = encoding.targets(values.iloc[train])
    X_test = y_test = None
    more: tuple[str, ...] = ()
    if test.size:
        encoded = encoding.design(table.iloc[test])
        X_test, y_test, more = encoded.X, encoding.targets(values.iloc[test]), encoded.notes
    told_test = tuple(f"test rows: {text}" for text in more)
    return Prepared(encoding, X, y, X_test, y_test, fingerprints(X, y.tolist()), (*notes, *told, *left_out, *told_test))


def with_target(table: Any, target: str) -> tuple[Any, tuple[str, ...]]:
    """The rows that have a target, and a note on the others; InputError if there is no such column or no such row."""
    if target not in table.columns:
        raise InputError(f"there is no column {target!r} to predict; the table has {listed(table.columns)}")
    missing = table[target].isna()
    lost = int(missing.sum())
    if lost == len(table):
        raise InputError(f"the target {target!r} is missing in every row")
    notes = (f"{lost} of {len(table)} rows left out: their {target!r} is missing",) if lost else ()
    return table[~missing].reset_index(drop=True), notes


def split(
    values: Any, classes: tuple[Any, ...], test_size: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the training and of the test rows; classes keep their shares where they are large enough."""
    n = len(values)
    places = np.arange(n)
    n_test = round(test_size * n)
    if n_test == 0:
        return places, places[:0]
    if n - n_test < 2:
        raise InputError(f"{n} rows with a target are too few to hold back {n_test}; lower --test-size, or set it to 0")
    words = values.astype(str)
    several = classes and words.value_counts().min() >= 2 and min(n_test, n - n_test) >= len(classes)
    train, test = train_test_split(places, test_size=n_test, random_state=seed, stratify=words if several else None)
    return np.sort(train), np.sort(test)


def _task(values: Any, asked: Task | None) -> tuple[Task, tuple[str, ...]]:
    if asked is None:
        task, reason = infer_task(values)
        return task, (f"task: {task}, because {reason} (--task changes it)",)
    if asked == "regression":
        numbers(values)
    return asked, ()

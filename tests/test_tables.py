"""Tables become designs, the same way at training and later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bidual.errors import InvalidDataError
from bidual.tables import TableEncoding, classes_of, find_rows, fingerprints, infer_task, read_table
from bidual.tables.kinds import unusable


def learn(table: pd.DataFrame, **options: Any) -> tuple[TableEncoding, tuple[str, ...]]:
    return TableEncoding.learn(table, "y", "regression", **options)


TABLE = pd.DataFrame(
    {
        "size": [1.0, np.nan, 3.0, 5.0],
        "count": [1, 2, 2, 9],
        "city": ["b", "a", None, "b"],
        "flag": [True, False, None, True],
        "y": [1.0, 2.0, 3.0, 4.0],
    }
)


def test_a_design_by_hand() -> None:
    encoding, notes = learn(TABLE)
    assert notes == ()
    assert encoding.features == [
        *("size", "size (missing)", "count", "city=(missing)", "city=a", "city=b", "flag", "flag (missing)")
    ]
    expected = [
        [1, 0, 1, 0, 0, 1, 1, 0],
        [3, 1, 2, 0, 1, 0, 0, 0],
        [3, 0, 2, 1, 0, 0, 1, 1],
        [5, 0, 9, 0, 0, 1, 1, 0],
    ]
    encoded = encoding.design(TABLE)
    np.testing.assert_array_equal(encoded.X, expected)
    assert encoded.notes == ()


def test_json_keeps_it() -> None:
    encoding, _ = TableEncoding.learn(TABLE, "city", "classification", ("a", "b"))
    assert TableEncoding.from_json(json.loads(json.dumps(encoding.to_json()))) == encoding


def test_what_training_never_saw() -> None:
    encoding, _ = learn(TABLE)
    new = pd.DataFrame({"size": [np.nan], "count": [np.nan], "city": ["z"], "flag": ["TRUE"], "extra": [object()]})
    encoded = encoding.design(new)
    np.testing.assert_array_equal(encoded.X, [[3, 1, 2, 0, 0, 0, 1, 0]])
    assert len(encoded.notes) == 2 and "'count'" in encoded.notes[0] and "'z'" in encoded.notes[1]


@pytest.mark.parametrize("column", ["size", "city"])
def test_an_absent_column(column: str) -> None:
    with pytest.raises(InvalidDataError, match=f"lacks the column '{column}'"):
        learn(TABLE)[0].design(TABLE.drop(columns=column))


def test_text_where_numbers_were() -> None:
    with pytest.raises(InvalidDataError, match="column 'count' must hold numbers, but has 'many'"):
        learn(TABLE)[0].design(TABLE.assign(count="many"))


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("id", np.arange(5), "numbers the rows"),
        ("Unnamed: 0", np.arange(5), "numbers the rows"),
        ("customer_id", np.array([7, 3, 9, 1]), "numbers the rows"),
        ("PassengerId", np.array([7, 3, 9, 1]), "numbers the rows"),
        ("when", pd.date_range("2020-01-01", periods=4), "holds dates or times"),
        ("when", ["2020-01-01", "2020-1-2", None], "holds dates or times"),
        ("when", ["2020-01-01T12:00", "2020-01-02 13:00"], "holds dates or times"),
        ("when", ["31/12/2020", "1.1.21"], "holds dates or times"),
        ("when", [pd.Timestamp("2020-01-01").date()] * 3, "holds dates or times"),
        ("name", [f"person {i}" for i in range(12)], "looks like text or names (12 different values in 12 rows)"),
        ("code", [f"c{i % 51}" for i in range(500)], "looks like text or names (51 different values in 500 rows)"),
        ("lists", [[1], [2]], "holds values of type list"),
        ("z", np.array([1j, 2j]), "holds complex numbers"),
        ("x", np.arange(5), None),
        ("grid", np.arange(5), None),
        ("id", np.array([1, 1, 2, 2]), None),
        ("size", ["s", "m", "l"], None),
        ("size", pd.Categorical(["s", "m", None]), None),
    ],
)
def test_which_columns_cannot_be_used(name: str, values: Any, reason: str | None) -> None:
    assert unusable(pd.Series(values, name=name)) == reason


def test_unusable_columns_are_refused_or_dropped_on_request() -> None:
    table = TABLE.assign(id=range(4), when="2020-01-01", constant=7)
    with pytest.raises(InvalidDataError, match="column 'id' numbers the rows. Put numbers in its place"):
        learn(table)
    encoding, notes = learn(table, drop_unusable=True)
    assert encoding == learn(TABLE)[0]
    assert any("'constant'" in note for note in notes) and any("'id'" in note for note in notes)
    assert learn(table, drop=["id"])[0] == encoding


def test_categories_may_be_numbers() -> None:
    encoding, _ = learn(TABLE.assign(grade=pd.Categorical([1, 2, 2, 1])))
    assert encoding.features[-2:] == ["grade=1", "grade=2"]


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b", "a", "b"], "classification"),
        ([True, False, True], "classification"),
        ([0, 1, 2, 0, 1, 2], "classification"),
        ([0.0, 1.0, 0.0, 1.0], "classification"),
        ([0.5, 1.5, 0.5, 1.5], "regression"),
        ([1, 2, 3, 4], "regression"),
        (list(range(11)) * 5, "regression"),
    ],
)
def test_the_task_follows_from_the_target(values: list[Any], task: str) -> None:
    assert infer_task(pd.Series(values))[0] == task


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["no", "yes", "no", "yes"], ("no", "yes")),
        ([True, False] * 2, (False, True)),
        ([2.0, 1.0] * 2, (1, 2)),
        ([10, 9] * 2, (9, 10)),
        ([0.5, 1.5] * 2, ("0.5", "1.5")),
    ],
)
def test_classes_keep_their_type(values: list[Any], classes: tuple[Any, ...]) -> None:
    column = pd.Series(values, name="y")
    found = classes_of(column)
    assert found == classes and [type(label) for label in found] == [type(label) for label in classes]
    encoding, _ = TableEncoding.learn(TABLE, "y", "classification", found)
    assert encoding.targets(column).tolist() == [classes[values[0] != sorted(values)[0]], *encoding.targets(column)[1:]]


def test_an_unknown_class_is_refused() -> None:
    encoding, _ = TableEncoding.learn(TABLE, "y", "classification", ("a", "b"))
    with pytest.raises(InvalidDataError, match="has the class 'c'"):
        encoding.targets(pd.Series(["a", "c"], name="y"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "t.csv.gz"
    TABLE.to_csv(path, sep=separator, index=False)
    assert learn(read_table(path))[0] == learn(TABLE)[0]


def test_quoted_separators_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"a;b;c",d\n1,2\n')
    assert list(read_table(path).columns) == ["a;b;c", "d"]


def test_csv_and_parquet_give_the_same_fingerprints(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 3)) * 10.0 ** rng.integers(-9, 9, (200, 3)), columns=["a", "b", "y"])
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    encoding, _ = learn(table)
    first, second = (
        fingerprints(encoding.design(t).X, encoding.targets(t["y"]).tolist())
        for t in (read_table(tmp_path / "t.csv"), read_table(tmp_path / "t.parquet"))
    )
    np.testing.assert_array_equal(first, second)


def test_rows_are_found_as_often_as_they_were_known() -> None:
    X = np.array([[1.0], [2.0], [1.0], [-0.0], [1.0]])
    prints = fingerprints(X, [0.0] * 5)
    places, lost = find_rows(prints[[0, 2, 3]], fingerprints(np.array([[0.0], [1.0], [5.0], [1.0], [1.0]]), [0.0] * 5))
    assert places.tolist() == [0, 1, 3] and lost == 0
    assert find_rows(prints, prints[:2])[1] == 3
    assert prints[0] != fingerprints(X[:1], [1.0])[0]

"""``bidual predict`` and ``bidual verify`` on a model of ``bidual fit``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bidual.cli.model_file import TableModel
from bidual.files import read_arrays, write_arrays

from .cases import Command, small_table


def test_predictions_go_to_stdout_or_to_a_file_or_into_json(
    run: Command, fitted: Path, tables: Path, tmp_path: Path
) -> None:
    model = TableModel.read(fitted / "model.npz")
    expected = model.estimator.predict(model.encoding.design(small_table()).X)
    plain = run("predict", fitted / "model.npz", tables / "small.csv")
    rows = list(csv.DictReader(io.StringIO(plain.out)))
    np.testing.assert_array_equal([float(row["prediction"]) for row in rows], expected)
    out = tmp_path / "p.csv"
    written = run("predict", fitted / "model.npz", tables / "small.parquet", "--out", out)
    assert written.code == 0 and out.read_text() == plain.out
    as_json = run("predict", fitted / "model.npz", tables / "small.csv", "--json").json
    np.testing.assert_array_equal(as_json["predictions"]["prediction"], expected)


def test_the_target_column_is_not_needed(run: Command, fitted: Path, tmp_path: Path) -> None:
    small_table().drop(columns=["price", "sick"]).to_csv(tmp_path / "t.csv", index=False)
    assert run("predict", fitted / "model.npz", tmp_path / "t.csv").code == 0


def test_a_new_level_is_none_of_the_known_ones(run: Command, fitted: Path, tmp_path: Path) -> None:
    table = small_table(3).assign(city="Bergen")
    table.to_csv(tmp_path / "t.csv", index=False)
    ran = run("predict", fitted / "model.npz", tmp_path / "t.csv")
    assert ran.code == 0 and "'Bergen' not among the training rows' levels" in ran.err


def test_probabilities(run: Command, fitted: Path, tables: Path, tmp_path: Path) -> None:
    ran = run("fit", tables / "small.csv", "--target", "sick", "--drop", "price", "--out", tmp_path)
    assert ran.code == 0
    result = run("predict", tmp_path / "model.npz", tables / "small.csv", "--proba", "--json").json["predictions"]
    assert list(result) == ["prediction", "P(no)", "P(yes)"]
    np.testing.assert_allclose(np.add(result["P(no)"], result["P(yes)"]), 1.0)
    assert [("yes" if p > 0.5 else "no") for p in result["P(yes)"]] == result["prediction"]
    refused = run("predict", fitted / "model.npz", tables / "small.csv", "--proba")
    assert refused.code == 2 and "predicts a quantity" in refused.err


def test_verify_finds_the_training_rows_in_any_order(run: Command, fitted: Path, tmp_path: Path) -> None:
    table = small_table()
    new = table.iloc[:5].assign(price=9.0)
    pd.concat([new, table]).sample(frac=1.0, random_state=1).to_csv(tmp_path / "t.csv", index=False)
    ran = run("verify", fitted / "model.npz", tmp_path / "t.csv", "--json")
    assert ran.code == 0 and ran.json["verified"] and ran.json["rows"] == 32


def test_verify_refuses_other_data(run: Command, fitted: Path, tmp_path: Path) -> None:
    table = small_table()
    table["price"] += 0.01
    table.to_csv(tmp_path / "t.csv", index=False)
    ran = run("verify", fitted / "model.npz", tmp_path / "t.csv")
    assert ran.code == 4 and "NOT verified: 32 of the 32 training rows" in ran.out


def test_verify_refuses_a_number_that_does_not_follow(run: Command, fitted: Path, tables: Path, tmp_path: Path) -> None:
    header, arrays = read_arrays(fitted / "model.npz", "estimator")
    header["certificate"]["dual"] *= 1.0001
    write_arrays(tmp_path / "false.npz", "estimator", header, arrays)
    ran = run("verify", tmp_path / "false.npz", tables / "small.csv", "--json")
    assert ran.code == 4 and not ran.json["verified"] and "dual" in ran.json["reason"]


@pytest.mark.parametrize("command", ["predict", "verify"])
def test_files_that_are_no_models(run: Command, fitted: Path, tables: Path, tmp_path: Path, command: str) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes((fitted / "model.npz").read_bytes()[:-100])
    plain = tmp_path / "plain.npz"
    TableModel.read(fitted / "model.npz").estimator.save(plain)
    for path, reason in (
        (broken, "is damaged or was not written by bidual"),
        (plain, "was not trained on a table"),
        (tmp_path / "none.npz", "No such file"),
        (tables / "small.csv", "is damaged or was not written by bidual"),
    ):
        ran = run(command, path, tables / "small.csv", "--json")
        assert ran.code == 2 and reason in ran.json["error"] and ran.err.startswith("bidual: error: ")

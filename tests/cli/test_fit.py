"""``bidual fit``: from a table to a model, its certificate and its report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bidual
from bidual.cli.model_file import TableModel

from .cases import Command, small_table

RESULT = {
    *("command", "name", "task", "target", "rows", "features", "status", "proven", "certificate", "layers", "neurons"),
    *("iterations", "seconds", "metric", "train_score", "test_score", "baseline", "notes", "model", "report"),
    "exit_code",
}


def test_a_quantity(run: Command, tables: Path, tmp_path: Path) -> None:
    ran = run("fit", tables / "small.csv", "--target", "price", "--drop", "sick", "--out", tmp_path / "new" / "folder")
    assert ran.code == 0
    assert "objective (primal)" in ran.out and "global bound" in ran.out and "test  R\u00b2" in ran.out
    assert "task: regression" in ran.err
    model = bidual.load_model(tmp_path / "new" / "folder" / "model.npz")
    assert f"{model.certificate_.primal:.6g}" in ran.out
    report = (tmp_path / "new" / "folder" / "report.html").read_text(encoding="utf8")
    assert f"{model.certificate_.primal:.6g}" in report and f"{model.certificate_.dual:.6g}" in report
    assert "city=&lt;b&gt;Oslo" in report or "<b>Oslo" not in report


def test_classes_from_parquet_as_json_beside_scikit_learn(run: Command, tables: Path, tmp_path: Path) -> None:
    data = tables / "small.parquet"
    ran = run("fit", data, "--target", "sick", "--drop", "price", "--out", tmp_path, "--compare", "--json")
    assert ran.code == 0
    result = ran.json
    assert set(result) == RESULT
    assert result["task"] == "classification" and result["rows"] == {"train": 32, "test": 8}
    assert result["features"][:2] == ["age", "age (missing)"] and "city=(missing)" in result["features"]
    proof = result["certificate"]
    assert proof["global_dual"] <= proof["dual"] <= proof["primal"]
    assert result["baseline"]["name"] == "scikit-learn MLP"
    assert list(bidual.load_model(result["model"]).classes_) == ["no", "yes"]


def test_the_file_gives_back_the_same_model(fitted: Path, tables: Path) -> None:
    """The model knows its table, and predicts what an estimator fitted by hand on the same rows does."""
    model = TableModel.read(fitted / "model.npz")
    table = small_table()
    assert [column.name for column in model.encoding.columns] == ["age", "city", "smoker", "dose"]
    X = model.encoding.design(table).X
    X_train = X[np.isin(np.arange(len(X)), _training_places(model, X, table.price))]
    y_train = table.price.to_numpy()[np.isin(np.arange(len(X)), _training_places(model, X, table.price))]
    again = bidual.MLPRegressor(random_state=0).fit(X_train, y_train)
    np.testing.assert_array_equal(again.predict(X), model.estimator.predict(X))


def _training_places(model: TableModel, X: np.ndarray, y: pd.Series) -> np.ndarray:
    from bidual.tables import find_rows, fingerprints

    places, lost = find_rows(model.rows, fingerprints(X, y.tolist()))
    assert lost == 0 and len(places) == 32
    return places


def test_options_reach_the_estimator(run: Command, tables: Path, tmp_path: Path) -> None:
    options = ["--alpha", "0.2", "--activation", "gated_relu", "--loss", "huber", "--tol", "0.01", "--max-neurons", "9"]
    ran = run("fit", tables / "small.csv", "--target", "price", "--test-size", 0, "--out", tmp_path, "--json", *options)
    model = bidual.load_model(tmp_path / "model.npz")
    assert (model.alpha, model.activation, model.loss) == (0.2, "gated_relu", "huber")
    assert (model.tol, model.max_neurons, model.random_state) == (0.01, 9, 0)
    assert ran.json["rows"] == {"train": 40, "test": 0} and ran.json["test_score"] is None


def test_a_limit_ends_with_1_and_still_writes_the_model(run: Command, tables: Path, tmp_path: Path) -> None:
    data = tables / "small.csv"
    ran = run("fit", data, "--target", "price", "--tol", "1e-9", "--max-iter", 1, "--out", tmp_path, "--json")
    assert ran.code == 1 and ran.json["exit_code"] == 1
    assert ran.json["status"] == "iteration_limit" and not ran.json["proven"]
    assert any("max_iter" in note for note in ran.json["notes"])
    assert "Not proven to the tolerance" in Path(ran.json["report"]).read_text(encoding="utf8")
    assert run("verify", tmp_path / "model.npz", data).code == 0


def test_rows_without_target_are_left_out(run: Command, tmp_path: Path) -> None:
    table = small_table()
    table.loc[[1, 2], "price"] = np.nan
    table.to_csv(tmp_path / "t.csv", index=False)
    ran = run("fit", tmp_path / "t.csv", "--target", "price", "--out", tmp_path, "--json")
    assert ran.json["rows"] == {"train": 30, "test": 8}
    assert any("2 of 40 rows left out" in note for note in ran.json["notes"])
    assert run("verify", tmp_path / "model.npz", tmp_path / "t.csv").code == 0


def test_the_task_may_be_chosen(run: Command, tmp_path: Path) -> None:
    table = small_table()
    table["stars"] = np.arange(len(table)) % 3
    table.to_csv(tmp_path / "t.csv", index=False)
    found = [
        run("fit", tmp_path / "t.csv", "--target", "stars", "--out", tmp_path, "--json", "--alpha", 1, *more).json[
            "task"
        ]
        for more in ([], ["--task", "regression"])
    ]
    assert found == ["classification", "regression"]


def test_quiet_says_nothing_on_stderr(run: Command, tables: Path, tmp_path: Path) -> None:
    assert run("fit", tables / "small.csv", "--target", "price", "--out", tmp_path, "--quiet").err == ""


def test_without_matplotlib_there_is_a_report_without_plots(
    run: Command, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in [name for name in sys.modules if name == "matplotlib" or name.startswith("matplotlib.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = run("fit", tables / "small.csv", "--target", "price", "--out", tmp_path)
    assert ran.code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf8")
    assert "pip install &#x27;bidual[plot]&#x27;" in page and "<img" not in page


def test_units_of_pairs(run: Command, tables: Path, tmp_path: Path) -> None:
    data, options = tables / "small.csv", ("--interactions", "pairwise", "--tol", "5e-3", "--json")
    ran = run("fit", data, "--target", "price", "--out", tmp_path, *options)
    assert ran.code == 0 and ran.json["status"] == "optimal" and ran.json["certificate"]["scope"] == "global"
    assert run("verify", tmp_path / "model.npz", data).code == 0


def test_more_layers(run: Command, tables: Path, tmp_path: Path) -> None:
    deep = ("--layers", "3", "--branches", "6", "--branch-width", "4", "--patterns", "30")
    data, target = tables / "small.csv", ("--target", "price", "--drop", "sick", "--activation", "gated_relu")
    ran = run("fit", data, *target, *deep, "--out", tmp_path, "--json")
    assert ran.code == 0 and ran.json["layers"] == 3
    model = bidual.load_model(tmp_path / "model.npz")
    assert (model.n_branches, model.branch_width, model.n_patterns) == (6, 4, 30)
    report = (tmp_path / "report.html").read_text(encoding="utf8")
    assert "3 layers, activation gated_relu" in report and "the gates of this network were drawn" in report
    assert run("verify", tmp_path / "model.npz", data).code == 0
    refused = run("fit", data, "--target", "price", "--drop", "sick", "--layers", "4", "--out", tmp_path)
    assert refused.code == 2 and "n_layers=4 is not trained with activation='relu'" in refused.err

"""``bidual path``: every strength certified, the best model written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import bidual

from .cases import Command

FAST = ("--activation", "gated_relu", "--patterns", 10, "--drop", "city")


def test_a_path_its_best_model_and_its_report(run: Command, tables: Path, tmp_path: Path) -> None:
    ran = run("path", tables / "small.csv", "--target", "price", "--drop", "sick", "--out", tmp_path, "--json", *FAST)
    found = ran.json
    path = found["path"]
    assert ran.code == 0 and path["complete"] and path["worst"] <= path["eps"] == 0.05
    assert len(path["fits"]) >= 3 and path["fits"][0] == {"alpha": path["alpha_max"], "neurons": 0}
    model = bidual.load_model(found["model"])
    assert model.alpha == path["best_alpha"] and model.status_ == found["status"]
    table = pd.read_csv(tmp_path / "path.csv")
    best = table.loc[table.score.idxmax()]
    assert (best.alpha, best.score) == (path["best_alpha"], path["best_score"])
    assert (table.global_lower_bound <= table.lower_bound * (1 + 1e-12)).all()
    assert ((table.objective - table.lower_bound) / table.objective).max() <= path["worst"] * (1 + 1e-9)
    assert "The strength of the penalty" in Path(found["report"]).read_text(encoding="utf8")
    assert run("verify", found["model"], tables / "small.csv").code == 0


def test_a_given_range_and_folds(run: Command, tables: Path, tmp_path: Path) -> None:
    options = ("--alphas", 0.02, 0.1, "--cv", 2, "--scoring", "accuracy", "--eps", 0.2, "--task", "classification")
    ran = run("path", tables / "small.csv", "--target", "sick", "--drop", "price", "--out", tmp_path, *options, *FAST)
    assert ran.code == 0 and "every alpha from 0.02 to 0.1 within" in ran.out and "accuracy" in ran.out
    assert ran.err.startswith("path of small")
    alphas = pd.read_csv(tmp_path / "path.csv").alpha
    np.testing.assert_allclose(alphas[[0, 99]], [0.1, 0.02])


def test_an_early_end_and_refusals(run: Command, tables: Path, tmp_path: Path) -> None:
    arguments = ("path", tables / "small.csv", "--target", "price", "--drop", "sick", "--out", tmp_path, *FAST)
    ran = run(*arguments, "--time-limit", "1e-9")
    assert ran.code == 1 and "raise time_limit" in ran.err
    assert "cross-validation requires at least one" in run(*arguments, "--cv", 1).err
    assert run(*arguments, "--loss", "hinge").code == 2

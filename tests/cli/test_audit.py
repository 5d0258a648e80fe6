"""``bidual audit``: models of any program, in files."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neural_network import MLPClassifier

from bidual.export import to_onnx
from bidual.network import Layer, Network

from .cases import Command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, and models of it in every kind of file."""
    made, rng = tmp_path_factory.mktemp("audit"), np.random.default_rng(0)
    X = rng.normal(size=(12, 1))
    table = pd.DataFrame({"a": X[:, 0], "y": np.abs(X[:, 0])})
    table["class"] = np.where(table.y > 0.6, "high", "low")
    table[["a", "y"]].to_csv(made / "numbers.csv", index=False)
    table[["a", "class"]].to_csv(made / "classes.csv", index=False)
    table.to_csv(made / "all.csv", index=False)
    network = Network((Layer(np.array([[1.0, -1.0]]), np.zeros(2), "relu"), Layer(np.ones((2, 1)), np.zeros(1))))
    network.save(made / "net.npz")
    to_onnx(network, made / "net.onnx")
    net = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    torch.save(net.state_dict(), made / "net.pt")
    torch.save(net, made / "whole.pt")
    mlp = MLPClassifier(hidden_layer_sizes=(3,), solver="lbfgs", alpha=0.5, random_state=0)
    joblib.dump(mlp.fit(X, table["class"]), made / "mlp.joblib")
    (made / "broken.joblib").write_bytes(b"no model")
    return made


TORCH = ("--loss", "mse", "--weight-decay", "0.1", "--time-limit", "2")


@pytest.mark.parametrize("name", ["net.npz", "net.onnx", "net.pt"])
def test_networks_with_a_stated_objective(run: Command, folder: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "page.html"
    ran = run("audit", folder / name, folder / "numbers.csv", "--target", "y", *TORCH, "--out", out, "--json")
    found = ran.json
    assert ran.code == 1 and found["scope"] == "global" and found["dual"] <= found["best"] < found["primal"]
    assert found["relative_gap"] > 0.001 and found["steps"][0]["objective"] == found["primal"]
    assert out.read_text(encoding="utf8").startswith("<!doctype html>")
    assert "squared hidden weights" in found["objective"]


def test_an_estimator_of_scikit_learn(run: Command, folder: Path) -> None:
    arguments = ("audit", folder / "mlp.joblib", folder / "classes.csv", "--target", "class", "--tol", "0.9")
    assert "runs code that is in it; pass --trust" in run(*arguments).err
    ran = run(*arguments, "--trust")
    assert ran.code == 0 and "scikit-learn MLPClassifier" in ran.out


def test_a_model_of_fit_knows_its_table(run: Command, fitted: Path, tables: Path) -> None:
    ran = run("audit", fitted / "model.npz", tables / "small.csv", "--time-limit", "2", "--json")
    assert ran.code in (0, 1) and ran.json["kind"] == "bidual MLPRegressor"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["net.h5", "numbers.csv", "--target", "y"], "must end in one of .pt"),
        (["none.pt", "numbers.csv", "--target", "y"], "there is no file"),
        (["whole.pt", "numbers.csv", "--target", "y", *TORCH], "is no state_dict"),
        (["broken.joblib", "numbers.csv", "--target", "y", "--trust"], "write it with joblib.dump"),
        (["net.pt", "numbers.csv", "--target", "y"], "loss and weight_decay must be given"),
        (["net.pt", "numbers.csv", *TORCH], "--target must name"),
        (["net.pt", "numbers.csv", "--target", "z", *TORCH], "there is no column 'z'"),
        (["net.pt", "all.csv", "--target", "y", *TORCH], "encode text first"),
        (["net.pt", "numbers.csv", "--target", "y", "a", *TORCH], "X must have shape"),
        (["net.pt", "numbers.csv", "--target", "y", "--loss", "l1", "--weight-decay", "1"], "loss must be one of"),
    ],
)
def test_refusals(run: Command, folder: Path, arguments: list[str], sentence: str) -> None:
    ran = run("audit", folder / arguments[0], folder / arguments[1], *arguments[2:])
    assert ran.code == 2 and sentence in ran.err


def test_without_torch(run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    ran = run("audit", folder / "net.pt", folder / "numbers.csv", "--target", "y", *TORCH)
    assert ran.code == 3 and "pip install 'bidual[torch]'" in ran.err

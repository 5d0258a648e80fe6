"""``bidual export``: the file predicts as the model does."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from bidual.cli.model_file import TableModel
from bidual.tables import read_table

from .cases import Command


def encoded(fitted: Path, tables: Path) -> tuple[TableModel, np.ndarray]:
    model = TableModel.read(fitted / "model.npz")
    return model, model.encoding.design(read_table(tables / "small.csv")).X


def test_onnx(run: Command, fitted: Path, tables: Path, tmp_path: Path) -> None:
    ran = run("export", fitted / "model.npz", tmp_path / "out.onnx", "--json")
    model, X = encoded(fitted, tables)
    [F] = ReferenceEvaluator(str(tmp_path / "out.onnx")).run(None, {"X": X})
    np.testing.assert_allclose(F[:, 0], model.estimator.predict(X), rtol=1e-10)
    assert (ran.code, ran.json["outputs"], ran.json["inputs"]) == (0, "predictions", list(model.encoding.features))


def test_torch_program(run: Command, fitted: Path, tables: Path, tmp_path: Path) -> None:
    ran = run("export", fitted / "model.npz", tmp_path / "out.pt2")
    model, X = encoded(fitted, tables)
    module = torch.export.load(tmp_path / "out.pt2").module()
    for some in (X, X[:1]):
        F = module(torch.tensor(some)).detach().numpy()
        np.testing.assert_allclose(F[:, 0], model.estimator.predict(some), rtol=1e-10)
    assert ran.code == 0 and "predictions from age" in ran.out


def test_a_classifier_gives_scores(run: Command, tables: Path, tmp_path: Path) -> None:
    data, folder = tables / "small.csv", tmp_path / "fit"
    assert run("fit", data, "--target", "sick", "--drop", "price", "--tol", "0.1", "--out", folder).code in (0, 1)
    assert "decision scores from" in run("export", folder / "model.npz", tmp_path / "out.onnx").out


def test_refusals(run: Command, fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run("export", fitted / "model.npz", tmp_path / "out.h5")
    assert ran.code == 2 and "let it end in .onnx or .pt2" in ran.err
    assert run("export", tmp_path / "none.npz", tmp_path / "out.onnx").code == 2
    assert run("export", fitted / "model.npz", tmp_path / "none" / "out.onnx").code == 2
    monkeypatch.setitem(sys.modules, "onnx", None)
    ran = run("export", fitted / "model.npz", tmp_path / "out.onnx")
    assert ran.code == 3 and "pip install 'bidual[onnx]'" in ran.err
    monkeypatch.setitem(sys.modules, "torch", None)
    ran = run("export", fitted / "model.npz", tmp_path / "out.pt2")
    assert ran.code == 3 and "pip install 'bidual[torch]'" in ran.err

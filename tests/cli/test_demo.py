"""``bidual demo``."""

from __future__ import annotations

from pathlib import Path

import pytest

import bidual

from .cases import Command


def test_quick_demo(run: Command, tmp_path: Path) -> None:
    ran = run("demo", "--quick", "--out", tmp_path)
    assert ran.code == 0
    for words in ("diabetes", "breast_cancer", "relative gap", "scikit-learn MLP: test", "What is not proven:"):
        assert words in ran.out
    page = (tmp_path / "report.html").read_text(encoding="utf8")
    for name in ("diabetes_bmi", "diabetes", "breast_cancer"):
        model = bidual.load_model(tmp_path / f"{name}.npz")
        assert model.status_ == ("optimal" if name == "diabetes_bmi" else "optimal_on_patterns")
        assert f"{model.certificate_.primal:.6g}" in ran.out and f"{model.certificate_.primal:.6g}" in page


def test_interrupted_demo_keeps_what_it_has(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    @contextmanager
    def interrupting(title: str, quiet: bool):
        def listener(record: object) -> None:
            raise KeyboardInterrupt

        yield listener

    monkeypatch.setattr("bidual.cli.training.progress", interrupting)
    ran = run("demo", "--quick", "--out", tmp_path, "--json")
    assert ran.code == 130 and list(ran.json["models"]) == ["diabetes_bmi"]
    assert bidual.load_model(tmp_path / "diabetes_bmi.npz").status_ == "interrupted"

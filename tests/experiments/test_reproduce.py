"""``bidual reproduce``: what is run, what is written, and what is said; and every paper in its quick form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, final

import pytest

from bidual.cli import main
from bidual.display.base import new_axes
from bidual.experiments import PAPERS, Experiment, Paper, Setting, Verdict


@final
class Squares(Experiment):
    name = "squares"
    claim = "Squares are never negative (Figure 1)."
    assumed = "The numbers."
    runs = 0

    def run(self, setting: Setting) -> dict[str, Any]:
        Squares.runs += 1
        setting.note("squaring")
        return {"squares": [k * k for k in range(3 if setting.quick else 300 if setting.full else 30)]}

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        return [Verdict("none negative", f"least | {min(data['squares'])}", min(data["squares"]) >= 0)]

    def table(self, data: dict[str, Any]) -> list[list[str]]:
        return [["|k|", "square"], *([str(k), str(data["squares"][k])] for k in (1, 2))]

    def plot(self, data: dict[str, Any]) -> Any:
        ax = new_axes((3, 2))
        ax.plot(data["squares"])
        return ax.figure


@final
class Elsewhere(Experiment):
    name = "elsewhere"
    claim = "Images look like images."

    def missing(self, setting: Setting) -> str | None:
        return "it needs images; give --images"

    def run(self, setting: Setting) -> dict[str, Any]:
        raise AssertionError("was missing")

    def verdicts(self, data: dict[str, Any]) -> list[Verdict]:
        return []

    def plot(self, data: dict[str, Any]) -> Any:
        raise AssertionError("was missing")


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setitem(PAPERS, "numbers1900", Paper("A. Author, Numbers, 1900", (Squares(), Elsewhere())))
    monkeypatch.setattr(Squares, "runs", 0)
    return tmp_path / "out"


def reproduce(*arguments: object) -> int:
    return main(["reproduce", *map(str, arguments)])


def test_it_writes_data_figure_and_page(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce("numbers1900", "--quick", "--out", paper, "--json") == 0
    out, err = capsys.readouterr()
    first, second = json.loads(out)["experiments"]
    assert first["verdicts"] == [{"claim": "none negative", "measured": "least | 0", "agrees": True}]
    assert "give --images" in second["missing"] and "squaring" in err
    record = json.loads((paper / "squares.json").read_text())
    assert record["data"]["squares"] == [0, 1, 4] and record["quick"] and "numpy" in record["versions"]
    page = (paper / "index.md").read_text()
    assert "| \\|k\\| | square |\n|---|---|\n| 1 | 1 |\n| 2 | 4 |\n" in page
    assert "1900" in page and r"| none negative | least \| 0 | agrees |" in page and "![squares](squares.png)" in page
    assert (paper / "squares.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_there_is_not_run_again(paper: Path) -> None:
    for extra, runs in (
        ([], 1),
        ([], 1),
        (["--quick"], 2),
        (["--quick"], 2),
        (["--quick", "--again"], 3),
        (["--full"], 4),
    ):
        reproduce("numbers1900", "--only", "squares", "--out", paper, "--quiet", *extra)
        assert Squares.runs == runs
    (paper / "squares.json").write_text("{")
    reproduce("numbers1900", "--out", paper, "--quiet")
    assert Squares.runs == 5


def test_refusals(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, word in (
        (["numbers1901"], "numbers1900"),
        (["numbers1900", "--only", "cubes"], "squares"),
        (["numbers1900", "--images", paper / "none"], "no such folder"),
        (["numbers1900", "--quick", "--full"], "choose one"),
    ):
        assert reproduce(*arguments) == 2
        assert word in capsys.readouterr().err


def test_the_list(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce() == 0
    assert "squares: Squares are never negative" in capsys.readouterr().out


@pytest.mark.parametrize("name", PAPERS)
def test_quick_form_of_every_paper(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    assert reproduce(name, "--quick", "--out", tmp_path, "--quiet") == 0

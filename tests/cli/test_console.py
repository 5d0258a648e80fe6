"""Progress on stderr: lines, or one line drawn by rich on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from bidual.cli.console import line, progress
from bidual.solvers import Record

RECORD = Record(iteration=3, seconds=1.5, primal=2.0, dual=1.0, priced_dual=1.9, n_neurons=7)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_has_the_numbers() -> None:
    assert line(RECORD).strip().split("   ") == [
        *("1.5 s", "objective 2", "neurons 7", "gap to the best neuron found 5.0e-02", "to the global bound 5.0e-01")
    ]


def test_plain_lines_are_rare(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("data", quiet=False) as listener:
        for _ in range(5):
            listener(RECORD)
    assert capsys.readouterr().err.count("objective 2") == 1


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("data", quiet=True) as listener:
        listener(RECORD)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("installed", [True, False])
def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    if not installed:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    with progress("[data]", quiet=False) as listener:
        listener(RECORD)
    assert "[data]" in terminal.getvalue()

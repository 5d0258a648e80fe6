"""``bidual bench``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .cases import Command


def test_quick_bench(run: Command, tmp_path: Path) -> None:
    ran = run("bench", "--quick", "--json", "--out", tmp_path / "bench.json")
    assert ran.code == 0 and len(ran.json["problems"]) == 6
    for problem in ran.json["problems"]:
        assert problem["problem"] in ran.err
        assert [each["tol"] for each in problem["runs"]] == [1e-2, 1e-3, 1e-4, 1e-6]
        for each in problem["runs"]:
            assert each["dual"] <= each["primal"] <= each["dual"] + each["tol"] * each["primal"]
    assert json.loads((tmp_path / "bench.json").read_text())["problems"] == ran.json["problems"]


def test_what_is_not_proven_in_time_is_said_so(run: Command) -> None:
    ran = run("bench", "--quick", "--time-limit", "1e-6")
    assert ran.code == 1 and " - " in ran.out


def test_peers_need_a_checkout(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("bench", "--peers", "celer")
    assert ran.code == 2 and "checkout" in ran.err


def test_where_results_go_is_checked_first(run: Command, tmp_path: Path) -> None:
    ran = run("bench", "--out", tmp_path / "missing" / "bench.json")
    assert ran.code == 2 and "make it first" in ran.err and "gated" not in ran.err

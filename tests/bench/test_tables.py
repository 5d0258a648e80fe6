"""What the documents say follows from the rows."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bidual.bench import SMALL, Cell, sweeps

CELLS = [Cell("gated", "squared", "iid", SMALL[0], share) for share in (0.1, 0.01)]


def row(cell: Cell, method: str, answers: list[tuple[float, float]], **more: Any) -> dict[str, Any]:
    """Answers as (CPU seconds, objective); the optimum is 100."""
    facts = {"label": "tol 1e-06", "wall": 1.0, "outside": 0.0, "memory": 90.0, "passes": 30.0, "version": "1"}
    facts["neurons"] = round(1 / cell.share)
    listed = [{**facts, "cpu": cpu, "objective": objective, **more} for cpu, objective in answers]
    machine = {"processor": "abacus", "python": "3"}
    return {
        "problem": cell.name,
        "cell": asdict(cell) | {"size": list(cell.size)},
        "method": method,
        "status": "ended",
        "answers": listed,
        "machine": machine,
    }


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    exact = {"dual": 100.0, "gap": 1e-7}
    return [
        row(CELLS[0], "bidual", [(1.0, 100.0)], **exact),
        row(CELLS[0], "celer", [(2.0, 100.5), (8.0, 100.0)]),
        row(CELLS[0], "adelie", [(0.5, 100.005)]),
        row(CELLS[1], "bidual", [(2.0, 100.0)], **exact),
        row(CELLS[1], "celer", [(4.0, 100.5)]),
    ]


def test_ratios_are_of_what_both_solved(harness: ModuleType, rows: list[dict[str, Any]]) -> None:
    from tables import fastest, ratio, times

    found = times(rows)
    names = [cell.name for cell in CELLS]
    assert ratio(found, "celer", 1e-2, names) == (pytest.approx(2.0), 2, 2)
    assert ratio(found, "celer", 1e-6, names) == (pytest.approx(8.0), 1, 2)
    assert ratio(found, "adelie", 1e-4, names) == (pytest.approx(0.5), 1, 1)
    assert fastest(found[names[0]], 1e-4) == "adelie" and fastest(found[names[0]], 1e-6) == "bidual"


def test_the_library_must_prove_it(harness: ModuleType, rows: list[dict[str, Any]]) -> None:
    from tables import times

    rows[0]["answers"][0]["gap"] = 5e-3
    seconds = times(rows)[CELLS[0].name]["bidual"]
    assert seconds[1e-2] == 1.0 and math.isinf(seconds[1e-3])


def test_profiles_begin_with_the_wins(harness: ModuleType, rows: list[dict[str, Any]]) -> None:
    from figures import profile
    from tables import times

    found, names = times(rows), [cell.name for cell in CELLS]
    for method, tol, curve in (
        ("bidual", 1e-6, [(1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (1e3, 1.0)]),
        ("celer", 1e-6, [(1.0, 0.0), (8.0, 0.5), (1e3, 0.5)]),
        ("adelie", 1e-6, [(1.0, 0.0), (1e3, 0.0)]),
        ("adelie", 1e-4, [(1.0, 0.0), (1.0, 1.0), (1e3, 1.0)]),  # asked for one of the two
    ):
        assert list(zip(*profile(found, names, method, tol), strict=True)) == curve


def test_exponents_are_fitted(harness: ModuleType, tmp_path: Path) -> None:
    from figures import draw_costs

    made = [row(cell, "bidual", [(1e-6 * cell.size[0] * cell.size[1] ** 2, 1.0)], gap=1e-7) for _, cell in sweeps()]
    exponents = draw_costs(made, tmp_path / "costs.png")
    assert exponents["n"] == pytest.approx(1.0) and exponents["d"] == pytest.approx(2.0)
    assert exponents["P"] == pytest.approx(0.0, abs=1e-9) and (tmp_path / "costs.png").exists()


def test_documents_are_written_between_their_markers(
    harness: ModuleType,
    rows: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import documents

    root = Path(documents.__file__).parents[1]
    for name in ("README.md", "docs/benchmarks.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((root / name).read_text())
    (tmp_path / "docs" / "_static").mkdir()
    monkeypatch.setattr(documents, "ROOT", tmp_path)
    documents.write(rows)
    page, readme = ((tmp_path / name).read_text() for name in ("docs/benchmarks.md", "README.md"))
    assert "| celer | 2.0 (2) | 8.0 (1) |" in page and "| celer | 2.0 (2) | 8.0 (1) |" in readme
    assert "abacus" in page and "| gated | squared | 500, 10, 200, 1 | 0.1 |" in page
    documents.write(rows)
    assert (tmp_path / "docs/benchmarks.md").read_text() == page

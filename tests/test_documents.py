"""The Python blocks of the documents run as they stand and print what they say."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?:python|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def only_code(text: str) -> str:
    """The text with every line outside a Python block made empty, so that line numbers stay true."""
    lines = text.splitlines()
    kept = [""] * len(lines)
    for block in FENCE.finditer(text):
        first = text.count("\n", 0, block.start(1))
        last = first + block[1].count("\n")
        assert ">>>" in block[1], f"the Python block at line {first + 1} has no >>> and would go unrun"
        kept[first:last] = lines[first:last]
    return "\n".join(kept) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    code = only_code(page.read_text(encoding="utf8"))
    test = doctest.DocTestParser().get_doctest(code, {}, page.name, str(page), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert not report, "".join(report)


def test_only_code_keeps_line_numbers_and_refuses_what_would_go_unrun() -> None:
    text = "a\n```python\n>>> 1\n1\n```\nb\n"
    assert only_code(text) == "\n\n>>> 1\n1\n\n\n"
    with pytest.raises(AssertionError, match="line 3"):
        only_code("a\n```python\nx = 1\n```\n")

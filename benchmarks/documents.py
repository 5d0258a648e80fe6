"""Write the benchmark's tables and figures into the documents, from ``results/bench.jsonl``.

    python benchmarks/documents.py [--results FILE]

Only what stands between a document's two markers is replaced.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from figures import draw_costs, draw_profiles
from run import RESULTS, stored
from tables import Row, cells, summary

from bidual.bench import grid, sets

ROOT = Path(__file__).resolve().parents[1]


def replace_between(path: Path, name: str, text: str) -> None:
    """Put the text between ``<!-- name: begin -->`` and ``<!-- name: end -->``."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = path.read_text().split(begin)
    _, after = rest.split(end)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def write(rows: list[Row]) -> None:
    names = {cell.name for cell in (*grid(), *sets())}
    compared = [row for row in rows if row["problem"] in names]
    machine = rows[-1]["machine"]
    versions = {row["method"]: row["answers"][0]["version"] for row in compared if row["answers"]}
    static, page, readme = ROOT / "docs" / "_static", ROOT / "docs" / "benchmarks.md", ROOT / "README.md"
    draw_profiles(compared, static / "profiles.png")
    exponents = draw_costs(rows, static / "costs.png")
    fitted = ", ".join(f"{name}^{slope:.2f}" for name, slope in exponents.items())
    asked = len({row["problem"] for row in compared})
    text = f"{asked} of {len(names)} problems. {machine['processor']}, one thread, Python {machine['python']}; "
    replace_between(page, "bench machine", text + ", ".join(f"{name} {v}" for name, v in versions.items()) + ".")
    for kind in ("gated", "cones", "network"):
        replace_between(page, f"bench {kind}", summary(compared, kind))
    in_grid = {cell.name for cell in grid()}
    replace_between(page, "bench grid", cells(compared, lambda row: row["problem"] in in_grid))
    replace_between(page, "bench sets", cells(compared, lambda row: row["problem"] not in in_grid))
    replace_between(page, "bench costs", f"Fitted exponents of the cost: {fitted}.")
    replace_between(readme, "bench", summary(compared, "gated"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS)
    write(stored(parser.parse_args().results))


if __name__ == "__main__":
    main()

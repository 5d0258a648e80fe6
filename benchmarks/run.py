"""The benchmark: every problem with every method, one at a time, each in a process of its own with one thread.

    python benchmarks/methods.py                      # installs the peers, once
    python benchmarks/run.py                          # can be stopped and goes on where it was
    python benchmarks/run.py --methods bidual --again # measures the library anew

Results are lines of JSON in ``results/bench.jsonl``; ``documents.py`` makes the tables and figures from them. The
small problems come first, then the sets, the large ones, and the library alone on sweeps of each size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from judge import AGREES, accuracy, read
from methods import HERE, METHODS, PEERS, python, refusal

from bidual.bench import LARGE, SMALL, Cell, Posed, grid, pose, sets, sweeps
from bidual.errors import InvalidDataError

RESULTS = HERE / "results" / "bench.jsonl"
CAPS = {"small": 30.0, "large": 90.0}
"""CPU seconds of one method on one problem, all its tolerances together."""

GROUPS = ("small", "sets", "large", "sweeps")

HOPELESS = 1e-3
"""A method that stays above this accuracy by its cap is not asked for weaker penalties of the same size."""

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB", "NUMEXPR")}

Row = dict[str, Any]


def problems(which: Iterable[str]) -> Iterator[Cell]:
    """The problems in the order in which they are run; ``which`` of :data:`GROUPS`."""
    parts = (grid(SMALL), sets(), grid(LARGE), (cell for _, cell in sweeps()))
    for name, part in zip(GROUPS, parts, strict=True):
        if name in which:
            yield from part


def cap(cell: Cell) -> float:
    return CAPS["small" if cell.size in SMALL else "large"]


def lowest(rows: Iterable[Row], name: str) -> float | None:
    """The certified bound: the largest that was proven, by the library or from an answer's residual. For whole
    networks, whose tight bounds cover listed patterns alone, the lowest objective that any method found."""
    mine = [row for row in rows if row["problem"] == name]
    if name.startswith("network "):
        return min((answer["objective"] for row in mine for answer in row["answers"]), default=None)
    return max((answer["dual"] for row in mine for answer in row["answers"] if "dual" in answer), default=None)


def hopeless(rows: Iterable[Row], method: str, cell: Cell) -> str | None:
    """Why the method is not asked: it failed a problem of the same kind, loss and size that is at least as easy."""
    for row in rows:
        other = row["cell"]
        same = all(other[part] == _plain(cell)[part] for part in ("kind", "loss", "size"))
        if same and row["method"] == method and other["share"] >= cell.share and row["status"] == "capped":
            if row["best"] is None or row["best"] > HOPELESS:
                return f"did not reach {HOPELESS:g} in {cap(cell):.0f} s on: {row['problem']}"
    return None


def measured(method: str, posed: Posed, bound: float | None) -> Row:
    """Run the method in its environment and judge what it wrote."""
    cell, problem = posed.cell, posed.problem
    with TemporaryDirectory() as folder:
        task = Path(folder) / "task.npz"
        np.savez(
            task,
            cell=json.dumps(_plain(cell)),
            X=problem.X,
            Y=problem.Y,
            masks=posed.patterns.masks,
            gates=posed.patterns.gates,
            loss=cell.loss,
            kind=cell.kind,
            strength=problem.penalty.beta,
            lowest=-np.inf if bound is None or cell.kind == "network" else bound,
            cap=cap(cell),
        )
        run = [python(method), PEERS / method / "solve.py", task, folder]
        try:
            environment = os.environ | ONE_THREAD
            ended = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=10 * cap(cell))
            code, said = ended.returncode, ended.stderr.strip().splitlines()[-1:]
        except subprocess.TimeoutExpired:
            code, said = -24, ["did not end by itself"]
        answers = read(Path(folder), posed, bound)
    row = {"answers": answers}
    if code < 0:
        return row | {"status": "capped", "reason": "ended at its cap" if code == -24 else f"ended by signal {-code}"}
    return row | ({"status": "ended"} if code == 0 else {"status": "failed", "reason": " ".join(said)})


def one(rows: list[Row], method: str, posed: Posed) -> Row:
    """The row of a method on a problem."""
    cell = posed.cell
    row: Row = {"problem": cell.name, "cell": _plain(cell), "method": method, "answers": [], "best": None}
    for status, reason in (("refused", refusal(method, cell)), ("skipped", hopeless(rows, method, cell))):
        if reason is not None:
            return row | {"status": status, "reason": reason}
    bound = lowest(rows, cell.name)
    row |= measured(method, posed, bound)
    bound = lowest([*rows, row], cell.name)
    if bound is not None and row["answers"]:
        row["best"] = min(accuracy(answer, bound) for answer in row["answers"])
    spent = sum(answer["cpu"] for answer in row["answers"])
    if row["status"] == "capped" or spent > cap(cell):
        row["status"] = "capped"
    row["converts"] = all(answer.get("conversion", 0.0) <= AGREES for answer in row["answers"])
    return row


def _plain(cell: Cell) -> dict[str, Any]:
    return asdict(cell) | {"size": list(cell.size)}


def stored(path: Path) -> list[Row]:
    """The rows so far; a line that was cut off is left out."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"{path}: a line that was cut off is left out", file=sys.stderr)
    return rows


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--only", default="", metavar="TEXT", help="problems whose names have this text")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--again", action="store_true", help="forget what these methods did on these problems")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(argv)
    cells = [cell for cell in problems(args.problems) if args.only in cell.name]
    rows = stored(args.out)
    if args.again:
        names = {cell.name for cell in cells}
        rows = [row for row in rows if row["problem"] not in names or row["method"] not in args.methods]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for row in run(cells, args.methods, rows):
        with args.out.open("a") as file:
            file.write(json.dumps(row) + "\n")


def run(cells: Iterable[Cell], methods: Iterable[str], rows: list[Row]) -> Iterator[Row]:
    """The rows that are not there yet; ``rows`` grows by them."""
    machine = {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()}
    done = {(row["problem"], row["method"]) for row in rows}
    alone = {cell for _, cell in sweeps()}
    for cell in cells:
        asked = ["bidual"] if cell in alone else methods
        missing = [method for method in asked if (cell.name, method) not in done]
        if not missing:
            continue
        try:
            posed = pose(cell)
        except InvalidDataError as error:
            print(f"{cell.name}: left out: {error}", file=sys.stderr)
            continue
        for method in missing:
            row = one(rows, method, posed) | {"machine": machine}
            rows.append(row)
            best = "" if row["best"] is None else f"to {row['best']:.1e} in {row['answers'][-1]['cpu']:.2f} s"
            print(f"{cell.name:55} {method:12} {row['status']:8} {best}{row.get('reason', '')}", flush=True)
            yield row


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()

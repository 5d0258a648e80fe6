"""``bidual bench``: how fast this machine solves the benchmark's problems, to proven accuracies."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidual.cli.arguments import add_common, positive
from bidual.cli.console import note
from bidual.cli.exits import Exit, InputError, Outcome

if TYPE_CHECKING:
    from bidual.bench import Cell, Measured

RUNNER = Path("benchmarks") / "run.py"
"""In a checkout of the repository: the same problems with other packages."""


def add(subparsers: Any) -> None:
    """The command's options."""
    parser = subparsers.add_parser(
        "bench",
        help="time the solver on this machine",
        description="Solve the benchmark's problems (synthetic; nothing is downloaded) to proven relative gaps of "
        "1e-2, 1e-3, 1e-4 and 1e-6, each from the start, and print CPU seconds and passes over the data. With --peers, "
        "in a checkout of the repository: its benchmarks/run.py, which runs the same problems with other packages.",
    )
    parser.add_argument("--quick", action="store_true", help="the six smallest problems")
    parser.add_argument("--large", action="store_true", help="the large sizes too; minutes")
    limit = "of one solve (default: 60); --peers have limits of their own"
    parser.add_argument("--time-limit", type=positive, default=60.0, metavar="SECONDS", help=limit)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="other packages to run as well; all: every one")
    add_common(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Outcome:
    """Solve, or hand over to the runner."""
    if args.out is not None and not args.out.parent.is_dir():
        raise InputError(f"--out {str(args.out)!r}: there is no folder {str(args.out.parent)!r}; make it first")
    if args.peers:
        return _with_peers(args)
    from bidual.bench import TOLERANCES, measure, pose
    from bidual.cli.results import table

    rows: list[dict[str, Any]] = []
    lines = [["", *(f"{tol:g}" for tol in TOLERANCES), "passes", "gap", "neurons"]]
    for cell in _cells(args.quick, args.large):
        if not args.quiet:
            note(cell.name)
        posed = pose(cell)
        runs = [measure(posed, tol, args.time_limit) for tol in TOLERANCES]
        rows.append({"problem": cell.name, "runs": [_facts(each) for each in runs]})
        lines.append([cell.name, *(_seconds(each) for each in runs), *_last(runs[-1])])
    text = f"CPU seconds to a proven relative gap (-: not proven)\n\n{table(lines)}"
    result = {"command": "bench", "problems": rows}
    if args.out is not None:
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf8")
    proven = all(each["certified"] for row in rows for each in row["runs"])
    return Outcome(Exit.SUCCESS if proven else Exit.LIMIT, text, result)


def _cells(quick: bool, large: bool) -> Iterator[Cell]:
    """One seed and one design of each problem of the grid."""
    from bidual.bench import LARGE, SMALL, grid

    sizes = SMALL[:1] if quick else SMALL + (LARGE if large else ())
    for cell in grid(sizes):
        if cell.seed == 0 and cell.data == "power_law" and not (quick and cell.kind != "gated"):
            yield cell


def _facts(measured: Measured) -> dict[str, Any]:
    certificate = measured.solution.certificate
    return {
        "tol": measured.tol,
        "certified": measured.certified,
        "cpu": measured.cpu,
        "wall": measured.wall,
        "passes": measured.passes,
        "primal": certificate.primal,
        "dual": certificate.dual,
        "scope": certificate.scope,
        "status": measured.solution.status,
        "neurons": measured.solution.network.n_neurons,
    }


def _seconds(measured: Measured) -> str:
    return f"{measured.cpu:.3f}" if measured.certified else "-"


def _last(measured: Measured) -> tuple[str, str, str]:
    gap = measured.solution.certificate.relative_gap
    return f"{measured.passes:.0f}", f"{gap:.0e}", str(measured.solution.network.n_neurons)


def _with_peers(args: argparse.Namespace) -> Outcome:
    """The repository's runner, in a process of its own, whose progress goes to stderr."""
    if not RUNNER.is_file():
        raise InputError(f"--peers needs {RUNNER}; run it in the root of a checkout of the repository")
    command = [sys.executable, str(RUNNER), "--problems", *(["small", "large"] if args.large else ["small"])]
    command += [] if args.peers == ["all"] else ["--methods", "bidual", *args.peers]
    command += ["--only", "gated squared power_law 500x10x200x1 0.1"] if args.quick else []
    command += ["--out", str(args.out)] if args.out is not None else []
    ended = subprocess.run(command, stdout=sys.stderr)
    if ended.returncode:
        raise InputError(f"{RUNNER} ended with code {ended.returncode}; its reason is above")
    return Outcome(Exit.SUCCESS, "", {"command": "bench", "peers": args.peers})

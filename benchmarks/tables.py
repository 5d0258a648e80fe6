"""What the rows say: seconds to each accuracy, ratios, and the tables of the documents."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from methods import METHODS
from run import accuracy, lowest

from bidual.bench import TOLERANCES

Row = dict[str, Any]
Times = dict[str, dict[str, dict[float, float]]]
"""Problem -> method -> accuracy -> CPU seconds, inf where it was not reached; refused problems are not there."""

PEERS = METHODS[1:]
NOT_RUN = "Not run yet."


def times(rows: list[Row], clock: str = "cpu") -> Times:
    """The least seconds in which each method had an answer that accurate: the library proven so by itself, the others
    by the judge."""
    found: Times = {}
    by_problem: dict[str, list[Row]] = {}
    for row in rows:
        by_problem.setdefault(row["problem"], []).append(row)
    for problem, mine in by_problem.items():
        bound = lowest(mine, problem)
        for row in mine:
            if row["status"] == "refused" or bound is None:
                continue
            reached = found.setdefault(problem, {}).setdefault(row["method"], {})
            for tol in TOLERANCES:
                good = (answer[clock] for answer in row["answers"] if _error(answer, problem, bound) <= tol)
                reached[tol] = min(good, default=math.inf)
    return found


def _error(answer: Row, problem: str, bound: float) -> float:
    own = answer.get("gap", 0.0) if not problem.startswith("network ") else 0.0
    return max(accuracy(answer, bound), own)


def ratio(found: Times, peer: str, tol: float, problems: Iterable[str]) -> tuple[float, int, int]:
    """(how many times the library's seconds the peer takes, as a geometric mean where both got there; of how many
    problems; of how many that it was asked)."""
    logs, asked = [], 0
    for problem in problems:
        mine, theirs = (found[problem].get(method, {}).get(tol) for method in ("bidual", peer))
        if mine is None or theirs is None:
            continue
        asked += 1
        if math.isfinite(mine) and math.isfinite(theirs):
            logs.append(math.log(theirs / mine))
    return (math.exp(np.mean(logs)) if logs else math.nan), len(logs), asked


def summary(rows: list[Row], kind: str) -> str:
    """One line for each peer."""
    found = times(rows)
    problems = [problem for problem in found if problem.startswith(f"{kind} ")]
    if not problems:
        return NOT_RUN
    compared = [problem for problem in problems if len(found[problem]) > 1]
    head = ["peer", *(f"to {tol:.0e}".replace("e-0", "e-") for tol in TOLERANCES), "solved to 1e-6", "the fastest"]
    lines = []
    for peer in PEERS:
        parts = [ratio(found, peer, tol, problems) for tol in TOLERANCES]
        _, solved, asked = parts[-1]
        if asked:
            wins = sum(fastest(found[problem], TOLERANCES[-1]) == peer for problem in compared)
            cells = [f"{mean:.1f} ({count})" if count else "-" for mean, count, _ in parts]
            lines.append([peer, *cells, f"{solved} of {asked}", str(wins)])
    mine = [found[problem].get("bidual", {}).get(TOLERANCES[-1], math.inf) for problem in problems]
    wins = sum(fastest(found[problem], TOLERANCES[-1]) == "bidual" for problem in compared)
    solved = sum(map(math.isfinite, mine))
    lines.insert(0, ["bidual", *(["1"] * len(TOLERANCES)), f"{solved} of {len(mine)}", str(wins)])
    return markdown([head, *lines])


def fastest(seconds: dict[str, dict[float, float]], tol: float) -> str | None:
    """The method that was there first."""
    best = min(seconds, key=lambda method: seconds[method][tol])
    return best if math.isfinite(seconds[best][tol]) else None


def cells(rows: list[Row], wanted: Callable[[Row], bool]) -> str:
    """The library on each group of problems that differ in design and seed only, beside the fastest peer: medians."""
    found, groups = times(rows), {}
    for row in rows:
        if row["method"] == "bidual" and wanted(row) and row["problem"] in found:
            cell = row["cell"]
            key = (cell["kind"], cell["loss"], _where(cell), cell["share"])
            groups.setdefault(key, []).append(row)
    head = ["kind", "loss", "n, d, P, c", "strength", *(f"{tol:.0e}".replace("e-0", "e-") for tol in TOLERANCES)]
    if not groups:
        return NOT_RUN
    lines = [[*head, "passes", "worst gap", "fastest peer to 1e-3", "to 1e-6", "MB"]]
    for (kind, loss, where, share), group in groups.items():
        mine = [[found[row["problem"]]["bidual"][tol] for row in group] for tol in TOLERANCES]
        passes = [_at(row, TOLERANCES[-1], "passes") for row in group]
        gap = max(min((answer.get("gap", math.inf) for answer in row["answers"]), default=math.inf) for row in group)
        peers = [_fastest_peer([found[row["problem"]] for row in group], tol) for tol in (1e-3, 1e-6)]
        memory = max((answer["memory"] for row in group for answer in row["answers"]), default=math.nan)
        numbers = [*(_number(float(np.median(seconds))) for seconds in mine), _number(float(np.median(passes)), 0)]
        lines.append([kind, loss, where, f"{share:g}", *numbers, f"{gap:.0e}", *peers, _number(memory, 0)])
    return markdown(lines)


def _where(cell: Row) -> str:
    size = ", ".join(map(str, cell["size"]))
    return size if cell["data"] in ("iid", "power_law") else f"{cell['data']} {size}"


def _at(row: Row, tol: float, fact: str) -> float:
    """A fact of the run to the tolerance."""
    return next((answer[fact] for answer in row["answers"] if answer["label"] == f"tol {tol:g}"), math.nan)


def _fastest_peer(group: list[dict[str, dict[float, float]]], tol: float) -> str:
    """The peer whose median is least, and that median."""
    medians = {}
    for peer in PEERS:
        seconds = [methods[peer][tol] for methods in group if peer in methods]
        if seconds and math.isfinite(median := float(np.median(seconds))):
            medians[peer] = median
    best = min(medians, key=medians.__getitem__, default=None)
    return "-" if best is None else f"{best} {_number(medians[best])}"


def _number(value: float, digits: int = 3) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.{digits}f}" if value < 10 or digits == 0 else f"{value:.1f}"


def markdown(lines: list[list[str]]) -> str:
    """A table whose first line is its head; numbers to the right."""
    rule = ["---", *(["---:"] * (len(lines[0]) - 1))]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))

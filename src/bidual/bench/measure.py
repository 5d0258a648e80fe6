"""Time and work of one solve."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

from bidual.bench.posed import Posed
from bidual.operators.masked import MaskedData
from bidual.solvers import Solution, Stop

SHORT, REPEATS = 0.5, 3
"""A solve of fewer CPU seconds is repeated, and its fastest run counts."""


@final
@dataclass(frozen=True, eq=False)
class Measured:
    """A solve to the relative gap ``tol``: CPU and wall seconds, passes over the masked data, what came out.

    A pass is one product with all masked data and one with its transpose in single precision; work in double
    precision counts twice. Everything is counted, the certificate too.
    """

    tol: float
    cpu: float
    wall: float
    passes: float
    solution: Solution

    @property
    def certified(self) -> bool:
        """True if the proven gap meets the tolerance."""
        return self.solution.certificate.relative_gap <= self.tol


def measure(posed: Posed, tol: float, time_limit: float) -> Measured:
    """Solve with the library's solver for the problem, and count."""
    runs = [_once(posed, tol, time_limit)]
    while runs[-1].cpu < SHORT and len(runs) < REPEATS:
        runs.append(_once(posed, tol, time_limit))
    return min(runs, key=lambda run: run.cpu)


def _once(posed: Posed, tol: float, time_limit: float) -> Measured:
    with _counted() as flops:
        cpu, wall = time.process_time(), time.perf_counter()
        solution = posed.solver.solve(posed.problem, Stop(tol, time_limit=time_limit))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Measured(tol, cpu, wall, flops.total / posed.pass_flops, solution)


class _Flops:
    """In the place of ``MaskedData.flops``: each object keeps its own count, and ``total`` is that of all."""

    def __init__(self) -> None:
        self.total = 0.0

    def __get__(self, data: Any, owner: type) -> float:
        return data.__dict__.get("flops", 0.0)

    def __set__(self, data: Any, value: float) -> None:
        self.total += value - self.__get__(data, type(data))
        data.__dict__["flops"] = value


@contextmanager
def _counted() -> Iterator[_Flops]:
    """Counts the work of every masked data, those that the solver makes for itself too."""
    flops = _Flops()
    MaskedData.flops = flops  # type: ignore[assignment]
    try:
        yield flops
    finally:
        del MaskedData.flops  # type: ignore[misc]

"""Solvers propose networks; the driver judges them."""

from bidual.solvers.base import Budget, Iterate, Record, Solution, Solver, Status, Stop, drive
from bidual.solvers.working_set import WorkingSet

SOLVERS: dict[str, type[Solver]] = {"working_set": WorkingSet}

__all__ = ["SOLVERS", "Budget", "Iterate", "Record", "Solution", "Solver", "Status", "Stop", "WorkingSet", "drive"]

"""Solvers propose networks; the driver judges them."""

from bidual.solvers.base import Budget, Iterate, Record, Solution, Solver, Status, Stop, drive
from bidual.solvers.cone_penalized import ConePenalized, cone_penalized
from bidual.solvers.conic import Conic
from bidual.solvers.fixed_patterns import FixedPatterns
from bidual.solvers.frank_wolfe import FrankWolfe
from bidual.solvers.incremental import Incremental
from bidual.solvers.restarts import Restarts
from bidual.solvers.stochastic_frank_wolfe import StochasticFrankWolfe
from bidual.solvers.wide_program import WideProgram
from bidual.solvers.working_set import WorkingSet

SOLVERS: dict[str, type[Solver]] = {
    "working_set": WorkingSet,
    "fixed_patterns": FixedPatterns,
    "incremental": Incremental,
    "frank_wolfe": FrankWolfe,
    "stochastic_frank_wolfe": StochasticFrankWolfe,
    "conic": Conic,
    "wide_program": WideProgram,
}

__all__ = [
    "SOLVERS",
    "Budget",
    "ConePenalized",
    "Conic",
    "FixedPatterns",
    "FrankWolfe",
    "Incremental",
    "Iterate",
    "Record",
    "Restarts",
    "Solution",
    "Solver",
    "Status",
    "StochasticFrankWolfe",
    "Stop",
    "WideProgram",
    "WorkingSet",
    "cone_penalized",
    "drive",
]

"""The benchmark: problems, and what a solve of them takes on this machine.

``benchmarks/`` of the repository runs the same problems with other packages.
"""

from bidual.bench.cells import LARGE, SETS, SMALL, TOLERANCES, Cell, grid, sets, sweeps
from bidual.bench.measure import Measured, measure
from bidual.bench.posed import Posed, pose

__all__ = [
    "LARGE",
    "SETS",
    "SMALL",
    "TOLERANCES",
    "Cell",
    "Measured",
    "Posed",
    "grid",
    "measure",
    "pose",
    "sets",
    "sweeps",
]

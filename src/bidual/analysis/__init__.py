"""What one fit tells: networks without a row, prediction intervals, equally good networks, and effects of features."""

from bidual.analysis.effects import Effects
from bidual.analysis.intervals import jackknife_plus, split_conformal
from bidual.analysis.leave_one_out import LeftOut, leave_one_out
from bidual.analysis.rashomon import RashomonEnd, furthest, rashomon_end

__all__ = [
    "Effects",
    "LeftOut",
    "RashomonEnd",
    "furthest",
    "jackknife_plus",
    "leave_one_out",
    "rashomon_end",
    "split_conformal",
]

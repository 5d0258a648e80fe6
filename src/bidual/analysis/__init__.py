"""What one fit tells: leave-one-out networks and prediction intervals."""

from bidual.analysis.intervals import jackknife_plus, split_conformal
from bidual.analysis.leave_one_out import LeftOut, leave_one_out

__all__ = ["LeftOut", "jackknife_plus", "leave_one_out", "split_conformal"]

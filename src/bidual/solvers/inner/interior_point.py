"""Clarabel through cvxpy."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from bidual.errors import MissingDependencyError

logger = logging.getLogger("bidual")


def load_cvxpy() -> Any:
    """The module; MissingDependencyError where it is not installed."""
    try:
        import cvxpy
    except ImportError as error:
        raise MissingDependencyError(
            "the conic solver needs cvxpy and Clarabel; install them with: pip install 'bidual[conic]'"
        ) from error
    return cvxpy


def solve_conic(task: Any, tol: float) -> None:
    """Solve the cvxpy problem in place, as well as it goes: what comes out is judged by its certificate."""
    cp = load_cvxpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an inaccurate solution
        for scaled in (True, False):  # with exponential cones its scaling of the data stalls now and then
            try:
                task.solve(
                    solver=cp.CLARABEL, tol_gap_abs=tol, tol_gap_rel=tol, tol_feas=tol, equilibrate_enable=scaled
                )
                return
            except cp.SolverError as error:
                logger.warning("Clarabel failed (equilibrate_enable=%s): %s", scaled, error)

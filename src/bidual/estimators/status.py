"""What to tell the user of a solve that did not end in a proof."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from sklearn.exceptions import ConvergenceWarning

from bidual.estimators.certificate import FittedCertificate
from bidual.solvers import Status

QUIET = (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS, Status.CALLBACK_STOPPED)
"""Proven, or asked for."""

REMEDIES: Mapping[Status, str] = {
    Status.ALMOST_OPTIMAL: "no more progress was possible in floating point; raise tol, or accept this gap",
    Status.NO_BETTER_FOUND: "the search found no better network, but that is not proven; outputs='separate', fewer "
    "columns or solver='fixed_patterns' have tighter proofs, or accept this gap",
    Status.NEURON_LIMIT: "raise max_neurons, or raise alpha so that fewer neurons pay",
    Status.ITERATION_LIMIT: "raise max_iter, raise tol, or go on with warm_start=True",
    Status.TIME_LIMIT: "raise time_limit, raise tol, or go on with warm_start=True",
    Status.INTERRUPTED: "the best network so far is kept; go on with warm_start=True",
    Status.NUMERICAL_ERROR: "no more progress was possible; raise alpha, set standardize=True, or check X for columns "
    "that nearly repeat each other",
}


def warn_unless_proven(status: Status, certificate: FittedCertificate, name: str) -> None:
    """A ConvergenceWarning with the status, the gap, its scope and the remedy."""
    if status in QUIET:
        return
    remedy = REMEDIES.get(status, "raise tol, or accept this gap")
    warnings.warn(
        f"{name} stopped with status {status.value!r}: relative gap {certificate.relative_gap:.2e} (scope "
        f"{certificate.scope}), priced gap {certificate.relative_priced_gap:.2e}, global gap "
        f"{certificate.global_relative_gap:.2e}; {remedy}",
        ConvergenceWarning,
        stacklevel=5,
    )

"""Prediction intervals from residuals of rows that a network was not trained on."""

from __future__ import annotations

import math

import numpy as np

from bidual.errors import InvalidDataError
from bidual.typing import Matrix, Outputs


def jackknife_plus(at: Matrix, residuals: Outputs, coverage: float) -> tuple[Outputs, Outputs]:
    """(lower (n, c), upper (n, c)) of new rows: the jackknife+ (Barber, Candes, Ramdas & Tibshirani 2021, eq. 1.6).

    at : (n, k, c) what the network without training row i predicts for each new row, residuals : (k, c) how far it is
    off at row i. With ``q = ceil(coverage (k + 1))``, upper is the q-th smallest of ``at + |residuals|`` and lower the
    q-th largest of ``at - |residuals|``. Refitted networks cover a new exchangeable row with probability at least
    ``2 coverage - 1``, whatever the distribution, and mostly about ``coverage``.
    """
    off = np.abs(residuals)
    return -_quantile(off - at, coverage), _quantile(at + off, coverage)


def split_conformal(predictions: Outputs, residuals: Outputs, coverage: float) -> tuple[Outputs, Outputs]:
    """(lower (n, c), upper (n, c)): predictions (n, c) plus or minus the ``ceil(coverage (k + 1))``-th smallest of the
    absolute residuals (k, c) of rows that the network was not trained on.

    Covers a new row exchangeable with them with probability at least ``coverage``, whatever network and distribution
    (Vovk, Gammerman & Shafer 2005; Lei et al. 2018).
    """
    width = _quantile(np.abs(residuals)[None], coverage)
    return predictions - width, predictions + width


def _quantile(values: Matrix, coverage: float) -> Outputs:
    """(n, c): the ``ceil(coverage (k + 1))``-th smallest of values (n, k, c) along k."""
    k = values.shape[1]
    place = math.ceil(coverage * (k + 1) * (1.0 - 1e-12))  # 0.9 * 10 is 9
    if place > k:
        least = math.ceil(coverage / (1.0 - coverage) * (1.0 - 1e-12))
        raise InvalidDataError(
            f"coverage={coverage:g} needs at least {least} rows, got {k}; give more rows, or lower the coverage"
        )
    return np.partition(values, place - 1, axis=1)[:, place - 1]

"""What a fitted regressor tells of errors it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from bidual.analysis import jackknife_plus, split_conformal
from bidual.errors import InvalidParameterError
from bidual.estimators.one_fit import OneFit
from bidual.estimators.targets import RealTargets
from bidual.operators.blocks import row_blocks
from bidual.typing import Outputs


class OneFitRegression(OneFit):
    """For regressors."""

    def leave_one_out_predictions(self, X: Any, y: Any, sample_weight: Any = None) -> Outputs:
        """What ``predict`` would give for each training row after a fit without it.

        One Newton step for each row; nothing is fitted again. The encoding of ``fit`` is kept, where a new fit would
        standardise the other rows again.

        Parameters
        ----------
        X, y : the data of ``fit``, in any order of the rows
        sample_weight : array-like of shape (n_samples,), default=None
            As in ``fit``. Of a row of weight k, all of it is left out; of k equal rows, one at a time.

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs), as in ``fit``

        Raises
        ------
        RefusedError, InvalidDataError
            As :meth:`influence`.
        """
        return self.encoding_.targets.decode(self._own_outputs(X, y, sample_weight))

    def predict_interval(
        self, X_new: Any, X: Any, y: Any, *, coverage: float = 0.9, method: str = "jackknife+"
    ) -> tuple[Outputs, Outputs]:
        """An interval for the target of each new row, from one fit.

        Parameters
        ----------
        X_new : array-like of shape (n_new, n_features)
        X, y : the data of ``fit`` for "jackknife+", other rows with their targets for "conformal"
        coverage : float, default=0.9
            The probability with which the target of a random new row shall lie in its interval. With several targets,
            each has its own interval of this coverage.
        method : {"jackknife+", "conformal"}, default="jackknife+"
            "jackknife+" takes the leave-one-out predictions of all training rows, by one Newton step each. "conformal"
            takes the residuals of rows that were kept out of ``fit``, and its coverage is proven if those rows and the
            new ones come in random order (are exchangeable).

        Returns
        -------
        lower, upper : arrays of shape (n_new,) or (n_new, n_outputs), as in ``fit``

        Raises
        ------
        InvalidParameterError
            A coverage outside (0, 1), or another method.
        InvalidDataError
            Too few rows for the coverage, or for "jackknife+" not the data of ``fit``.
        RefusedError
            "jackknife+": as :meth:`influence`.
        """
        if not 0.0 < coverage < 1.0:
            raise InvalidParameterError(f"coverage must be a number between 0 and 1, got {coverage!r}; try 0.9")
        if method not in ("jackknife+", "conformal"):
            raise InvalidParameterError(f"method must be 'jackknife+' or 'conformal', got {method!r}")
        new, targets = self._encoded(X_new), self.encoding_.targets
        assert isinstance(targets, RealTargets)
        Y = targets.encode(targets.columns(y))
        if method == "conformal":
            lower, upper = split_conformal(self.network_(new), Y - self._outputs(X), coverage)
        else:
            left, _ = self._left_out(X, y)
            residuals, lower, upper = Y - left.own(), np.empty((len(new), Y.shape[1])), np.empty((len(new), Y.shape[1]))
            for rows in row_blocks(len(new), Y.size):
                lower[rows], upper[rows] = jackknife_plus(left.at(new[rows]), residuals, coverage)
        return targets.decode(lower), targets.decode(upper)

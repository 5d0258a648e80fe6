"""What a fitted estimator tells of its rows, and of networks that are as good."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from bidual.analysis import Effects, LeftOut, leave_one_out, rashomon_end
from bidual.errors import InvalidDataError
from bidual.estimators.base import ConvexMLP, refusing
from bidual.estimators.parameters import choose_solver, draw_seed
from bidual.estimators.rashomon import RashomonInterval
from bidual.estimators.rows import WeightedRows
from bidual.estimators.scaling import Scaling
from bidual.estimators.targets import ClassTargets
from bidual.operators.blocks import row_blocks
from bidual.problem import Problem
from bidual.typing import Matrix, Outputs, Rows

SAME = 1e-9
"""Data whose training objective is that of the fit up to this, relative, are taken for those of the fit."""


class OneFit(ConvexMLP):
    """Networks without each of the training rows, from the network with all of them.

    One Newton step for each row, as in :func:`bidual.analysis.leave_one_out`. The encoding of ``fit`` is kept, where a
    new fit would standardise the rows again. Of equal rows, one is left out at a time. The data are handed in, as no
    copy of them is kept.
    """

    def influence(self, X: Any, y: Any, X_new: Any = None, sample_weight: Any = None) -> Matrix:
        """How each training row moves each prediction: with the row, minus without it.

        One Newton step for each row; nothing is fitted again. The encoding of ``fit`` is kept.

        Parameters
        ----------
        X, y : the data of ``fit``, in any order of the rows
        X_new : array-like of shape (n_new, n_features), default=None
            The rows to predict, X if not given.
        sample_weight : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        influence : array of shape (n_new, n_samples) or (n_new, n_samples, n_outputs)
            In the units of ``predict``; of ``decision_function`` for a classifier.

        Raises
        ------
        RefusedError
            The loss has kinks ("hinge"), the units are no pieces of linear ones ("sign", "tanh"), units are shared by
            several outputs, or there are too many weights.
        InvalidDataError
            These are not the data of ``fit``.
        """
        new = self._encoded(X if X_new is None else X_new)
        left, rows = self._left_out(X, y, sample_weight)
        moved = np.zeros((len(new), rows.place.size, self.n_outputs_))
        before = self.network_(new)[:, None]
        for block in row_blocks(len(new), moved[0].size):
            moved[block, rows.place >= 0] = before[block] - left.at(new[block])
        targets = self.encoding_.targets
        if isinstance(targets, ClassTargets):
            return moved[:, :, 0] if self.n_outputs_ == 1 else moved
        moved *= targets.scaling.factor
        return moved[:, :, 0] if targets.flat else moved

    def rashomon_interval(
        self, X_new: Any, X: Any, y: Any, *, eps: float = 0.01, sample_weight: Any = None
    ) -> RashomonInterval:
        """The range of each prediction over all networks, of any width, that are nearly as good as this one: whose
        training objective is at most ``1 + eps`` times ``certificate_.primal``.

        Each end takes a few solves of the training problem with one more row, by the solver and the oracle of this
        estimator. For one target or two classes.

        Parameters
        ----------
        X_new : array-like of shape (n_new, n_features)
        X, y : the data of ``fit``, in any order of the rows
        eps : float, default=0.01
            By which share the objective may rise.
        sample_weight : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        interval : RashomonInterval
            Ends that networks attain, and ends that are proven to be out of reach. In the units of ``predict``; of
            ``decision_function`` for a classifier.

        Raises
        ------
        RefusedError
            Several targets or classes, or the loss is a hinge.
        InvalidParameterError
            An eps that is not positive.
        InvalidDataError
            X and y are not the data of ``fit``.
        """
        new, (problem, _) = self._encoded(X_new), self._trained_problem(X, y, sample_weight)
        solver = choose_solver(self.get_params(deep=False), problem, draw_seed(self.random_state))
        limit = math.inf if self.time_limit is None else float(self.time_limit)
        lower, upper = (
            tuple(rashomon_end(problem, self.network_, x, sign, solver, eps, limit) for x in new) for sign in (-1, 1)
        )
        targets = self.encoding_.targets
        return RashomonInterval(lower, upper, Scaling.none(1) if isinstance(targets, ClassTargets) else targets.scaling)

    def effects(self, X: Any) -> Effects:
        """The network as a constant and functions of one and of two features.

        In the user's units; of a classifier, what it adds up to is ``decision_function``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows that means are over, such as those of ``fit``.

        Returns
        -------
        effects : bidual.analysis.Effects
            Its ``terms`` are the features and pairs, the most important first, ``importances`` the standard deviations
            of what they contribute, and ``contribution(term, X)`` the functions.

        Raises
        ------
        RefusedError
            A unit sees three features or more: train with ``interaction_cst="pairwise"`` or ``"no_interactions"``.
        """
        check_is_fitted(self)
        with refusing():
            X = validate_data(self, X, dtype=np.float64, reset=False)
        return Effects(self.encoding_.fold(self.network_), X)

    def _own_outputs(self, X: Any, y: Any, sample_weight: Any) -> Outputs:
        """(n, c): for each row, the outputs without it, in standard units."""
        F = self._outputs(X)
        left, rows = self._left_out(X, y, sample_weight)
        F[rows.place >= 0] = left.own()
        return F

    def _left_out(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[LeftOut, WeightedRows]:
        """The networks without each of the rows that have weight, in the order given."""
        problem, rows = self._trained_problem(X, y, sample_weight)
        some = rows.place >= 0
        return leave_one_out(problem, self.network_, rows.place[some], rows.share[some], mean=True), rows

    def _trained_problem(self, X: Any, y: Any, sample_weight: Any) -> tuple[Problem, WeightedRows]:
        """The problem of the fit, and its rows."""
        check_is_fitted(self)
        formulation = self.certificate_.formulation
        rows = formulation.encoding.collect(X, y, sample_weight)
        problem = formulation.problem(rows)
        then, now = self.certificate_.primal, problem.objective(self.network_)
        if not abs(now - then) <= SAME * max(abs(now), abs(then)):
            raise InvalidDataError(
                f"X, y and sample_weight must be the data of fit: its training objective was {then:.9g}, on these data "
                f"it is {now:.9g}"
            )
        return problem, rows

    def _encoded(self, X: Any) -> Rows:
        """X in standard units."""
        check_is_fitted(self)
        with refusing():
            X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.encoding_.inputs.apply("X", X)


class OneFitClassification(OneFit):
    """For classifiers."""

    def leave_one_out_decision_function(self, X: Any, y: Any, sample_weight: Any = None) -> Outputs:
        """What ``decision_function`` would give for each training row after a fit without it.

        One Newton step for each row; nothing is fitted again. The encoding of ``fit`` is kept. With
        ``loss="log_loss"`` and more than two classes, decision values are known up to a common constant.

        Parameters
        ----------
        X, y : the data of ``fit``, in any order of the rows
        sample_weight : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        scores : array of shape (n_samples,), positive for the second class, or (n_samples, n_classes)

        Raises
        ------
        RefusedError, InvalidDataError
            As :meth:`influence`.
        """
        F = self._own_outputs(X, y, sample_weight)
        return F[:, 0] if F.shape[1] == 1 else F

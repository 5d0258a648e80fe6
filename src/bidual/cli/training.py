"""Fitting one case: the estimator with its progress, and scikit-learn's network beside it."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bidual.cli.console import progress
from bidual.cli.exits import Exit, InputError
from bidual.cli.preparation import Prepared
from bidual.estimators import MLPClassifier, MLPClassifierCV, MLPRegressor, MLPRegressorCV
from bidual.report import Baseline, Case, score
from bidual.solvers import Status
from bidual.tables import Task
from bidual.typing import Rows


def fit_estimator(
    title: str, task: Task, params: Mapping[str, Any], X: Rows, y: NDArray[Any], quiet: bool
) -> tuple[Any, float, tuple[str, ...]]:
    """The fitted estimator, its seconds, and what it warned of. Ctrl-C ends the fit with the best network so far."""
    kind = MLPClassifier if task == "classification" else MLPRegressor
    with progress(title, quiet) as listener:
        estimator, seconds, warned = _timed(kind(**params, callback=listener), X, y)
    estimator.callback = None
    return estimator, seconds, warned


def fit_on_path(
    title: str,
    task: Task,
    params: Mapping[str, Any],
    choice: Mapping[str, Any],
    X: Rows,
    y: NDArray[Any],
    quiet: bool,
) -> tuple[Any, float, tuple[str, ...]]:
    """The fitted estimator that chose its strength, its seconds, and what it warned of."""
    chooser, kind = (MLPClassifierCV, MLPClassifier) if task == "classification" else (MLPRegressorCV, MLPRegressor)
    with progress(title, quiet) as listener:
        chosen, seconds, warned = _timed(chooser(kind(**params, callback=listener), **choice), X, y)
    chosen.estimator.callback = chosen.best_estimator_.callback = None
    return chosen, seconds, warned


def _timed(estimator: Any, X: Rows, y: NDArray[Any]) -> tuple[Any, float, tuple[str, ...]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        began = time.perf_counter()
        try:
            estimator.fit(X, y)
        except ValueError as error:  # the library's refusals, and scikit-learn's
            raise InputError(str(error)) from error
        seconds = time.perf_counter() - began
    return estimator, seconds, tuple(str(warning.message) for warning in caught)


def as_case(
    args: argparse.Namespace,
    prepared: Prepared,
    estimator: Any,
    seconds: float,
    warned: tuple[str, ...],
    chosen: Any = None,
) -> Case:
    """The fitted estimator on the table of the command line, and the path that chose it."""
    return Case(
        args.data.stem,
        estimator,
        prepared.X,
        prepared.y,
        tuple(prepared.encoding.features),
        seconds,
        prepared.X_test,
        prepared.y_test,
        target=args.target,
        origin=str(args.data),
        notes=(*prepared.notes, *warned),
        chosen=chosen,
    )


def with_baseline(case: Case, seed: int) -> Case:
    """The case with scikit-learn's MLP on the same rows: its defaults, on standardised columns (and targets, without
    which 200 epochs do not reach the mean of the targets)."""
    if case.classifies:
        model = make_pipeline(StandardScaler(), SklearnClassifier(random_state=seed))
    else:
        inner = make_pipeline(StandardScaler(), SklearnRegressor(random_state=seed))
        model = TransformedTargetRegressor(inner, transformer=StandardScaler())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        began = time.perf_counter()
        model.fit(case.X, case.y)
        seconds = time.perf_counter() - began
    unfinished = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    settings = "its defaults (100 neurons, Adam), data standardised"
    note = f"{settings}{'; stopped by its limit of 200 epochs' if unfinished else ''}"
    test = None if case.X_test is None or case.y_test is None else score(model, case.X_test, case.y_test)
    baseline = Baseline("scikit-learn MLP", score(model, case.X, case.y), test, seconds, note)
    return replace(case, baseline=baseline)


def exit_of(status: str) -> Exit:
    """The exit code of a fit that ended with this status."""
    if status == Status.INTERRUPTED:
        return Exit.INTERRUPTED
    return Exit.SUCCESS if status in (Status.OPTIMAL, Status.OPTIMAL_ON_PATTERNS) else Exit.LIMIT

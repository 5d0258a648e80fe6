"""Choosing alpha by rows that were held out, on a path that is certified everywhere."""

from __future__ import annotations

import copy
import os
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from bidual.errors import InvalidParameterError
from bidual.estimators.base import refusing
from bidual.estimators.fitted_path import FittedPath, path
from bidual.typing import Outputs, Vector

CANDIDATES = 100
"""Alphas that are compared, where none are given; models between the fits of a path cost next to nothing."""


class PathCV(MetaEstimatorMixin, BaseEstimator, metaclass=ABCMeta):  # type: ignore[misc]
    """What the regressor and the classifier share. Use MLPRegressorCV or MLPClassifierCV."""

    _kind: ClassVar[type[Any]]

    def __init__(
        self,
        estimator: Any = None,
        *,
        alphas: Sequence[float] | None = None,
        ratio: float = 0.01,
        eps: float = 0.05,
        cv: Any = None,
        scoring: Any = None,
    ) -> None:
        self.estimator = estimator
        self.alphas = alphas
        self.ratio = ratio
        self.eps = eps
        self.cv = cv
        self.scoring = scoring

    @abstractmethod
    def _default_scoring(self, estimator: Any) -> str:
        """The name of the score of held-out rows."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Compute the path, choose alpha by the score of held-out rows, and fit with it.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit`` of the estimator

        Returns
        -------
        self

        Warns
        -----
        ConvergenceWarning
            The path ended early, or some of its gaps are larger than ``eps``.
        """
        estimator = self._kind() if self.estimator is None else self.estimator
        if not isinstance(estimator, self._kind):
            raise InvalidParameterError(
                f"estimator must be a {self._kind.__name__} or None, got {type(estimator).__name__}"
            )
        ends = None if self.alphas is None else [max(self.alphas), min(self.alphas)]
        self.path_: FittedPath = path(
            estimator, X, y, alphas=ends, ratio=self.ratio, eps=self.eps, sample_weight=sample_weight
        )
        scorer = get_scorer(self._default_scoring(estimator) if self.scoring is None else self.scoring)
        columns = self._left_out if self.cv is None else self._folds
        data = self.path_.posed.data
        self.alphas_, self.score_path_ = columns(scorer, data["X"], data["y"], data["metadata"].get("sample_weight"))
        self.scores_: Vector = self.score_path_.mean(axis=1)
        best = int(np.argmax(self.scores_))
        self.alpha_, self.best_score_ = float(self.alphas_[best]), float(self.scores_[best])
        model = self.path_.at(self.alpha_).set_params(tol=estimator.tol, warm_start=True)
        self.best_estimator_ = model.fit(X, y, sample_weight).set_params(warm_start=estimator.warm_start)
        for name, value in vars(self.best_estimator_).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(self, name, value)
        self._warn_unless_complete()
        return self

    def _left_out(self, scorer: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Vector, Outputs]:
        """(alphas, their scores (k, 1)) by networks without each of the rows, from the fits of the path."""
        kept = np.flatnonzero(self.path_.posed.rows.place >= 0)
        alphas = self._candidates([self.path_])
        scores = _scored(scorer, self.path_, self.path_.left_out(alphas), kept, X, y, sample_weight)
        return alphas, np.array([*scores])[:, None]

    def _folds(self, scorer: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Vector, Outputs]:
        """(alphas, their scores (k, n_folds)) by a path on the other rows of each fold."""
        with refusing():
            folds = [*check_cv(self.cv, y, classifier=is_classifier(self)).split(X, y)]
        ends, estimator = [self.path_.alpha_max, self.path_.alpha_min], self.path_.estimator
        paths = [
            path(
                estimator, *_rows(train, X, y), alphas=ends, eps=self.eps, sample_weight=_rows(train, sample_weight)[0]
            )
            for train, _ in folds
        ]
        alphas = self._candidates([self.path_, *paths])
        columns = [
            [*_scored(scorer, found, found.outputs(_rows(test, X)[0], alphas), test, X, y, sample_weight)]
            for found, (_, test) in zip(paths, folds, strict=True)
        ]
        return alphas, np.array(columns).T

    def _candidates(self, paths: Sequence[FittedPath]) -> Vector:
        """The alphas to compare, falling, of those that every path covers."""
        largest, least = self.path_.alpha_max, max(found.alpha_min for found in paths)
        if largest == least:
            return np.array([largest])
        if self.alphas is None:
            return np.clip(np.geomspace(largest, least, CANDIDATES), least, largest)
        given = np.sort(np.unique(np.asarray(self.alphas, dtype=float)))[::-1]
        return given[given >= least]

    def _warn_unless_complete(self) -> None:
        if not self.path_.complete:
            warnings.warn(
                f"{type(self).__name__}: the path is certified from alpha {self.path_.alpha_max:.3g} down to "
                f"{self.path_.alpha_min:.3g} within {self.path_.worst:.2e}, not within eps={self.eps:g} over the whole "
                "range; raise time_limit of the estimator, raise eps, or accept this",
                ConvergenceWarning,
                stacklevel=3,
            )

    def save(self, file: str | os.PathLike[str]) -> None:
        """Write ``best_estimator_``; :func:`bidual.load_model` reads it. The path is left out."""
        check_is_fitted(self)
        self.best_estimator_.save(file)


def _rows(places: Any, *arrays: Any) -> list[Any]:
    """The rows of each array; None stays None."""
    return [None if array is None else _safe_indexing(array, places) for array in arrays]


def _scored(
    scorer: Any, found: FittedPath, outputs: Iterable[Outputs], rows: Any, X: Any, y: Any, sample_weight: Any
) -> Iterator[float]:
    """The score of each of the outputs, as if a model of the path had given them for these rows."""
    X, y, weights = _rows(rows, X, y, sample_weight)
    model = copy.copy(found.at(found.alpha_max))
    for F in outputs:
        setattr(model, "_outputs", lambda _, F=F: F)  # noqa: B010 (a method of the class)
        with refusing():
            score = scorer(model, X, y) if weights is None else scorer(model, X, y, sample_weight=weights)
        yield float(score)

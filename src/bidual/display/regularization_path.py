"""What is proven along a regularisation path, and the score that chose its strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np
from numpy.typing import ArrayLike

from bidual.display.base import NEUTRAL, PALETTE, Display, fitted, make_room
from bidual.errors import InvalidParameterError
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRIMAL, PROVEN, SCOPE, SCORE = PALETTE[2], PALETTE[0], PALETTE[3], PALETTE[1]
POINTS = 60
"""Strengths between the ends of the path that are drawn."""


class Path(Protocol):
    """What is drawn of a path."""

    @property
    def alphas(self) -> Vector:
        """The strengths that were fitted, falling."""

    @property
    def n_neurons(self) -> list[int]:
        """The hidden units of the fits."""

    @property
    def worst(self) -> float:
        """The largest relative gap."""

    @property
    def scope(self) -> str:
        """What it is proven over."""

    def bounds(self, alphas: Vector) -> Matrix:
        """(k, 3): objective, bound over the scope, global bound."""


@final
class RegularizationPathDisplay(Display):
    """Objective and proven lower bounds at every strength of a path; dots are fits, with their numbers of neurons.

    With scores, their curve and the strength that they chose, on an axis of their own.

    Parameters
    ----------
    alphas : (k,) strengths, at least one
    bounds : (k, 3) training objective, proven lower bound over its scope, and over every network
    fits : (j,) the strengths that were fitted
    n_neurons : (j,) hidden units of the fits
    title : what is proven, in words
    scored, scores : strengths that were compared and their scores, if known
    best : the strength that was chosen, if known
    score_name : what the scores are
    """

    def __init__(
        self,
        alphas: ArrayLike,
        bounds: ArrayLike,
        fits: ArrayLike,
        n_neurons: Sequence[int],
        title: str = "",
        scored: ArrayLike | None = None,
        scores: ArrayLike | None = None,
        best: float | None = None,
        score_name: str = "score of held-out rows",
    ) -> None:
        self.alphas, self.bounds = np.asarray(alphas, dtype=float), np.asarray(bounds, dtype=float)
        if self.alphas.ndim != 1 or self.bounds.shape != (self.alphas.size, 3) or self.alphas.size == 0:
            raise InvalidParameterError(
                f"alphas and bounds must have shapes (k,) and (k, 3), got {self.alphas.shape} and {self.bounds.shape}"
            )
        self.fits, self.n_neurons, self.title = np.asarray(fits, dtype=float), list(n_neurons), title
        self.scored, self.scores = (None if v is None else np.asarray(v, dtype=float) for v in (scored, scores))
        self.best, self.score_name = best, score_name

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> RegularizationPathDisplay:
        """Plot the ``path_`` of a fitted ``MLPRegressorCV`` or ``MLPClassifierCV``, and its scores."""
        path, scored, scores, best = fitted(estimator, "path_", "alphas_", "scores_", "alpha_")
        how = "leave-one-out" if estimator.cv is None else "held-out"
        name = f"{how} score" if estimator.scoring is None else f"{how} {estimator.scoring}"
        return cls._of(path, scored=scored, scores=scores, best=best, score_name=name).plot(ax)

    @classmethod
    def from_path(cls, path: Path, *, ax: Axes | None = None) -> RegularizationPathDisplay:
        """Plot what :func:`bidual.estimators.path` returned."""
        return cls._of(path).plot(ax)

    @classmethod
    def _of(cls, path: Path, **scores: Any) -> RegularizationPathDisplay:
        between = np.geomspace(path.alphas[0], path.alphas[-1], POINTS)[1:-1]
        alphas = np.unique(np.concatenate([path.alphas, between]))[::-1]
        title = f"every alpha within {path.worst:.1%} of the optimum (scope: {path.scope})"
        return cls(alphas, path.bounds(alphas), path.alphas, path.n_neurons, title, **scores)

    def plot(self, ax: Axes | None = None) -> RegularizationPathDisplay:
        """Draw the curves on ``ax``, or on a new figure."""
        ax = self._take(ax)
        from matplotlib.ticker import LogLocator, NullFormatter

        primal, dual, whole = self.bounds.T
        ax.plot(self.alphas, primal, color=PRIMAL, lw=2, label="objective of the networks")
        everywhere = np.allclose(dual, whole)
        band = PROVEN if everywhere else SCOPE
        ax.fill_between(self.alphas, dual, primal, color=band, alpha=0.25, lw=0, label="certified gap")
        if everywhere:
            ax.plot(self.alphas, dual, color=PROVEN, lw=1.5, label="proven for every network")
        else:
            ax.plot(self.alphas, dual, color=SCOPE, lw=1.5, label="proven over the scope")
            ax.plot(self.alphas, whole, color=PROVEN, lw=1.5, ls="-.", label="proven for every network")
        heights = np.interp(np.log(self.fits), np.log(self.alphas[::-1]), primal[::-1])
        ax.plot(self.fits, heights, "o", color=PRIMAL, ms=5, label="fits, with their neurons")
        for alpha, height, count in zip(self.fits, heights, self.n_neurons, strict=True):
            ax.annotate(str(count), (alpha, height), (0, 5), textcoords="offset points", ha="center", fontsize="small")
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(lambda value, place: f"{value:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_ylim(0.0 if dual.min() >= 0.0 else None, 1.1 * primal.max())
        ax.set(xlabel="alpha", ylabel="training objective (loss + penalty)")
        ax.set_title(self.title, fontsize="medium")
        handles = ax.get_legend_handles_labels()[0]
        if self.scores is not None and self.scored is not None:
            handles += self._draw_scores(ax, self.scored, self.scores)
        make_room(ax, below=0.3)
        ax.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize="small", frameon=False
        )
        return self

    def _draw_scores(self, ax: Axes, scored: Vector, scores: Vector) -> list[Any]:
        """The scores, on an axis to the right."""
        right = ax.twinx()
        drawn = right.plot(scored, scores, color=SCORE, lw=2, ls="--", label=self.score_name)
        right.set_ylabel(self.score_name)
        right.spines["top"].set_visible(ax.spines["top"].get_visible())
        if self.best is not None:
            line = ax.axvline(self.best, color=NEUTRAL, lw=1, ls=":", label=f"best alpha: {self.best:.3g}")
            drawn.append(line)
        return list(drawn)

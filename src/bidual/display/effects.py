"""What single features and pairs of features add to the prediction of a network, and how much each matters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike

from bidual.analysis import Effects
from bidual.display.base import DIVERGING, NEUTRAL, PALETTE, Display, blank, colors_of, fitted
from bidual.display.slices import data_of, slice_of
from bidual.errors import InvalidParameterError
from bidual.typing import Outputs, Rows, Vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.gridspec import GridSpecBase

MOST_BARS = 12
"""Terms whose importance is drawn."""

ASPECT = 1.4
"""Panels across for each one down."""


@dataclass(frozen=True)
class EffectPanel:
    """The contribution of one feature or pair on a grid.

    names : of the one or two features; axes : their grids; values : (points, c), the last feature fastest; data :
    (n, k), the features at observations.
    """

    names: tuple[str, ...]
    axes: tuple[Vector, ...]
    values: Outputs
    data: Rows


@final
class EffectsDisplay(Display):
    """Bars of the importance of features and pairs, then curves of the most important features and maps of pairs.

    Curves share one scale, and so do maps. Contributions are centred: see :class:`bidual.analysis.Effects`.

    Parameters
    ----------
    names : of the features and pairs, the most important first
    importances : (T, c), the standard deviation of their contributions
    panels : of the terms to draw
    output_names : of the c outputs
    output : the one that maps are of
    label : what the contributions add up to
    """

    def __init__(
        self,
        names: Sequence[str],
        importances: ArrayLike,
        panels: Sequence[EffectPanel],
        *,
        output_names: Sequence[str] | None = None,
        output: int = 0,
        label: str = "prediction",
    ) -> None:
        self.names, self.panels, self.output, self.label = list(names), list(panels), output, label
        self.importances: Outputs = np.asarray(importances, dtype=np.float64)
        if self.importances.ndim != 2 or len(self.importances) != len(self.names):
            raise InvalidParameterError(
                f"importances must have a row for each of {len(self.names)} names, got {self.importances.shape}"
            )
        self.output_names = None if output_names is None else [str(name) for name in output_names]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        max_features: int = 3,
        max_pairs: int = 2,
        output: int = 0,
        grid_resolution: int = 60,
        feature_names: Sequence[str] | None = None,
        ax: Axes | None = None,
    ) -> EffectsDisplay:
        """Plot the effects of a fitted estimator of this library whose units see at most two features.

        Parameters
        ----------
        estimator : fitted, with ``interaction_cst="pairwise"`` or ``"no_interactions"``, or on two features
        X : (n, d) data: the means are over these rows, and they stand in the plot
        max_features, max_pairs : so many curves and maps are drawn, of the most important features and pairs
        output : which output or class the maps are of
        grid_resolution : points along each feature
        feature_names : names of the columns of X, if X has none
        ax : axes in whose place the panels are drawn; those of a new figure if None

        Raises RefusedError where a unit sees three features or more.
        """
        network, encoding = fitted(estimator, "network_", "encoding_")
        rows, names = data_of(X, feature_names)
        effects = Effects(encoding.fold(network), rows)
        if not 0 <= output < effects.n_outputs:
            raise InvalidParameterError(f"output must be from 0 to {effects.n_outputs - 1}, got {output!r}")
        panels = []
        features, pairs = ([term for term in effects.terms if len(term) == size] for size in (1, 2))
        for term in (*features[:max_features], *pairs[:max_pairs]):
            cut = slice_of(rows, term, {}, names, grid_resolution)
            values = effects.contribution(term, cut.rows)
            panels.append(EffectPanel(tuple(names[j] for j in term), cut.axes, values, rows[:, list(term)]))
        classes = getattr(estimator, "classes_", None)
        outputs = None if effects.n_outputs == 1 else classes if classes is not None else range(effects.n_outputs)
        return cls(
            [" x ".join(names[j] for j in term) for term in effects.terms],
            effects.importances,
            panels,
            output_names=None if outputs is None else [str(name) for name in outputs],
            output=output,
            label="prediction" if classes is None else "decision function",
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> EffectsDisplay:
        """Draw in the place of ``ax``, or on a new figure, and return self."""
        count = 1 + len(self.panels)
        across = math.ceil(math.sqrt(ASPECT * count))
        down = -(-count // across)
        ax = self._take(ax, (3.4 * across, 2.9 * down))
        if not self.names:
            blank(ax, "no neurons: the prediction is constant")
            return self
        ax.set_axis_off()
        spec = ax.get_subplotspec()
        if spec is None:
            raise InvalidParameterError("ax must be one of a grid, as those of plt.subplots, to hold several panels")
        grid: GridSpecBase = spec.subgridspec(down, across)
        places = [ax.figure.add_subplot(grid[i // across, i % across]) for i in range(count)]
        self._draw_bars(places[0])
        for place, panel in zip(places[1:], self.panels, strict=True):
            if len(panel.names) == 1:
                self._draw_curve(place, panel)
            else:
                self._draw_map(place, panel)
        return self

    def _draw_bars(self, ax: Axes) -> None:
        """The importances, summed over outputs by their root mean square."""
        sizes = np.sqrt(np.mean(self.importances[:MOST_BARS] ** 2, axis=1))
        places = np.arange(sizes.size)
        ax.barh(places, sizes, color=NEUTRAL)
        ax.set_yticks(places, self.names[:MOST_BARS], fontsize="x-small")
        ax.invert_yaxis()
        left = len(self.names) - sizes.size
        ax.set_title("importance" + (f" ({left} more)" if left else ""), fontsize="small")
        ax.set_xlabel(f"standard deviation, of the {self.label}", fontsize="small")
        ax.spines[["top", "right"]].set_visible(False)

    def _draw_curve(self, ax: Axes, panel: EffectPanel) -> None:
        count = panel.values.shape[1]
        colors = [PALETTE[0]] if count == 1 else colors_of(count)
        for k, values in enumerate(panel.values.T):
            ax.plot(panel.axes[0], values, color=colors[k], lw=2, label=self.output_names and self.output_names[k])
        style: dict[str, Any] = {"color": NEUTRAL, "ms": 6, "mew": 0.5, "alpha": 0.5}
        transform = ax.get_xaxis_transform()
        ax.plot(panel.data[:, 0], np.full(len(panel.data), 0.02), "|", transform=transform, **style)
        ax.axhline(0.0, color=NEUTRAL, lw=0.8, ls=":")
        reach = 1.05 * self._reach(1)
        ax.set(xlim=panel.axes[0][[0, -1]], ylim=(-reach, reach), xlabel=panel.names[0])
        ax.set_ylabel(f"adds to the {self.label}", fontsize="small")
        if count > 1 and panel is next(p for p in self.panels if len(p.names) == 1):
            ax.legend(fontsize="x-small")

    def _draw_map(self, ax: Axes, panel: EffectPanel) -> None:
        """Colours from red to blue about 0, the data above."""
        from matplotlib.ticker import MaxNLocator

        values = panel.values[:, self.output].reshape(panel.axes[0].size, panel.axes[1].size)
        levels = MaxNLocator(20, symmetric=True).tick_values(-self._reach(2), self._reach(2))
        picture = ax.contourf(*panel.axes, values.T, levels=levels, cmap=DIVERGING, extend="both")
        label = f"adds to the {self.label}"
        if self.output_names is not None:
            label += f" of {self.output_names[self.output]}"
        ax.figure.colorbar(picture, ax=ax).set_label(label, fontsize="small")
        ax.plot(*panel.data.T, ".", color="black", ms=2, alpha=0.35, mew=0)
        ax.set(xlabel=panel.names[0], ylabel=panel.names[1])

    def _reach(self, features: int) -> float:
        """The largest contribution of all panels of one feature, or of two."""
        shown = (
            panel.values if features == 1 else panel.values[:, [self.output]]
            for panel in self.panels
            if len(panel.names) == features
        )
        return max((float(np.abs(values).max()) for values in shown), default=0.0) or 1.0

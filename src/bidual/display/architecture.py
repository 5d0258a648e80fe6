"""A drawing of a network: its layers, its units, its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.display.base import NEGATIVE, NEUTRAL, POSITIVE, Display, fitted, names_of
from bidual.display.layout import Column, Edges, Layout, lay_out
from bidual.errors import InvalidParameterError
from bidual.network import Layer, Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACTIVATION_NAMES = {"linear": "linear", "relu": "ReLU", "gated": "gated ReLU", "tanh": "tanh", "sign": "sign"}
LABEL_Y = 1.04
"""Height of the labels below the columns."""


@final
class ArchitectureDisplay(Display):
    """Layers as columns of units, weights as lines: blue adds, red subtracts, wide is large for its layer.

    Parallel branches are lanes that meet at their sum. Where a layer has many units, those of the largest weights are
    drawn, in their order. Biases and gates are not drawn.

    Parameters
    ----------
    network : any network
    feature_names, output_names : names of the inputs and of the outputs
    max_units : the most units on top of each other in a column, at least 2
    max_branches : the most lanes, at least 2
    """

    def __init__(
        self,
        network: Network,
        *,
        feature_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        max_units: int = 12,
        max_branches: int = 4,
    ) -> None:
        for name, value in (("max_units", max_units), ("max_branches", max_branches)):
            if value < 2:
                raise InvalidParameterError(f"{name} must be at least 2, got {value!r}")
        self.network = network
        self.feature_names = names_of(feature_names, network.n_inputs, "feature")
        self.output_names = names_of(output_names, network.n_outputs, "output")
        self.layout: Layout = lay_out(network, max_units, max_branches)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        max_units: int = 12,
        max_branches: int = 4,
        ax: Axes | None = None,
    ) -> ArchitectureDisplay:
        """Draw the ``network_`` of a fitted estimator, whose weights are in standard units, so that they compare."""
        (network,) = fitted(estimator, "network_")
        classes = getattr(estimator, "classes_", ())
        return cls(
            network,
            feature_names=getattr(estimator, "feature_names_in_", None) if feature_names is None else feature_names,
            output_names=classes if len(classes) == network.n_outputs else None,
            max_units=max_units,
            max_branches=max_branches,
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> ArchitectureDisplay:
        """Draw on ``ax``, or on a new figure that is wide enough for the layers, and return self."""
        plan, patches = self.layout, self.network.layers[0].patches
        last = plan.columns[-1].x
        ax = self._take(ax, (min(12.0, max(6.0, 2.0 + 0.8 * last)), 4.0))
        ax.set(xlim=(-0.5, last + 0.5), ylim=(LABEL_Y + 0.12, -0.02))
        ax.set_axis_off()
        largest = [float(np.abs(layer.weight).max(initial=0.0)) or 1.0 for layer in self.network.layers]
        for edges in plan.edges:
            _draw_edges(ax, edges, 1.0 if edges.layer is None else largest[edges.layer])
        points = 72.0 * ax.bbox.height / self.figure_.dpi * min(column.spacing for column in plan.columns)
        for column in plan.columns:
            _draw_units(ax, column, float(np.clip(0.5 * points, 2.0, 14.0)))
        _name_units(ax, plan.columns[0], self.feature_names if patches is None else None, "right")
        _name_units(ax, plan.columns[-1], self.output_names, "left")
        if plan.rest_lanes:
            ax.text((last + 0.5) / 2, plan.rest_y, f"\u22ee {plan.rest_lanes} more branches", ha="center", va="center")
        size = float(np.clip(72.0 * ax.bbox.width / self.figure_.dpi / (last + 1) / 6.0, 4.0, 9.0))
        for x, text in enumerate(self._labels()):
            ax.text(x, LABEL_Y, text, ha="center", va="top", fontsize=size)
        ax.plot([], [], color=POSITIVE, label="positive weight")
        ax.plot([], [], color=NEGATIVE, label="negative weight")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small", frameon=False)
        return self

    def _labels(self) -> list[str]:
        """What stands below each column: what it is, and its width."""
        layers = self.network.layers
        first = "input" if layers[0].patches is None else "patch"
        labels = [f"{first}\n{layers[0].weight.shape[-2]}", *map(_label, layers)]
        if self.network.n_branches is not None:
            return [*labels, f"sum\n{self.network.n_outputs}"]
        return labels if layers[-1].activation != "linear" else [*labels[:-1], f"output\n{self.network.n_outputs}"]


def _label(layer: Layer) -> str:
    name = ACTIVATION_NAMES.get(layer.activation, layer.activation)
    if layer.slope:
        name = "absolute\nvalue" if layer.slope == -1.0 else f"ReLU\nslope {layer.slope:g}"
    if layer.gates is not None:
        name = "gated by\npaths"
    width = layer.weight.shape[-1]
    return f"{name}\n{width}" if layer.n_branches is None else f"{name}\n{layer.n_branches} \u00d7 {width}"


def _draw_edges(ax: Axes, edges: Edges, largest: float) -> None:
    """A line for each weight that is not zero, the large ones on top."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba

    i, j = np.nonzero(edges.weights)
    share = edges.weights[i, j] / largest
    order = np.argsort(np.abs(share), kind="stable")
    lines = [[(edges.left.x, edges.left.y[i[k]]), (edges.right.x, edges.right.y[j[k]])] for k in order]
    share = share[order]
    colors = [to_rgba(POSITIVE if s > 0 else NEGATIVE, 0.15 + 0.75 * abs(s)) for s in share]
    widths = 0.3 + 2.2 * np.abs(share)
    if edges.layer is None:
        colors, widths = [to_rgba(NEUTRAL)] * len(lines), np.ones(len(lines))
    ax.add_collection(LineCollection(lines, colors=colors, linewidths=widths, zorder=1))


def _draw_units(ax: Axes, column: Column, diameter: float) -> None:
    """A circle for each unit, dots and a number for those left out."""
    x = np.full(column.y.size, column.x)
    ax.scatter(x, column.y, s=diameter**2, facecolor="white", edgecolor="black", linewidth=0.8, zorder=2)
    if column.rest:
        ax.text(column.x, column.rest_y, f"\u22ee {column.rest} more", ha="center", va="center", fontsize="x-small")
    elif not column.y.size:
        ax.text(column.x, column.rest_y, "no units", ha="center", va="center", fontsize="x-small")


def _name_units(ax: Axes, column: Column, names: Sequence[str] | None, align: str) -> None:
    """The names of the units drawn, beside them."""
    shift = -8 if align == "right" else 8
    if names is None:
        return
    for unit, y in zip(column.shown, column.y, strict=True):
        style: dict[str, Any] = {"ha": align, "va": "center", "fontsize": "x-small"}
        ax.annotate(names[unit], (column.x, y), (shift, 0), textcoords="offset points", **style)

"""The plots of a report, each as a data URI; matplotlib is imported when one is drawn, and pyplot is left alone."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from bidual.display import (
    ActivationPatternDisplay,
    ArchitectureDisplay,
    ConvergenceDisplay,
    FunctionDisplay,
    NeuronDisplay,
    RegularizationPathDisplay,
)
from bidual.display.hidden_paths import outgoing
from bidual.errors import MissingDependencyError
from bidual.report.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

MOST_POINTS = 3000
"""Rows that a scatter plot shows at most."""
MOST_NEURONS, MOST_FEATURES = 16, 40
"""What a plot of single neurons shows at most."""
STYLE: Any = {
    "font.size": 9.5,
    "font.family": "DejaVu Sans",
    "svg.hashsalt": "bidual",
    "text.parse_math": False,  # a name with two dollars is no formula
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def convergence(case: Case) -> str:
    """The objective coming down and the bounds coming up."""
    with drawn(7.6, 4.2) as (ax, saved):
        ConvergenceDisplay.from_estimator(case.estimator, ax=ax)
    return saved[0]


def path(case: Case) -> str:
    """What is proven at every strength, and which one was chosen."""
    with drawn(7.6, 4.8) as (ax, saved):
        RegularizationPathDisplay.from_estimator(case.chosen, ax=ax)
    return saved[0]


def neurons(case: Case) -> str:
    """The largest neurons, one by one."""
    shown = min(case.estimator.n_neurons_, MOST_NEURONS)
    wide = min(max(0.3 * len(case.features), 3.0), 7.0)
    with drawn(3.2 + wide, 2.2 + 0.24 * shown) as (ax, saved):
        NeuronDisplay.from_estimator(
            case.estimator, feature_names=[*map(_short, case.features)], max_neurons=MOST_NEURONS, ax=ax
        )
    return saved[0]


def patterns(case: Case) -> str:
    """Where the largest neurons are active."""
    with drawn(7.6, 4.2) as (ax, saved):
        ActivationPatternDisplay.from_estimator(case.estimator, case.X, case.y, ax=ax)
    return saved[0]


def architecture(case: Case) -> str:
    """The network as a graph."""
    with drawn(7.6, 4.8) as (ax, saved):
        ArchitectureDisplay.from_estimator(case.estimator, feature_names=[*map(_short, case.features)], ax=ax)
    return saved[0]


def function(case: Case) -> str:
    """What the network computes along the features that it uses most."""
    network = case.estimator.network_
    if network.layers[0].patches is None:
        into = np.moveaxis(network.layers[0].weight, -2, 0).reshape(network.n_inputs, -1)
        weight = np.abs(into) @ outgoing(network)[1]
    else:
        weight = np.std(case.X, axis=0)
    used = np.argsort(-weight, kind="stable")[: min(2, weight.size)].tolist()
    with drawn(6.4, 4.6) as (ax, saved):
        FunctionDisplay.from_estimator(
            case.estimator, case.X, used, y=case.y, feature_names=[*map(_short, case.features)], ax=ax
        )
    return saved[0]


def predictions(case: Case) -> str:
    """Predictions against the truth, of the test rows if there are any: a scatter, or a confusion matrix."""
    X, y = (case.X, case.y) if case.X_test is None or case.y_test is None else (case.X_test, case.y_test)
    predicted = case.estimator.predict(X)
    if not case.classifies:
        with drawn(4.8, 4.6) as (ax, saved):
            _scatter(ax, y, predicted)
        return saved[0]
    classes = case.estimator.classes_
    side = min(2.6 + 0.5 * len(classes), 7.0)
    with drawn(side + 0.8, side) as (ax, saved):
        _confusion(ax, np.array([[np.sum((y == a) & (predicted == b)) for b in classes] for a in classes]), classes)
    return saved[0]


FIGURES: dict[str, Callable[[Case], str]] = {
    "convergence": convergence,
    "neurons": neurons,
    "patterns": patterns,
    "architecture": architecture,
    "function": function,
    "predictions": predictions,
}
"""Name -> function that draws it."""


def figures_of(case: Case) -> dict[str, Callable[[Case], str]]:
    """Those of every case, and the path if there is one."""
    return FIGURES if case.chosen is None else {**FIGURES, "path": path}


def _scatter(ax: Axes, y: Any, predicted: Any) -> None:
    few = np.random.default_rng(0).permutation(len(y))[:MOST_POINTS]
    ends = [float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))]
    ax.axline((ends[0], ends[0]), slope=1.0, color="#717581", lw=1.0, ls="--", label="prediction = truth")
    ax.scatter(y[few], predicted[few], s=16, color="#3f90da", alpha=0.6, lw=0, rasterized=len(few) > 500)
    ax.set(xlabel="truth", ylabel="prediction")
    ax.legend(frameon=False, fontsize="small", loc="upper left")


def _confusion(ax: Axes, counts: Any, classes: Any) -> None:
    """Rows are true classes, columns predicted ones; the shade is the share of the row."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    names = [_short(str(name)) for name in classes]
    ax.set_xticks(range(len(names)), names)
    if max(map(len, names)) > 4:
        ax.tick_params(axis="x", rotation=45, rotation_mode="xtick")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="predicted", ylabel="true")
    ax.spines[:].set_visible(False)
    if len(names) <= 20:
        for (i, j), count in np.ndenumerate(counts):
            ax.text(j, i, str(count), ha="center", va="center", color="white" if shares[i, j] > 0.5 else "#222")


@contextmanager
def drawn(width: float, height: float) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on; afterwards the list has the picture."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("plots need matplotlib: pip install 'bidual[plot]'") from error
    saved: list[str] = []
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots(), saved
        data = io.BytesIO()
        figure.savefig(data, format="svg", dpi=150, metadata={"Date": None})
    saved.append(f"data:image/svg+xml;base64,{base64.b64encode(data.getvalue()).decode()}")


def _short(name: str, most: int = 24) -> str:
    """A name that fits an axis."""
    return name if len(name) <= most else f"{name[: most - 1]}\u2026"

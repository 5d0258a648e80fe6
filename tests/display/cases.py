"""Small fitted models and networks to draw."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from bidual import MLPClassifier, MLPRegressor
from bidual.display import DISPLAYS, ActivationPatternDisplay, EffectsDisplay, FunctionDisplay
from bidual.network import Layer, Network

KINDS = (
    "regressor",
    "no neurons",
    "two outputs",
    "gated",
    "gated paths",
    "three layers",
    "filters",
    "binary",
    "three classes",
)


@cache
def fitted(kind: str) -> tuple[Any, Any, Any]:
    """(estimator, X, y) with two features."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2)) + 3.0
    y: Any = np.abs(X[:, 0] - 3.0) + 0.1 * rng.normal(size=40)
    model: Any = MLPRegressor(alpha=0.02, random_state=0)
    if kind == "no neurons":
        model.alpha = 1e3
    elif kind == "two outputs":
        y = np.column_stack([y, X[:, 1]])
    elif kind.startswith("gated"):
        model.set_params(activation="gated_relu", n_layers=2 if kind == "gated" else 4)
    elif kind == "three layers":
        X, y, model.n_layers = X[:8], y[:8], 3
    elif kind == "filters":
        model.set_params(image_shape=(1, 2), filter_size=1)
    elif kind != "regressor":
        y = np.array(["low", "high", "top"])[np.digitize(y, [0.5] if kind == "binary" else [0.3, 1.0])]
        model = MLPClassifier(alpha=0.02, random_state=0)
    return model.fit(X, y), X, y


def arguments(display: type[Any], X: Any, y: Any, **options: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What ``from_estimator`` of the display takes after the estimator."""
    if display is ActivationPatternDisplay:
        return (X, y), options
    if display is EffectsDisplay:
        return (X,), {"grid_resolution": 20, **options}
    return ((X,), {"y": y, "grid_resolution": 20, **options}) if display is FunctionDisplay else ((), options)


def network(*sizes: int, branches: int | None = None, activation: str = "relu", slope: float = 0.0) -> Network:
    """A random network."""
    rng = np.random.default_rng(1)
    lead = () if branches is None else (branches,)
    kinds = [(activation, slope)] * (len(sizes) - 2) + [("linear", 0.0)]
    return Network(
        tuple(
            Layer(rng.normal(size=(*lead, a, b)), rng.normal(size=(*lead, b)), kind, slope=s)
            for (a, b), (kind, s) in zip(pairwise(sizes), kinds, strict=True)
        )
    )


__all__ = ["DISPLAYS", "KINDS", "arguments", "fitted", "network"]

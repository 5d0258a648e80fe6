"""The objectives along lines: what is convex, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.panels import legend_below, new_panels
from bidual.experiments.shallow2019.problems import planted_problems
from bidual.experiments.shallow2019.style import STYLES
from bidual.planted import OBJECTIVES
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABELS = {"plain": "squared loss", "modified": "relaxation", "continuous": "continuous repair"}
PANELS = {
    "one": ("one neuron, n = 20, d = 10", "distance from the planted neuron"),
    "jump": ("two neurons, one row, y = 2", "first neuron (the second is at -5)"),
    "exchange": ("two neurons, n = 8, d = 10", "the planted neurons exchange places"),
}


@final
class Objectives(Experiment):
    name = "objectives"
    claim = (
        "The relaxation of one neuron is convex (Proposition 1), and has the minimum of the squared loss under a "
        "planted model (Theorem 1). Its extension to several neurons has that minimum too, and is said to be convex."
    )
    assumed = (
        "The extension is f_m + 2 sum of y_i (-a_i'x_j) over all neurons j and all rows i that activate none. Its "
        "convexity is what reviews of the paper state."
    )

    def run(self, setting: Setting) -> Data:
        k = 20 if setting.quick else 1000
        eye, ones = np.eye(2), np.ones(2)
        X = np.array([[1.0, -1.0], [-1.0, 1.0]])
        jump = [_values(np.ones((1, 1)), np.array([2.0]), np.array([[x, -5.0]])) for x in (-1e-9, 1e-9)]
        middle = [_values(eye, ones, each)["modified"] for each in (X, X[:, ::-1], (X + X[:, ::-1]) / 2)]
        return {
            "seeds": k,
            "above_the_chord": _above_the_chord(k),
            "at_the_planted": [_at_the_planted(k, m) for m in (1, 2, 3)],
            "jump": [each["modified"] for each in jump],
            "exchanged": middle,
            "lines": _lines(),
        }

    def verdicts(self, data: Data) -> list[Verdict]:
        chord, (left, right), (first, second, middle) = data["above_the_chord"], data["jump"], data["exchanged"]
        worst = max(data["at_the_planted"])
        said = f"at most {chord:.1e} of ||y||^2 above the mean of the ends, {data['seeds']} random pairs"
        jumps = f"{left:.6g} at x_1 = -1e-9 and {right:.6g} at 1e-9 (A = 1, y = 2, x_2 = -5)"
        halves = f"{middle:.6g} halfway between two exchanged minimisers of value {first:.6g} and {second:.6g}"
        return [
            Verdict("one neuron: the relaxation is convex", said, chord < 1e-12),
            Verdict(
                "planted neurons minimise it, one to three", f"at most {worst:.1e} of ||y||^2 there", worst < 1e-20
            ),
            Verdict("two neurons: the relaxation is convex, hence continuous", jumps, abs(left - right) < 1e-6),
            Verdict(
                "two neurons: the relaxation is convex, hence below the mean of the ends",
                halves,
                middle <= (first + second) / 2,
            ),
        ]

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 3, (11.0, 3.9))
        for ax, (name, (title, label)) in zip(axes, PANELS.items(), strict=True):
            line = data["lines"][name]
            for method in ("modified", "continuous", "plain")[:: 2 if name == "one" else 1]:
                style = {key: value for key, value in STYLES[method].items() if key != "marker"}
                ax.plot(line["at"], line[method], lw=2, **style | {"label": LABELS[method]})
            ax.set(title=title, xlabel=label, ylim=(0, None))
            ax.grid(alpha=0.25)
        axes[0].set_ylabel("objective")
        legend_below(figure, axes[1])
        return figure


def _values(A: Matrix, y: Vector, X: Matrix) -> dict[str, float]:
    return {name: float(objective.value(A, y, X)) for name, objective in OBJECTIVES.items()}


def _above_the_chord(k: int) -> float:
    """The most that the relaxation of one neuron, halfway between random points, is above the mean of its ends."""
    problems, value = planted_problems(k, 20, 10), OBJECTIVES["modified"].value
    X, other = np.random.default_rng(0).standard_normal((2, k, 10, 1))
    ends = (value(problems.A, problems.y, X) + value(problems.A, problems.y, other)) / 2
    excess = value(problems.A, problems.y, (X + other) / 2) - ends
    return float(np.max(excess / np.sum(problems.y**2, axis=1)))


def _at_the_planted(k: int, m: int) -> float:
    problems = planted_problems(k, 20, 10, m)
    values = OBJECTIVES["modified"].value(problems.A, problems.y, problems.weights)
    return float(np.max(values / np.sum(problems.y**2, axis=1)))


def _lines() -> dict[str, dict[str, list[float]]]:
    """The objectives along the line of each panel."""
    one, two = planted_problems(1, 20, 10), planted_problems(1, 8, 10, 2)
    direction = np.random.default_rng(0).standard_normal((10, 1))
    t, s, x = np.linspace(-4.0, 4.0, 81), np.linspace(0.0, 1.0, 101), np.linspace(-4.0, 6.0, 201)
    first, second = two.weights[0], two.weights[0][:, ::-1]
    jump = [_values(np.ones((1, 1)), np.array([2.0]), np.array([[v, -5.0]])) for v in x]
    lines = {
        "one": (t, [_values(one.A[0], one.y[0], one.weights[0] + v * direction) for v in t]),
        "jump": (x, jump),
        "exchange": (s, [_values(two.A[0], two.y[0], (1 - v) * first + v * second) for v in s]),
    }
    return {
        name: {"at": at.tolist()} | {method: [each[method] for each in values] for method in OBJECTIVES}
        for name, (at, values) in lines.items()
    }

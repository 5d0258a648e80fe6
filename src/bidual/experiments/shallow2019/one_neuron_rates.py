"""One neuron: how often it is found, from few rows to many."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.shallow2019.problems import Planted, convex_fits
from bidual.experiments.shallow2019.rates import (
    ASSUMED,
    descent,
    few_and_many,
    measured,
    plot_rates,
    spelled,
    untrained,
)
from bidual.typing import Matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
class OneNeuronRates(Experiment):
    name = "one-neuron-rates"
    claim = (
        "The relaxation preserves the location of the global minimum under a planted model (Theorem 1), so that "
        "gradient descent on it fits, where on the squared loss it may not."
    )
    assumed = ASSUMED

    def run(self, setting: Setting) -> Data:
        k, steps = (20, 1000) if setting.quick else (200, 20000)
        methods = {
            "plain": descent("plain", steps),
            "relaxation": descent("modified", steps),
            "convex": _solve,
            "untrained": untrained,
        }
        return {"seeds": k, "steps": steps, "cases": [measured(setting, k, 1, methods)]}

    def verdicts(self, data: Data) -> list[Verdict]:
        (case,) = data["cases"]
        ratios = np.array(case["ratios"])
        plain, relaxed, free = (few_and_many(case, "fitted", name) for name in ("plain", "relaxation", "untrained"))
        few, many = ratios[ratios <= 1], ratios[ratios > 1]
        exact, (found, _) = np.array(case["fitted"]["convex"]), few_and_many(case, "found", "convex")
        return [
            Verdict("the convex solve fits at every n / d", spelled(ratios, exact), bool(exact.min() == 1.0)),
            Verdict(
                "n <= d: descent on the relaxation fits more often than on the squared loss",
                spelled(few, relaxed[0], plain[0]),
                bool(np.all(relaxed[0] > plain[0])),
            ),
            Verdict(
                "n > d: descent on the relaxation fits at least as often as on the squared loss",
                spelled(many, relaxed[1], plain[1]),
                bool(np.all(relaxed[1] >= plain[1])),
            ),
            Verdict("n <= d: A^+ y fits too, without training", spelled(few, free[0]), bool(free[0].min() == 1.0)),
            Verdict(
                "n <= d: the neuron that fits is not the planted one", spelled(few, found), bool(found.max() == 0.0)
            ),
        ]

    def plot(self, data: Data) -> Figure:
        return plot_rates(data["cases"])


def _solve(problems: Planted) -> Matrix:
    return np.stack([fit.x[:, None] for fit in convex_fits(problems)])

"""Several neurons: how often they are found, from few rows to many."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.shallow2019.rates import (
    ASSUMED,
    descent,
    few_and_many,
    measured,
    plot_rates,
    spelled,
    untrained,
)
from bidual.planted import OBJECTIVES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
class SeveralNeuronsRates(Experiment):
    name = "several-neurons-rates"
    claim = (
        "With the modified gradient every row of the residual has a factor that is not zero, so that descent ends only "
        "where it fits; gradient descent on the squared loss may end earlier."
    )
    assumed = ASSUMED + " The continuous repair is not the paper's."

    def run(self, setting: Setting) -> Data:
        k, steps = (20, 1000) if setting.quick else (100, 10000)
        methods = {name: descent(name, steps) for name in OBJECTIVES} | {"untrained": untrained}
        return {"seeds": k, "steps": steps, "cases": [measured(setting, k, m, methods) for m in (2, 3)]}

    def verdicts(self, data: Data) -> list[Verdict]:
        return [verdict for case in data["cases"] for verdict in _judged(case)]

    def plot(self, data: Data) -> Figure:
        return plot_rates(data["cases"])


def _judged(case: Data) -> list[Verdict]:
    ratios, who = np.array(case["ratios"]), f"{case['m']} neurons"
    few, many = ratios[ratios <= 1], ratios[ratios > 1]
    plain, modified, free = (few_and_many(case, "fitted", name) for name in ("plain", "modified", "untrained"))
    found, _ = few_and_many(case, "found", "modified")
    return [
        Verdict(
            f"{who}, n <= d: the modified gradient fits", spelled(few, modified[0]), bool(modified[0].min() == 1.0)
        ),
        Verdict(
            f"{who}, n <= d: it fits more often than gradient descent",
            spelled(few, modified[0], plain[0]),
            bool(np.all(modified[0] > plain[0])),
        ),
        Verdict(f"{who}, n <= d: A^+ fits too, without training", spelled(few, free[0]), bool(free[0].min() == 1.0)),
        Verdict(
            f"{who}, n > d: it fits more often than gradient descent, too",
            spelled(many, modified[1], plain[1]),
            bool(np.all(modified[1] > plain[1])),
        ),
        Verdict(f"{who}, n <= d: no fit is the planted network", spelled(few, found), bool(found.max() == 0.0)),
    ]

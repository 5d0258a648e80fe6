"""Several neurons: training and test loss, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.shallow2019.curves import descents, plot_curves, shown_steps, title
from bidual.experiments.shallow2019.problems import EXACT, planted_problems
from bidual.experiments.shallow2019.style import FLOOR
from bidual.planted import OBJECTIVES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = ((40, 10, 2), (10, 10, 3), (10, 20, 2))


@final
class SeveralNeurons(Experiment):
    name = "several-neurons"
    claim = (
        "The modified gradient descent reaches zero where gradient descent on the squared loss stops early, for n <= d "
        "(Figure 2)."
    )
    assumed = (
        "Sizes, number of neurons and of steps, and one step size for all, 1 / (2 m ||A||^2). The continuous repair is "
        f"not the paper's. Rows, planted neurons and first weights are standard normal. What is below {FLOOR:g} is "
        "drawn there. Lines are medians over the seeds, bands the middle half. More often: by more than two standard "
        "errors."
    )

    def run(self, setting: Setting) -> Data:
        k, steps = (20, 1000) if setting.quick else (100, 10000)
        cases = []
        for n, d, m in SIZES:
            setting.note(f"n = {n}, d = {d}, {m} neurons")
            methods = descents(planted_problems(k, n, d, m), {name: name for name in OBJECTIVES}, steps)
            cases.append({"n": n, "d": d, "m": m, "methods": methods})
        return {"seeds": k, "steps": shown_steps(steps), "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        verdicts = []
        for case in data["cases"]:
            shares = {name: np.mean(np.less(curve["last"], EXACT)) for name, curve in case["methods"].items()}
            says = f"loss below {EXACT:g} on " + ", ".join(f"{share:.0%} ({name})" for name, share in shares.items())
            better = _clearly_more(shares["modified"], shares["plain"], data["seeds"])
            verdicts.append(Verdict(f"{title(case)}: the modified gradient reaches zero more often", says, better))
            if case["n"] <= case["d"]:
                tests = [curve["test"][1][-1] for curve in case["methods"].values()]
                says = f"median test losses {min(tests):.2g} to {max(tests):.2g} of ||y||^2"
                verdicts.append(Verdict(f"{title(case)}: no method says anything of new rows", says, min(tests) > 0.1))
        return verdicts

    def plot(self, data: Data) -> Figure:
        return plot_curves(data["steps"], data["cases"])


def _clearly_more(share: float, other: float, seeds: int) -> bool:
    """By more than two standard errors of the difference."""
    error = np.sqrt((share * (1.0 - share) + other * (1.0 - other)) / seeds)
    return bool(share - other > 2.0 * error)

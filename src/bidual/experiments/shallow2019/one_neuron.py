"""One neuron: training and test loss, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.shallow2019.curves import curves, descents, plot_curves, shown_steps, title
from bidual.experiments.shallow2019.problems import (
    EXACT,
    Planted,
    convex_fits,
    loss_on_test_rows,
    planted_problems,
    relative,
)
from bidual.experiments.shallow2019.style import FLOOR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = ((40, 10), (20, 10), (10, 20))
METHODS = {"plain": "plain", "relaxation": "modified"}


@final
class OneNeuron(Experiment):
    name = "one-neuron"
    claim = (
        "Gradient descent on the relaxation always outperforms gradient descent on the squared loss (abstract). For "
        "n > d both reach zero, for n <= d the relaxation is faster (Figure 1)."
    )
    assumed = (
        "Sizes, number of steps, and one step size for both, 1 / (2 ||A||^2), which is safe for both. Rows, planted "
        "neuron and first weights are standard normal; both descents start at the same weights. Losses are shares of "
        f"||y||^2; what is below {FLOOR:g} is rounding and drawn there. Lines are medians over the seeds, bands the "
        "middle half. The convex solve has no steps: its line is where it ends."
    )

    def run(self, setting: Setting) -> Data:
        k, steps = (20, 1000) if setting.quick else (100, 10000)
        cases = []
        for n, d in SIZES:
            setting.note(f"n = {n}, d = {d}")
            problems = planted_problems(k, n, d)
            methods = descents(problems, METHODS, steps) | {"convex": _solved(problems)}
            cases.append({"n": n, "d": d, "m": 1, "methods": methods})
        return {"seeds": k, "steps": shown_steps(steps), "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        return [verdict for case in data["cases"] for verdict in _judged(case, data["steps"][-1])]

    def plot(self, data: Data) -> Figure:
        return plot_curves(data["steps"], data["cases"])


def _judged(case: Data, steps: int) -> list[Verdict]:
    plain, relaxed, exact = (np.array(case["methods"][name]["last"]) for name in ("plain", "relaxation", "convex"))
    zero, where = f"loss below {EXACT:g} on {{:.0%}} and {{:.0%}} of the seeds after {steps} steps", title(case)
    shares = np.mean(plain < EXACT), np.mean(relaxed < EXACT)
    if case["n"] > case["d"]:
        first = Verdict(f"{where}: both reach zero", zero.format(*shares), bool(min(shares) == 1.0))
    else:
        claim = f"{where}: the relaxation reaches zero, the squared loss may not"
        first = Verdict(claim, zero.format(*shares), bool(shares[0] < shares[1] == 1.0))
    ahead = np.mean(relaxed <= np.maximum(plain, EXACT))
    says = f"it ends no higher, or at zero, on {ahead:.0%} of the seeds"
    test = case["methods"]["convex"]["test"][1][0]
    solved = f"largest training loss {exact.max():.1e}, median test loss {test:.1e}"
    return [
        first,
        Verdict(f"{where}: the relaxation always outperforms", says, bool(ahead == 1.0)),
        Verdict(f"{where}: the minimum of the relaxation fits", solved, bool(exact.max() < EXACT)),
    ]


def _solved(problems: Planted) -> Data:
    fits = convex_fits(problems)
    train = relative(np.array([[fit.loss] for fit in fits]), problems.y)
    return curves(train, loss_on_test_rows(problems, np.stack([fit.x[:, None] for fit in fits]))[:, None])

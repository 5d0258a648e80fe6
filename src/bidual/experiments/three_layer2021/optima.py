"""The exact convex program: known values, and strong duality on seeded data."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.panels import legend_below, new_panels
from bidual.experiments.three_layer2021.toys import Toy, normal, spike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BETAS = (0.3, 0.1, 0.03)
SPIKES = [(n, beta) for n in (4, 5) for beta in (0.01, 0.05, 0.1, 0.2)]
FLOOR = 1e-13


@final
class Optima(Experiment):
    name = "optima"
    claim = (
        "Strong duality: the optimum over parallel three-layer ReLU sub-networks is that of a convex program (Theorem "
        "1), attained by K* <= n sub-networks; another layer fits better at the same price."
    )
    assumed = (
        "Drawn: n = 3 to 7 standard normal rows of d = 1 to 3 features, normal targets, beta of 0.3, 0.1 and 0.03. "
        "The primal is the objective of a network; the dual is proven over all sub-networks, by branch and bound over "
        "the second layer's patterns, and proven again from the data alone. The spike (y = 1 at x = 0, else 0; x = -2, "
        "..., 2 or -1, ..., 2 and a column of ones) has the optimum 3 beta - 11/2 beta^2 for beta <= 1/5, by hand. "
        f"Gaps below {FLOOR:g} are drawn there."
    )

    def run(self, setting: Setting) -> Data:
        count = 8 if setting.quick else 30
        spikes = [
            {"n": n, "beta": beta, "stated": 3 * beta - 5.5 * beta**2, **_solved(spike(n, beta))}
            for n, beta in (SPIKES[::3] if setting.quick else SPIKES)
        ]
        cases = []
        for seed in range(count):
            setting.note(f"draw {seed + 1} of {count}")
            rng = np.random.default_rng([1, seed])
            n, d, beta = int(rng.integers(3, 8)), int(rng.integers(1, 4)), float(rng.choice(BETAS))
            cases.append({"n": n, "d": d, "beta": beta, **_solved(normal(seed, beta, n, d))})
        return {"spikes": spikes, "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        cases, spikes = data["cases"], data["spikes"]
        every = [*cases, *spikes]
        gap = max(case["gap"] for case in every)
        off = max(abs(case["three"] / case["stated"] - 1) for case in spikes)
        shares = [case["K"] / case["n"] for case in cases]
        gains = [case["two"] / case["three"] - 1 for case in cases]
        deeper = sum(gain > 1e-5 for gain in gains)
        return [
            Verdict(
                "primal = dual, over all sub-networks",
                f"relative gap at most {gap:.1e}, {len(cases)} draws and {len(spikes)} spikes",
                gap < 1e-6 and all(case["scope"] == "global" for case in every),
            ),
            Verdict("the spike has the optimum stated by hand", f"off by {off:.1e} at most, relatively", off < 1e-6),
            Verdict(
                "K* <= n sub-networks attain it",
                f"K* from {min(shares):.2f} n to {max(shares):.2f} n",
                max(shares) <= 1,
            ),
            Verdict(
                "three layers are nowhere worse than two",
                f"two-layer optimum above by {min(gains):+.1e} or more",
                min(gains) > -1e-6,
            ),
            Verdict(
                "three layers are better than two",
                f"on {deeper} of {len(cases)} draws, by up to {max(gains):.1%}; on the spikes by up to "
                f"{max(case['two'] / case['three'] - 1 for case in spikes):.0%}",
                deeper == len(cases),
            ),
        ]

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 2, (11.0, 4.2))
        for color, beta in zip(PALETTE, BETAS, strict=False):
            cases = [case for case in data["cases"] if case["beta"] == beta]
            n = [case["n"] + (case["d"] - 2) / 5 for case in cases]
            gains = [100 * (case["two"] / case["three"] - 1) for case in cases]
            axes[0].plot(n, [max(case["gap"], FLOOR) for case in cases], "o", color=color, label=f"beta = {beta:g}")
            axes[1].plot(n, gains, "o", color=color)
        axes[0].set(yscale="log", ylim=(FLOOR / 3, 1e-5), ylabel="relative gap, primal to dual")
        axes[1].set(ylabel="two-layer optimum above, %")
        for ax in axes:
            ax.set(xlabel="rows n; from left to right d = 1, 2, 3")
            ax.grid(alpha=0.25)
        legend_below(figure, axes[0], inches=2.0)
        return figure


def _solved(toy: Toy) -> Data:
    solution, certificate = toy.three_layers, toy.three_layers.certificate
    certificate.verify(toy.problem, solution.network)
    return {
        "three": certificate.primal,
        "gap": certificate.relative_gap,
        "scope": certificate.scope,
        "K": int(solution.network.n_branches or 0),
        "two": toy.two_layers.certificate.primal,
    }

"""The convex optimum beside gradient runs of few and of many sub-networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.descent import Method, missing_torch
from bidual.experiments.panels import legend_below, new_panels
from bidual.experiments.three_layer2021.toy_runs import toy_runs
from bidual.experiments.three_layer2021.toys import Toy, normal, spike
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOYS = ((normal(0, 0.1), (2, 5, 15)), (normal(3, 0.01), (2, 5, 15)), (spike(5, 0.05), (2, 5, 15, 50)))
"""The data, and the numbers of sub-networks trained on them."""
WIDTH, REACHED, FLOOR = 3, 0.01, 1e-6
RATES: dict[Literal["sgd", "adam"], tuple[float, ...]] = {"sgd": (0.1, 0.03, 0.01), "adam": (0.1, 0.03, 0.01)}
STYLES = {"sgd": (PALETTE[2], "SGD"), "adam": (PALETTE[0], "Adam")}
LOOKS, DRAWN = 41, 10
"""Points of a curve, and runs whose curves are kept."""


@final
class StrongDuality(Experiment):
    name = "strong-duality"
    claim = (
        "Three-layer parallel ReLU sub-networks: the convex program has the optimum of the training problem (Theorem "
        "1), and SGD, which gets stuck with few sub-networks, reaches it once K is large. (n, d) = (5, 2), m_1 = 3, "
        "K = 2, 5, 15 (Figure 4)."
    )
    assumed = (
        "The optimum is that of the program over all pairs of activation patterns, of any m_1 and K. Two normal draws; "
        "beta = 0.1 and 0.01. Beyond the paper: a spike, y = e_3 at x = -2, ..., 2 with a penalised bias (a column of "
        "ones), beta = 0.05, and K = 50. The penalty is that of the paper after its layers are rescaled, beta sum_k "
        "||W_1k||_F ||w_2k|| |w_3k|. 40 starts; SGD with momentum 0.9 and Adam, 3000 steps on all 5 rows, step size "
        f"falling along a cosine from the best of {', '.join(f'{rate:g}' for rate in RATES['sgd'])}: that with the "
        f"most runs within {REACHED:.0%}. Drawn: {DRAWN} of the runs; distances below {FLOOR:g} as this."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_torch()

    def run(self, setting: Setting) -> Data:
        seeds, steps, fast = (10, 200, 1) if setting.quick else (40, 3000, None)
        cases = []
        for toy, counts in TOYS:
            setting.note(toy.title)
            cases.append(_measured(toy, counts[:2] if setting.quick else counts, seeds, steps, fast))
        return {"seeds": seeds, "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        return [verdict for case in data["cases"] for verdict in _judged(case)]

    def plot(self, data: Data) -> Figure:
        cases = data["cases"]
        most = max(len(case["results"]) for case in cases)
        figure, axes = new_panels(len(cases), most + 1, (3.25 * (most + 1), 3.0 * len(cases) + 0.8))
        for row, case in zip(axes, cases, strict=True):
            for ax, result in zip(row, case["results"], strict=False):
                for name, (color, label) in STYLES.items():
                    lines = ax.plot(
                        result["at"],
                        np.clip(result[name]["curves"], FLOOR, 1e3),
                        color=color,
                        lw=1,
                        alpha=0.7,
                    )
                    lines[0].set_label(f"{label}, {DRAWN} of the runs")
                ax.axhline(REACHED, color="0.6", lw=1, ls=":")
                two = case["two_layer"] / case["optimum"] - 1
                if two > FLOOR:
                    ax.axhline(two, color="black", lw=1.2, ls="--")
                ax.set(yscale="log", ylim=(FLOOR / 2, 20), title=f"K = {result['K']}", xlim=(0, result["at"][-1]))
                ax.grid(alpha=0.25)
            row[0].set_ylabel(case["title"].replace(", beta", ",\nbeta") + "\nobjective / optimum - 1")
            for name, (color, _) in STYLES.items():
                counts = [result["K"] for result in case["results"]]
                row[-1].plot(counts, [_share(result[name]) for result in case["results"]], "o-", color=color, lw=2)
            row[-1].set(ylim=(-0.03, 1.03), xscale="log", title=f"share of the runs within {REACHED:.0%}")
            row[-1].set_xticks(counts, map(str, counts))
            row[-1].minorticks_off()
            row[-1].grid(alpha=0.25)
            row[-1].set_xlabel("sub-networks K")
            for ax in row[: len(counts)]:
                ax.set_xlabel("steps")
            for ax in row[len(counts) : -1]:
                ax.set_visible(False)
        axes[0, 0].plot([], [], color="black", lw=1.2, ls="--", label="convex optimum of two layers")
        legend_below(figure, axes[0, 0])
        return figure


def _measured(toy: Toy, counts: tuple[int, ...], seeds: int, steps: int, tried: int | None) -> Data:
    """With the first ``tried`` of the step sizes."""
    certificate = toy.three_layers.certificate
    results = []
    for K in counts:
        result: Data = {"K": K}
        for name, rates in RATES.items():
            runs = [(rate, *toy_runs(toy, WIDTH, K, Method(name, rate), seeds, steps, LOOKS)) for rate in rates[:tried]]
            rate, result["at"], excess = max(runs, key=lambda each: _success(each[2][-1]))
            result[name] = {"rate": rate, "excess": excess[-1].tolist(), "curves": _short(excess[:, :DRAWN])}
        results.append(result)
    return {
        "title": toy.title,
        "optimum": certificate.primal,
        "gap": certificate.relative_gap,
        "scope": certificate.scope,
        "two_layer": toy.two_layers.certificate.primal,
        "results": results,
    }


def _success(excess: Vector) -> tuple[float, float]:
    """What the best step size has most of: the share of the runs that get there, then minus the median."""
    return float(np.mean(excess <= REACHED)), -float(np.median(excess))


def _share(result: Data) -> float:
    return _success(np.array(result["excess"]))[0]


def _short(values: Matrix) -> list[list[float]]:
    return [[float(f"{value:.4g}") for value in row] for row in values]


def _judged(case: Data) -> Iterator[Verdict]:
    title, results = case["title"], case["results"]
    yield Verdict(
        f"{title}: strong duality, the convex optimum is that of the networks",
        f"{case['optimum']:.9f}, relative gap {case['gap']:.1e}, scope {case['scope']}; two layers "
        f"{case['two_layer']:.9f}",
        case["scope"] == "global" and case["gap"] < 1e-6,
    )
    lowest = {r["K"]: min(min(r[name]["excess"]) for name in STYLES) for r in results}
    said = ", ".join(f"{value:+.1e} (K = {K})" for K, value in lowest.items())
    yield Verdict(f"{title}: no run ends below it", f"lowest, relatively: {said}", min(lowest.values()) > -1e-6)
    yield Verdict(f"{title}: the best run reaches it", f"lowest, relatively: {said}", max(lowest.values()) < 1e-3)
    for name, (_, label) in STYLES.items():
        shares = [_share(r[name]) for r in results]
        said = ", ".join(f"{share:.0%} (K = {r['K']})" for share, r in zip(shares, results, strict=True))
        yield Verdict(
            f"{title}: {label} reaches it once K is large",
            f"runs within {REACHED:.0%}: {said}",
            shares[-1] >= 0.9 and shares[0] < shares[-1],
        )

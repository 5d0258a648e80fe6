"""The figures of the benchmark: performance profiles, and cost against each size."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from methods import METHODS
from tables import Row, Times, times

from bidual.bench import TOLERANCES, sweeps

COLOURS = dict(zip(METHODS, ("#000000", *plt.rcParams["axes.prop_cycle"].by_key()["color"]), strict=False))

PANELS = {
    "gated, squared loss": lambda cell: cell["kind"] == "gated" and cell["loss"] == "squared",
    "gated, logistic and multinomial": lambda cell: cell["kind"] == "gated" and cell["loss"] != "squared",
    "cones": lambda cell: cell["kind"] == "cones",
}

FURTHEST = 1e3
"""The right end of a profile."""


def profile(found: Times, problems: list[str], method: str, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """(tau, rho): the share rho of the problems that the method was asked on which it took at most tau times the least
    of all methods (Dolan & More 2002)."""
    ratios = []
    for problem in (asked := [problem for problem in problems if method in found[problem]]):
        seconds = {name: reached[tol] for name, reached in found[problem].items()}
        best = min(seconds.values())
        ratios.append(seconds.get(method, math.inf) / best if math.isfinite(best) else math.inf)
    tau = np.sort([value for value in ratios if value <= FURTHEST])
    rho = np.arange(1, len(tau) + 1) / len(asked)
    return np.concatenate([[1.0], tau, [FURTHEST]]), np.concatenate([[0.0], rho, rho[-1:] if len(rho) else [0.0]])


def draw_profiles(rows: list[Row], path: Path) -> None:
    """A row of panels for each sort of problem, a column for each accuracy."""
    found = times(rows)
    compared = {problem for problem, methods in found.items() if len(methods) > 1}
    sorts = {
        title: list(dict.fromkeys(row["problem"] for row in rows if wanted(row["cell"]) and row["problem"] in compared))
        for title, wanted in PANELS.items()
    }
    sorts = {title: problems for title, problems in sorts.items() if problems}
    shape = (len(sorts), len(TOLERANCES))
    figure, axes = plt.subplots(*shape, figsize=(12, 2.6 * shape[0] + 0.6), squeeze=False, sharex=True, sharey=True)
    for line, (title, problems) in zip(axes, sorts.items(), strict=True):
        for ax, tol in zip(line, TOLERANCES, strict=True):
            for method in METHODS:
                if any(method in found[problem] for problem in problems):
                    tau, rho = profile(found, problems, method, tol)
                    width = 2.2 if method == "bidual" else 1.2
                    ax.step(tau, rho, where="post", color=COLOURS[method], label=method, lw=width)
            ax.set(xscale="log", xlim=(1, FURTHEST), ylim=(0, 1.02), title=f"to {tol:.0e}".replace("e-0", "e-"))
            ax.grid(alpha=0.3)
        line[0].set_ylabel(f"{title}\nshare of at most {len(problems)} problems")
    for ax in axes[-1]:
        ax.set_xlabel("times the fastest")
    handles = {label: handle for ax in axes.flat for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    named = [method for method in METHODS if method in handles]
    figure.tight_layout(rect=(0, 0, 1, 0.94 if shape[0] > 1 else 0.85))
    figure.legend([handles[method] for method in named], named, loc="upper center", ncols=len(named), frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def draw_costs(rows: list[Row], path: Path) -> dict[str, float]:
    """CPU seconds to the smallest accuracy against n, d, P, c and neurons; the fitted exponents. Draws nothing where
    nothing was measured."""
    by_problem = {row["problem"]: row for row in rows if row["method"] == "bidual"}
    points: dict[str, list[tuple[float, float]]] = {}
    for name, cell in sweeps():
        row = by_problem.get(cell.name)
        good = [answer for answer in row["answers"] if answer["gap"] <= TOLERANCES[-1]] if row else []
        if good:
            first = min(good, key=lambda answer: answer["cpu"])
            x = first["neurons"] if name == "neurons" else dict(zip("ndPc", cell.size, strict=True))[name]
            points.setdefault(name, []).append((x, first["cpu"]))
    exponents: dict[str, float] = {}
    points = {name: found for name, found in points.items() if len(found) > 2}
    if not points:
        return exponents
    figure, axes = plt.subplots(1, len(points), figsize=(12, 2.9), squeeze=False, sharey=True)
    for ax, (name, found) in zip(axes[0], points.items(), strict=True):
        x, y = np.array(found).T
        slope, level = np.polyfit(np.log(x), np.log(y), 1)
        exponents[name] = float(slope)
        ax.loglog(x, y, "o", color="#000000", ms=4)
        ax.loglog(x, np.exp(level) * x**slope, color="#000000", lw=1)
        ax.set(xlabel=name, title=f"{name}^{slope:.2f}")
        ax.set_xticks(x, [f"{value:g}" for value in x], fontsize=7, rotation=45)
        ax.minorticks_off()
        ax.grid(alpha=0.3)
    axes[0, 0].set_ylabel("CPU seconds to 1e-6")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
    return exponents

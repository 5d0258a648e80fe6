"""Two layers on MNIST, up to as many gates as in Mishkin, Sahiner & Pilanci (2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.architectures import GatedReLU
from bidual.datasets import load_images, missing_images
from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.panels import new_panels
from bidual.experiments.three_layer2021.convex_runs import TOL, largest_score, solve_for
from bidual.experiments.three_layer2021.image_rows import ImageRows, image_rows, posed
from bidual.solvers import FixedPatterns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COUNTS, ROWS, SECONDS, SHARE = (50, 200, 1000, 5000), 2000, 150.0, 0.02


@final
class Gates(Experiment):
    name = "gates-mnist"
    claim = (
        "Mishkin, Sahiner & Pilanci (2022): convex programs of gated ReLU networks can be solved on MNIST with 5,000 "
        "gates; more gates, better networks."
    )
    assumed = (
        f"{ROWS} training images (all, with --full), all test images, squared loss on one-hot targets, separate "
        f"outputs, at most {SECONDS:g} CPU seconds a program; beta is {SHARE:g} of the least one at which no unit on "
        "the 5,000 gates enters. Fewer gates are the first of them."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_images("mnist", setting.images)

    def run(self, setting: Setting) -> Data:
        assert setting.images is not None
        data = load_images("mnist", setting.images)
        n = 100 if setting.quick else len(data.y) if setting.full else ROWS
        counts = (5, 20) if setting.quick else COUNTS
        return measured(image_rows(data, n, len(data.test_y)), counts, SECONDS, setting)

    def verdicts(self, data: Data) -> list[Verdict]:
        runs = data["runs"]
        gaps = {run["count"]: 1 - run["dual"] / run["primal"] for run in runs}
        rising = [(a["final_accuracy"], b["final_accuracy"]) for a, b in zip(runs, runs[1:], strict=False)]
        falling = [(a["primal"], b["primal"]) for a, b in zip(runs, runs[1:], strict=False)]
        return [
            Verdict(
                f"the program is solved to a gap of {TOL:g}, with {runs[-1]['count']} gates on {data['n']} images",
                ", ".join(f"{gap:.1e} ({count})" for count, gap in gaps.items()),
                max(gaps.values()) <= TOL,
            ),
            Verdict(
                "more gates, lower objective",
                ", ".join(f"{run['primal']:.6g} ({run['count']})" for run in runs),
                all(b < a for a, b in falling),
            ),
            Verdict(
                "more gates, more accurate on test images",
                ", ".join(f"{run['final_accuracy']:.2%} ({run['count']})" for run in runs),
                all(b > a for a, b in rising),
            ),
        ]

    def table(self, data: Data) -> list[list[str]]:
        head = ["gates", "objective", "proven bound (patterns)", "test accuracy", "neurons", "CPU seconds"]
        return [
            head,
            *(
                [
                    str(run["count"]),
                    f"{run['primal']:.6g}",
                    f"{run['dual']:.6g}",
                    f"{run['final_accuracy']:.2%}",
                    str(run["neurons"]),
                    f"{run['spent']:.0f}",
                ]
                for run in data["runs"]
            ),
        ]

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 3, (12.0, 3.8))
        counts = [run["count"] for run in data["runs"]]
        titles = {"primal": "objective", "final_accuracy": "test accuracy", "spent": "CPU seconds"}
        for ax, (key, title) in zip(axes, titles.items(), strict=True):
            ax.plot(counts, [run[key] for run in data["runs"]], "o-", color=PALETTE[0], lw=2)
            ax.set(xscale="log", xlabel="gates", title=f"MNIST, {data['n']} images: {title}")
            ax.grid(alpha=0.25)
        return figure


def measured(rows: ImageRows, counts: tuple[int, ...], seconds: float, setting: Setting) -> Data:
    """One program for each number of gates, all at the same price."""

    architecture = GatedReLU(bias="none")
    patterns = architecture.sample(rows.X, counts[-1], seed=0)
    beta, runs = SHARE * largest_score(posed(rows, architecture, 1.0), patterns), []
    for count in counts:
        setting.note(f"{count} gates")
        solver = FixedPatterns(patterns.take(np.arange(min(count, len(patterns)))), device=setting.device)
        runs.append(
            {"count": count, **solve_for(rows, posed(rows, architecture, beta), solver, seconds, setting.device)[0]}
        )
    return {"n": len(rows.X), "beta": beta, "runs": runs}

"""Images: the closed form as a line beside training curves, on whitened rows and with batch normalisation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.descent import Method, missing_torch
from bidual.experiments.duality2020.soft_threshold import soft_threshold_objective
from bidual.experiments.duality2020.subsets import Subset, whitened
from bidual.experiments.duality2020.training import train
from bidual.experiments.panels import legend_below, new_panels
from bidual.theorems import DeepProblem, solve
from bidual.typing import Matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEPTHS = (3, 4, 5)
BETA, BRANCHES, WIDTH = 0.5, 50, 50
ROUNDING = 1e-5
"""Of objectives that were trained in float32, relative to them."""
STYLES = {
    "adam": (PALETTE[0], "Adam, parallel branches"),
    "sgd": (PALETTE[2], "SGD, parallel branches"),
    "chain": (PALETTE[1], "Adam, one chain of layers"),
}
ROUTES = ("whitened rows", "batch norm")


class Images(Experiment):
    """The experiment on one set of images."""

    title: ClassVar[str]
    claim = (
        "Deep ReLU networks on whitened images with one-hot targets have a closed form that SGD and Adam do not beat "
        "(Theorem 4, Figure 4); with batch normalisation no whitening is needed. L = 3, 4, 5."
    )
    assumed = (
        f"The first 20 images of each class, 4 of the digits; beta = {BETA:g}. X <- (XX')^(-1/2) X, the map of "
        "features x -> (X'X)^(-1/2) x (pseudo-inverse), so test images are mapped by it too; with batch normalisation "
        "they are normalised by the means and norms of the training rows. Training in coordinates of the row space, "
        f"float32. Parallel: {BRANCHES} branches of width 4 that end in one neuron each, the networks of the theorem. "
        f"Chain: {WIDTH} units a layer, which the theorem does not cover. SGD: momentum 0.9, batches of a quarter of "
        "the rows; of all rows with batch normalisation, whose means are over all rows. First steps: Adam 0.05, "
        "for the chain 0.02, SGD 0.005; they fall to zero along a cosine. The closed form is "
        "prox_L; the paper has the soft threshold at every depth. Below: by more than "
        f"{ROUNDING:g} of the objective, which float32 cannot tell apart."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_torch()

    @abstractmethod
    def subset(self, setting: Setting) -> Subset:
        """The rows to train and test on."""

    def run(self, setting: Setting) -> Data:
        subset, runs, epochs = self.subset(setting), 2 if setting.quick else 3, 60 if setting.quick else 600
        cases = []
        for L in DEPTHS[: 1 if setting.quick else 3]:
            setting.note(f"{self.title}, L = {L}")
            cases += [_case(route, L, subset, runs, epochs) for route in ROUTES]
        n, d = subset.X.shape
        return {"title": self.title, "n": n, "d": d, "test": len(subset.test_y), "runs": runs, "cases": cases}

    def verdicts(self, data: Data) -> list[Verdict]:
        return [verdict for route in ROUTES for verdict in _judged(route, data)]

    def plot(self, data: Data) -> Figure:
        depths = sorted({case["L"] for case in data["cases"]})
        figure, axes = new_panels(4, len(depths), (11.0, 11.0), sharex=True, sharey="row")
        for case in data["cases"]:
            first = 2 * ROUTES.index(case["route"])
            column = axes[first : first + 2, depths.index(case["L"])]
            _draw(column, case, data["title"])
        figure.align_ylabels(axes[:, 0])
        for ax in axes[-1]:
            ax.set_xlabel("passes over the data")
        legend_below(figure, axes[0, 0])
        return figure


def _case(route: str, L: int, subset: Subset, runs: int, epochs: int) -> Data:
    """The closed form and the curves of one depth."""
    batch_norm = route == "batch norm"
    X, test = subset.rotated() if batch_norm else whitened(subset)
    classes = np.unique(subset.y)
    problem = DeepProblem(X, 1.0 * (subset.y[:, None] == classes), L, "relu", BETA, batch_norm)
    closed = solve(problem)
    n, inner, curves = X.shape[0], (4,) * (L - 2), {}
    for name, method, sizes, branches, steps in (
        ("adam", Method("adam", 0.05), (*inner, 1), BRANCHES, 1),
        ("sgd", Method("sgd", 0.005, None if batch_norm else n // 4), (*inner, 1), BRANCHES, 1 if batch_norm else 4),
        ("chain", Method("adam", 0.02), (WIDTH,) * (L - 1), 1, 1),
    ):
        run = train(
            problem,
            sizes,
            method,
            branches=branches,
            runs=runs,
            steps=steps * epochs,
            shown=np.linspace(0, steps * epochs, 31),
            rows=test,
            dtype="float32",
        )
        accuracy = np.mean(classes[np.argmax(run.outputs, axis=-1)] == subset.test_y, axis=-1)
        at = [step / steps for step in run.at]
        curves[name] = {"at": at, "objective": _short(run.objectives), "accuracy": _short(accuracy)}
    return {
        "route": route,
        "L": L,
        "closed": closed.certificate.primal,
        "dual": closed.certificate.dual,
        "soft": soft_threshold_objective(problem, np.linalg.norm(problem.Y, axis=0)),
        "accuracy": float(np.mean(classes[np.argmax(closed.network(test), axis=1)] == subset.test_y)),
        "curves": curves,
    }


def _judged(route: str, data: Data) -> Iterator[Verdict]:
    """What is said of one route, at all depths."""
    cases = [case for case in data["cases"] if case["route"] == route]
    gaps = [1 - case["dual"] / case["closed"] for case in cases]
    excess = {
        name: {case["L"]: np.array(case["curves"][name]["objective"][-1]) / case["closed"] - 1 for case in cases}
        for name in STYLES
    }
    yield Verdict(f"{route}: primal = dual", f"relative gap at most {max(gaps):.1e}", max(gaps) < 1e-9)
    soft = {case["L"]: case["soft"] / case["closed"] - 1 for case in cases}
    yield Verdict(
        f"{route}: the soft threshold is optimal",
        "objective above the closed form by " + _spelled(soft, ".2%"),
        max(soft.values()) < 1e-9,
    )
    for name in ("adam", "sgd"):
        lowest = {L: float(values.min()) for L, values in excess[name].items()}
        yield Verdict(
            f"{route}: {STYLES[name][1]}: no run ends below the closed form",
            "lowest, relatively: " + _spelled(lowest, "+.1e"),
            min(lowest.values()) > -ROUNDING,
        )
    highest = {L: float(values.max()) for L, values in excess["adam"].items()}
    yield Verdict(
        f"{route}: Adam reaches it from every start, to 1%",
        "highest, relatively: " + _spelled(highest, "+.1e"),
        max(highest.values()) < 0.01,
    )
    chain = {L: float(values.min()) for L, values in excess["chain"].items()}
    yield Verdict(
        f"{route}: {STYLES['chain'][1]}: no run ends below the closed form, either",
        "lowest, relatively: " + _spelled(chain, "+.1e"),
        min(chain.values()) > -ROUNDING,
    )
    best = {
        case["L"]: max(float(np.max(curve["accuracy"][-1])) for curve in case["curves"].values()) - case["accuracy"]
        for case in cases
    }
    accuracy = ", ".join(f"{case['accuracy']:.1%} (L = {case['L']})" for case in cases)
    ahead = ", ".join(f"{100 * value:+.1f} (L = {L})" for L, value in best.items())
    yield Verdict(
        f"{route}: no trained network ends more accurate on test images",
        f"closed form {accuracy}; the best trained network differs by {ahead} points",
        max(best.values()) <= 0,
    )


def _draw(axes: Matrix, case: Data, title: str) -> None:
    for name, (color, label) in STYLES.items():
        curve = case["curves"][name]
        for ax, which in zip(axes, ("objective", "accuracy"), strict=True):
            lines = ax.plot(curve["at"], curve[which], color=color, lw=1.5, alpha=0.85)
            lines[0].set_label(label)
    for ax, level in zip(axes, (case["closed"], case["accuracy"]), strict=True):
        ax.axhline(level, color="black", ls="--", lw=1.8, label="closed form", zorder=3)
        ax.grid(alpha=0.25)
    _frame(axes[0], case, title)
    axes[1].set(ylim=(0, None))
    if case["L"] == DEPTHS[0]:
        axes[0].set_ylabel("objective")
        axes[1].set_ylabel("test accuracy")


def _frame(ax: Axes, case: Data, title: str) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    ax.set(yscale="log", title=f"{title}, L = {case['L']}, {case['route']}")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    ax.title.set_fontsize("medium")
    ax.set_xlim(0, case["curves"]["adam"]["at"][-1])


def _spelled(values: dict[int, float], form: str) -> str:
    return ", ".join(f"{value:{form}} (L = {L})" for L, value in values.items())


def _short(values: Matrix) -> list[list[float]]:
    """To six digits; a number that has overflowed as the largest there is."""
    return [[float(f"{value:.6g}") for value in row] for row in np.nan_to_num(values, nan=1e300, posinf=1e300)]

"""Images: convex programs of two and three layers beside SGD and Adam, for the same time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from bidual.architectures import Convolutional, GatedReLU, ParallelGated, ReLU
from bidual.architectures.base import Architecture
from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.descent import missing_torch
from bidual.experiments.panels import new_panels
from bidual.experiments.three_layer2021.convex_runs import TOL, largest_score, solve_for
from bidual.experiments.three_layer2021.image_rows import ImageRows, posed
from bidual.experiments.three_layer2021.mapped import as_relu
from bidual.experiments.three_layer2021.rivals import FULL, QUICK, RATES, Extent, trained
from bidual.gates import GateNetwork
from bidual.patches import Patches
from bidual.solvers import FixedPatterns, WorkingSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHARE = 0.02
"""beta, as a share of the least one at which no gated sub-network of three layers enters."""
STYLES = {
    "three, gated": (PALETTE[0], "three layers, gated: convex"),
    "two, gated": (PALETTE[3], "two layers, gated: convex"),
    "convolutional, gated": (PALETTE[5], "convolutional, gated: convex"),
    "two, ReLU": (PALETTE[4], "two layers, ReLU: convex"),
    "mapped, ReLU": (PALETTE[9], "three layers, ReLU: the convex gated network's weights"),
    "sgd, gated": (PALETTE[6], "three layers, gated: SGD"),
    "adam, gated": (PALETTE[8], "three layers, gated: Adam"),
    "sgd, ReLU": (PALETTE[2], "three layers, ReLU: SGD"),
    "adam, ReLU": (PALETTE[1], "three layers, ReLU: Adam"),
}
PANELS = {
    "three layers, gated": ("three, gated", "sgd, gated", "adam, gated"),
    "ReLU": ("two, ReLU", "mapped, ReLU", "sgd, ReLU", "adam, ReLU"),
}


class Images(Experiment):
    """The experiment on one set of images."""

    title: ClassVar[str]
    patches: ClassVar[Patches]
    claim = (
        "On CIFAR-10 and Fashion-MNIST, with 40 sub-networks of three layers and 100 units, the convex program is more "
        "accurate on test images than SGD on the network itself (Figure 5)."
    )
    assumed = (
        f"K = {Extent.branches} branches of m_1 = {Extent.width} units, and as many gates for two layers; "
        f"{Extent.filters} gates of filters of 6 x 6 pixels (digits: 4 x 4), pooled by their mean. Pixels less their "
        "means, rows of mean square 1; squared loss on one-hot targets less their means; no biases. beta is "
        f"{SHARE:g} of the least one at which no gated unit of three layers enters, for filters of theirs. Three "
        "layers: beta sum_k ||W_1k||_F ||w_2k|| ||w_3k||_1, the penalty of the paper after its layers are rescaled. "
        "Gated: the units' gates are fixed and drawn, which is another class of networks than ReLU: their objectives "
        "cannot be compared. Gated networks trained by SGD and Adam have the gates of the convex program and a copy of "
        f"each branch for each class, as it has. Each method has {Extent.seconds:g} CPU seconds of all threads, data "
        f"not counted, convex programs until a gap of {TOL:g}. SGD (momentum 0.9) and Adam: batches of {Extent.batch} "
        f"rows, float32, step sizes falling along a cosine from the best of three after {Extent.trial:g} seconds each "
        "(the next if that diverges later), not counted: SGD "
        + ", ".join(f"{rate:g}" for rate in RATES["sgd"])
        + " (on the mean loss), Adam "
        + ", ".join(f"{rate:g}" for rate in RATES["adam"])
        + ". Bounds of scope patterns are over the gates listed, global ones over all networks of the class."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_torch()

    @abstractmethod
    def rows(self, setting: Setting) -> ImageRows:
        """The rows to train and test on."""

    def run(self, setting: Setting) -> Data:
        rows = self.rows(setting)
        extent = QUICK if setting.quick else FULL if setting.full else Extent()
        K, m = extent.branches, extent.width
        gates = GateNetwork.sample(rows.X, K, (m,), bias=False)
        three, two = ParallelGated(gates, bias="none"), GatedReLU(bias="none")
        convolutional = Convolutional(two, self.patches)

        def listed(architecture: Architecture, count: int) -> tuple[FixedPatterns, float]:
            """The solver on so many patterns, and the price."""
            problem = posed(rows, architecture, 1.0)
            patterns = architecture.sample(problem.lifted, count, 0)
            return FixedPatterns(patterns, device=setting.device), SHARE * largest_score(problem, patterns)

        (deep, beta), (flat, _) = listed(three, K * m), listed(two, K * m)
        filters, filter_beta = listed(convolutional, extent.filters)
        methods, networks = {}, {}
        for name, architecture, strength, solver in (
            ("three, gated", three, beta, deep),
            ("two, gated", two, beta, flat),
            ("convolutional, gated", convolutional, filter_beta, filters),
            ("two, ReLU", ReLU(bias="none"), beta, WorkingSet()),
        ):
            setting.note(f"{self.title}: {STYLES[name][1]}")
            problem = posed(rows, architecture, strength)
            methods[name], networks[name] = solve_for(rows, problem, solver, extent.seconds, setting.device)
        methods["mapped, ReLU"] = as_relu(rows, three, networks["three, gated"], methods["three, gated"], beta)
        for optimiser in RATES:
            for units, given in (("gated", gates), ("ReLU", None)):
                name = f"{optimiser}, {units}"
                setting.note(f"{self.title}: {STYLES[name][1]}")
                methods[name] = trained(rows, optimiser, given, beta, extent, setting.device)
                if given is not None:
                    methods[name] |= {key: methods["three, gated"][key] for key in ("dual", "scope")}
        n, d = rows.X.shape
        return {"title": self.title, "n": n, "d": d, "tested": len(rows.test_y), "beta": beta, "methods": methods}

    def verdicts(self, data: Data) -> list[Verdict]:
        return [*_judged(data)]

    def table(self, data: Data) -> list[list[str]]:
        """Everything side by side."""
        head = ["method", "objective", "proven bound", "scope", "test accuracy", "neurons", "CPU seconds"]
        return [head, *(_line(name, run) for name, run in data["methods"].items())]

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 3, (14.0, 4.8))
        for ax, (title, names) in zip(axes, PANELS.items(), strict=False):
            for name in names:
                _draw(ax, name, data["methods"][name], "objective")
            ax.set(yscale="log", title=f"objective, {title}", xlabel="CPU seconds")
        axes[0].axhline(data["methods"]["three, gated"]["dual"], color="black", ls="--", lw=1.5, label="proven bound")
        for name in STYLES:
            _draw(axes[2], name, data["methods"][name], "accuracy")
        axes[2].set(title=f"test accuracy, {data['title']}", xlabel="CPU seconds")
        worst, best = (end(run["final_accuracy"] for run in data["methods"].values()) for end in (min, max))
        axes[2].set_ylim(worst - 0.2 * (best - worst), best + 0.1 * (best - worst))
        for ax in axes:
            ax.set_xscale("log")
            ax.grid(alpha=0.25)
        handles = {h.get_label(): h for ax in axes for h in ax.get_legend_handles_labels()[0]}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
        return figure


def _judged(data: Data) -> Iterator[Verdict]:
    methods = data["methods"]
    primal = {name: run["primal"] for name, run in methods.items()}
    accuracy = {name: run["final_accuracy"] for name, run in methods.items()}
    three = methods["three, gated"]
    gap = 1 - three["dual"] / three["primal"]
    trained = f"on {data['n']} images of {data['title']}, {data['d']} numbers each"
    yield Verdict(
        f"{trained}, the three-layer program is solved to a gap of {TOL:g} on its patterns", f"{gap:.1e}", gap <= TOL
    )
    best = min(primal["sgd, gated"], primal["adam, gated"])
    yield Verdict(
        "gated networks of the same gates: SGD and Adam end above it",
        f"the better by {best / three['primal'] - 1:+.1%}",
        best > three["primal"],
    )
    for units in ("ReLU", "gated"):
        reached = {optimiser: accuracy[f"{optimiser}, {units}"] for optimiser in RATES}
        ahead = accuracy["three, gated"] - max(reached.values())
        yield Verdict(
            f"it is at least as accurate on test images as SGD and Adam on {units} networks of three layers",
            f"{accuracy['three, gated']:.2%}; SGD {reached['sgd']:.2%}, Adam {reached['adam']:.2%}: {100 * ahead:+.2f} "
            "points to the better",
            ahead >= 0,
        )
    deeper = accuracy["three, gated"] - accuracy["two, gated"]
    yield Verdict(
        "the third layer buys accuracy: three layers, gated, beside two with as many gates",
        f"{accuracy['three, gated']:.1%} and {accuracy['two, gated']:.1%}",
        deeper > 0,
    )
    yield Verdict(
        "the third layer buys a lower objective",
        f"{primal['three, gated']:.6g} and {primal['two, gated']:.6g}",
        primal["three, gated"] < primal["two, gated"],
    )


def _line(name: str, run: Data) -> list[str]:
    label = STYLES[name][1] + (f", step {run['rate']:g}" if "rate" in run else "")
    numbers = [f"{run['primal']:.6g}", f"{run['dual']:.6g}", run["scope"], f"{run['final_accuracy']:.2%}"]
    return [label, *numbers, str(run["neurons"]), f"{run['spent']:.0f}"]


def _draw(ax: Axes, name: str, run: Data, key: str) -> None:
    color, label = STYLES[name]
    ax.plot(run["seconds"], run[key], "o-", color=color, lw=1.8, ms=4, label=label)

"""When there is a neuron that fits: the planted model, and what noise leaves of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.panels import new_panels
from bidual.experiments.shallow2019.problems import Planted, convex_fits, planted_problems
from bidual.planted import PlantedFit, gradient_descent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

D = 20
RATIOS = (0.5, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 3.0, 4.0)
NOISES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@final
class Realisability(Experiment):
    name = "realisability"
    claim = (
        "Under a planted model y = (Ax)_+ the minimum of the relaxation is that of the squared loss (Theorem 1), and "
        "for n > d the equations determine the neuron. The paper assumes the model; the dual of the relaxation decides "
        "whether it holds."
    )
    assumed = (
        f"d = {D}. Noise is added to the inputs of the ReLU, as a share of their spread, so that y >= 0. The squared "
        "loss of the relaxation's minimiser is compared with where gradient descent on it leads from there."
    )

    def run(self, setting: Setting) -> Data:
        k, steps = (10, 500) if setting.quick else (100, 5000)
        ratios, noises = (RATIOS[::2], NOISES[::3]) if setting.quick else (RATIOS, NOISES)
        data: dict[str, Any] = {"seeds": k, "ratios": list(ratios), "noises": list(noises)}
        data |= {"realisable": [], "unique": [], "excess": [], "undecided": 0}
        for noise in noises:
            setting.note(f"noise {noise:g}")
            cases = [planted_problems(k, round(ratio * D), D, 1, noise) for ratio in ratios]
            fits = [convex_fits(problems) for problems in cases]
            for flag in ("realisable", "unique"):
                data[flag].append([float(np.mean([getattr(fit, flag) for fit in row])) for row in fits])
            data["undecided"] += sum(_undecided(fit) for row in fits for fit in row)
            data["excess"].append(_excess(cases[-1], fits[-1], steps))
        return data

    def verdicts(self, data: Data) -> list[Verdict]:
        ratios, realisable, unique = (np.array(data[name]) for name in ("ratios", "realisable", "unique"))
        few, many = ratios <= 1, ratios > 2
        excess, noises = np.array(data["excess"][1:]), data["noises"][1:]
        between = unique[0][(ratios > 1) & (ratios < 2)]
        losses = ", ".join(f"{each:.2%} ({noise:g})" for each, noise in zip(excess, noises, strict=True))
        return [
            Verdict("the dual decides every case", f"{data['undecided']} undecided", data["undecided"] == 0),
            _share("without noise there is a neuron that fits", realisable[0], 1.0),
            _share("n <= d: there is one whatever the noise", realisable[:, few], 1.0),
            _share(f"n = {ratios[-1]:g} d, with noise: there is none", realisable[1:, -1], 0.0),
            Verdict(
                "n > d, without noise: the neuron is determined",
                f"proven on {between.min():.0%} to {between.max():.0%} for d < n < 2 d, "
                f"{unique[0][many].min():.0%} or more for n > 2 d",
                bool(np.all(unique[0][ratios > 1] == 1.0)),
            ),
            Verdict(
                f"with noise the minimum of the relaxation is not that of the squared loss, n = {ratios[-1]:g} d",
                f"its loss is higher by (noise): {losses}, medians",
                bool(np.all(excess > 0.0)),
            ),
        ]

    def plot(self, data: Data) -> Figure:
        figure, (axes,) = new_panels(1, 3, (12.0, 4.2), width_ratios=(1, 1, 0.75))
        for ax, flag, title in zip(
            axes, ("realisable", "unique"), ("a neuron fits", "the minimiser is proven unique"), strict=False
        ):
            picture = ax.imshow(data[flag], cmap="viridis", vmin=0, vmax=1, origin="lower", aspect="auto")
            ax.set_xticks(range(len(data["ratios"])), [f"{each:g}" for each in data["ratios"]], fontsize="small")
            ax.set_yticks(range(len(data["noises"])), [f"{each:g}" for each in data["noises"]])
            ax.set(xlabel="n / d", title=title)
        axes[0].set_ylabel("noise")
        figure.colorbar(picture, ax=list(axes[:2]), label="share of seeds", pad=0.01)
        axes[2].plot(range(len(data["noises"])), data["excess"], "o-", color=PALETTE[0], lw=2)
        axes[2].set_xticks(range(len(data["noises"])), [f"{each:g}" for each in data["noises"]])
        axes[2].yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes[2].set(xlabel="noise", title=f"excess loss, n = {data['ratios'][-1]:g} d")
        axes[2].grid(alpha=0.25)
        return figure


def _share(claim: str, shares: Any, wanted: float) -> Verdict:
    return Verdict(claim, f"on {shares.min():.0%} to {shares.max():.0%} of the seeds", bool(np.all(shares == wanted)))


def _undecided(fit: PlantedFit) -> bool:
    """Neither fits to the tolerance, nor is proven not to."""
    return not fit.realisable and fit.dual == 0.0


def _excess(problems: Planted, fits: list[PlantedFit], steps: int) -> float:
    """The median over the problems of f at the relaxation's minimiser over where descent on f leads from it, less 1; 0
    where both are rounding."""
    start = np.stack([fit.x[:, None] for fit in fits])
    loss = gradient_descent(problems.A, problems.y, 1, "plain", steps=steps, start=start).losses
    rounding = 1e-20 * np.sum(problems.y**2, axis=1)
    return float(np.median((loss[:, 0] + rounding) / (np.min(loss, axis=1) + rounding) - 1.0))

"""The double moon: where the networks draw the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from bidual.display.base import DIVERGING, NEGATIVE, POSITIVE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.bengio2006.moons import LOSSES, METHODS, draw, error_on_fresh_rows, pose, solved
from bidual.experiments.panels import new_panels
from bidual.network import Layer, Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOISES = (0.15, 0.2)
STRENGTH = 1.0
SHOWN = (("exact", "hinge"), ("exact", "squared"), ("logistic", "squared"), ("tanh, tuned, ascent", "squared"))


@final
class Boundaries(Experiment):
    name = "boundaries"
    claim = "On the double moon a few sign units draw the boundary between the classes."
    assumed = (
        "The data of the first draw, strength 1. Colours are the network's values, cut off at -1.5 and 1.5; the black "
        "line is the boundary. A sign unit may be moved until it meets a row without any change of the objective, so "
        "its place between the rows is not determined, and nor is the test error."
    )

    def run(self, setting: Setting) -> Data:
        return {"panels": [_panel(name, loss, noise) for noise in NOISES for name, loss in SHOWN]}

    def verdicts(self, data: Data) -> list[Verdict]:
        hinge, squared, logistic, tanh = data["panels"][:4]
        return [
            Verdict(
                f"noise {NOISES[0]:g}, hinge loss: three lines separate the rows, with the objective 3 strength",
                f"{hinge['units']} units, {hinge['wrong']} rows on the wrong side, objective {hinge['objective']:.4g}",
                hinge["units"] == 3 and hinge["wrong"] == 0 and abs(hinge["objective"] - 3 * STRENGTH) < 1e-6,
            ),
            Verdict(
                f"noise {NOISES[0]:g}, quadratic loss: three units do",
                f"{squared['units']} units, {squared['wrong']} rows on the wrong side",
                squared["units"] <= 3,
            ),
            Verdict(
                "units of a logistic regression end with more rows on the wrong side than exact ones",
                f"{logistic['wrong']} and {squared['wrong']} of 100",
                logistic["wrong"] > squared["wrong"],
            ),
            Verdict(
                "tuned tanh units have the objective of exact sign units",
                f"{tanh['objective']:.5g} and {squared['objective']:.5g}",
                abs(tanh["objective"] / squared["objective"] - 1) < 0.01,
            ),
        ]

    def plot(self, data: Data) -> Figure:
        figure, axes = new_panels(2, len(SHOWN), (13.0, 5.6), sharex="row", sharey="row")
        for ax, panel in zip(axes.flat, data["panels"], strict=True):
            X, Y = draw(panel["noise"], 0)
            sides = [np.linspace(low - 0.4, high + 0.4, 400) for low, high in zip(X.min(0), X.max(0), strict=True)]
            grid = np.stack(np.meshgrid(*sides), axis=-1)
            values = _network(panel["layers"])(grid.reshape(-1, 2)).reshape(grid.shape[:2])
            ax.pcolormesh(*sides, np.clip(values, -1.5, 1.5), cmap=DIVERGING, alpha=0.55, vmin=-1.5, vmax=1.5)
            ax.contour(*sides, values, levels=[0.0], colors="black", linewidths=1.3)
            for label, color in ((-1.0, NEGATIVE), (1.0, POSITIVE)):
                ax.plot(*X[Y[:, 0] == label].T, "o", color=color, ms=4, mec="white", mew=0.5)
            ax.set_title(
                f"{panel['method']}, {panel['loss']} loss\n"
                f"objective {panel['objective']:.4g}, {panel['units']} units, test error {panel['error']:.1%}",
                fontsize="medium",
            )
            ax.set(aspect="equal", xlim=sides[0][[0, -1]], ylim=sides[1][[0, -1]], xticks=[], yticks=[])
        for ax, noise in zip(axes[:, 0], NOISES, strict=True):
            ax.set_ylabel(f"noise {noise:g}")
        return figure


def _panel(name: str, loss: str, noise: float) -> Data:
    method = METHODS[name]
    problem = pose(noise, 0, loss, STRENGTH, method.architecture)
    solution = solved(problem, method)
    network = solution.network
    wrong = int(np.sum((network(problem.X) >= 0) != (problem.Y > 0)))
    found = {"method": name, "loss": loss, "noise": noise, "units": network.n_neurons, "wrong": wrong}
    found |= {
        "objective": LOSSES[loss][1] * solution.certificate.primal,
        "error": error_on_fresh_rows(network, noise, 0),
    }
    layers = [(each.weight.tolist(), each.bias.tolist(), each.activation) for each in network.layers]
    return {**found, "layers": layers}


def _network(layers: list[list[Any]]) -> Network:
    return Network(tuple(Layer(np.array(weight), np.array(bias), activation) for weight, bias, activation in layers))

"""What training makes of the layers: equal norms, rank one, and alignment with the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.descent import Method, missing_torch
from bidual.experiments.duality2020.synthetic import orthonormal
from bidual.experiments.duality2020.training import train
from bidual.experiments.panels import legend_below, new_panels
from bidual.theorems import DeepProblem, closed_form, solve
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = (2, 3, 4, 5)
FLOOR = 1e-16


@final
class Layers(Experiment):
    name = "layers"
    claim = (
        "Trained hidden layers have equal Frobenius norms (Proposition 3.1, Figure 3a). On rank-one data each layer of "
        "a deep ReLU network has rank one (Figure 3b). For the minimum-norm problem of one output, X W_1 rho_1 is "
        "proportional to y: the first layer is aligned with the targets."
    )
    assumed = (
        "Adam, best of 10 runs. Norms: linear, L = 5, width 10, the whitened data of the ranks, beta = 1.4. Rank one: "
        "X = c a' with c >= 0, 10 rows, 8 features, L = 5, widths 20, beta = 0.05. Alignment: 8 normal rows, 12 "
        "features, normal targets; rho_1 is the first right singular vector of W_1; training needs beta > 0. What is "
        "below 1e-16 is drawn there."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_torch()

    def run(self, setting: Setting) -> Data:
        steps, seeds, shown = (300, 3, 10) if setting.quick else (3000, 20, 60)
        betas = [3.0, 1.0] if setting.quick else [10.0, 3.0, 1.0, 0.3, 0.1]
        setting.note("norms")
        data: Data = {"norms": _norms(steps, shown), "seeds": seeds}
        setting.note("rank one")
        data["rank_one"] = _rank_one(steps, shown)
        data["betas"], data["alignment"] = betas, []
        for L in DEPTHS[: 2 if setting.quick else 4]:
            setting.note(f"alignment, L = {L}")
            data["alignment"].append(_alignment(L, betas, steps, seeds))
        return data

    def verdicts(self, data: Data) -> list[Verdict]:
        norms, ratios = np.array(data["norms"]["norms"][-1]), np.array(data["rank_one"]["ratios"][-1])
        spread, closed = float(np.ptp(norms) / norms.max()), data["norms"]["closed_norms"]
        apart = float(np.abs(norms / closed - 1).max())
        exact = max(max(case["minimum_norm"]) for case in data["alignment"])
        falls = ", ".join(
            f"{case['optimal'][0]:.0e} to {case['optimal'][-1]:.0e} (L = {case['L']})" for case in data["alignment"]
        )
        offs = {case["L"]: max(map(_off, case["trained"], case["optimal"])) for case in data["alignment"]}
        objective, optimum = data["norms"]["objective"], data["norms"]["closed"]
        one, closed_one = data["rank_one"]["objective"], data["rank_one"]["closed"]
        return [
            Verdict(
                "trained layers have equal norms", f"spread of the five: {spread:.1e} of the largest", spread < 1e-3
            ),
            Verdict("they are those of the closed form", f"apart by {apart:.1e} at most, relatively", apart < 1e-3),
            Verdict(
                "rank-one data: each trained ReLU layer has rank one",
                f"second singular value up to {ratios.max():.1e} of the first",
                bool(ratios.max() < 1e-3),
            ),
            Verdict(
                "the trained networks are optimal",
                f"above the closed form by {objective / optimum - 1:.1e} and {one / closed_one - 1:.1e}, relatively",
                abs(objective / optimum - 1) < 1e-6 and abs(one / closed_one - 1) < 1e-6,
            ),
            Verdict(
                "minimum norm, closed form: X W_1 rho_1 is proportional to y",
                f"1 - cosine at most {exact:.1e}, {data['seeds']} seeds, {len(offs)} depths",
                exact < 1e-12,
            ),
            Verdict(
                "closed form: it tends to the direction of y as beta falls",
                f"1 - cosine {falls} for beta {data['betas'][0]:g} to {data['betas'][-1]:g}",
                all(np.all(np.diff(case["optimal"]) < 0) for case in data["alignment"]),
            ),
            Verdict(
                "trained: it is that of the closed form at every beta",
                "1 - cosine off by up to " + ", ".join(f"{off:.1%} (L = {L})" for L, off in offs.items()),
                max(offs.values()) < 0.01,
            ),
        ]

    def plot(self, data: Data) -> Figure:
        figure, ((first, second, third),) = new_panels(1, 3, (12.0, 4.4), sharex=False, sharey=False)
        for layer in range(5):
            style = {"color": PALETTE[layer], "lw": 2}
            first.plot(
                data["norms"]["at"], np.array(data["norms"]["norms"])[:, layer], **style, label=f"$W_{layer + 1}$"
            )
            if layer < 4:
                ratios = np.maximum(np.array(data["rank_one"]["ratios"])[:, layer], FLOOR)
                second.plot(data["rank_one"]["at"], ratios, **style)
        first.axhline(data["norms"]["closed_norms"], color="black", ls="--", lw=1.5, label="closed form", zorder=3)
        first.set(title="norms, linear, L = 5", xlabel="steps of Adam", ylabel=r"$||W_l||_F$", xscale="symlog")
        second.set(title="rank-one data, ReLU, L = 5", xlabel="steps of Adam", xscale="symlog", yscale="log")
        second.set_ylabel("second singular value / first")
        for case, color, marker in zip(data["alignment"], PALETTE[5:], "os^D", strict=False):
            third.plot(data["betas"], np.maximum(case["optimal"], FLOOR), color=color, lw=2, label=f"L = {case['L']}")
            third.plot(data["betas"], np.maximum(case["trained"], FLOOR), marker, color=color, ms=6)
        third.plot([], [], "o", color="0.4", label="trained")
        third.set(title="alignment, one output", xlabel=r"$\beta$", xscale="log", yscale="log")
        third.set_ylabel(r"$1 - \cos(XW_1\rho_1, y)$")
        third.invert_xaxis()
        third.legend(fontsize="small")
        for ax in (first, second, third):
            ax.grid(alpha=0.25)
        for ax, at in ((first, data["norms"]["at"]), (second, data["rank_one"]["at"])):
            ax.set_xlim(0, at[-1])
        legend_below(figure, first)
        return figure


def _norms(steps: int, shown: int) -> Data:
    """Frobenius norms of the layers while they are trained."""
    X, Y = orthonormal(0)
    problem = DeepProblem(X, Y, 5, "linear", 1.4)
    closed = solve(problem)
    run = train(problem, (10,) * 4, Method(), runs=10, steps=steps, shown=np.geomspace(1, steps, shown))
    norms = np.transpose([np.linalg.norm(W, axis=(1, 2)) for W in run.best()])
    return {
        "at": run.at,
        "norms": _short(norms),
        "closed_norms": float(np.linalg.norm(closed.network.layers[0].weight)),
        "objective": float(run.objectives[-1].min()),
        "closed": closed.certificate.primal,
    }


def _rank_one(steps: int, shown: int) -> Data:
    """Second singular values of the hidden layers over the first, while they are trained."""
    rng = np.random.default_rng(0)
    X, y = np.outer(np.abs(rng.standard_normal(10)), rng.standard_normal(8)), 3 * rng.standard_normal(10)
    problem = DeepProblem(X, y, 5, "relu", 0.05)
    run = train(problem, (20,) * 4, Method(), runs=10, steps=steps, shown=np.geomspace(1, steps, shown))
    values = [np.linalg.svd(W, compute_uv=False) for W in run.best()[:-1]]
    return {
        "at": run.at,
        "ratios": _short(np.transpose([s[:, 1] / s[:, 0] for s in values])),
        "objective": float(run.objectives[-1].min()),
        "closed": solve(problem).certificate.primal,
    }


def _alignment(L: int, betas: list[float], steps: int, seeds: int) -> Data:
    """``1 - cos(X W_1 rho_1, y)`` of minimum-norm networks of all seeds; of optimal and trained ones of the first."""
    angles = []
    for seed in range(seeds):
        X, y = _one_output(seed)
        angles.append(_angle(X, closed_form(X, y, n_layers=L).network.layers[0].weight, y))
    X, y = _one_output(0)
    optimal, trained = [], []
    for beta in betas:
        problem = DeepProblem(X, y, L, "linear", beta)
        optimal.append(_angle(X, solve(problem).network.layers[0].weight, y))
        run = train(problem, (6,) * (L - 1), Method(), runs=10, steps=steps)
        trained.append(_angle(X, run.best()[0][-1], y))
    return {"L": L, "minimum_norm": angles, "optimal": optimal, "trained": trained}


def _one_output(seed: int) -> tuple[Matrix, Vector]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((8, 12)), 5 * rng.standard_normal(8)


def _angle(X: Matrix, W: Matrix, y: Vector) -> float:
    z = X @ W @ np.linalg.svd(W)[2][0]
    z, y = z / np.linalg.norm(z), y / np.linalg.norm(y)
    return float(min(np.sum((z - y) ** 2), np.sum((z + y) ** 2))) / 2


def _short(values: Matrix) -> list[list[float]]:
    return [[float(f"{value:.4g}") for value in row] for row in values]


def _off(value: float, wanted: float) -> float:
    return abs(value - wanted) / wanted

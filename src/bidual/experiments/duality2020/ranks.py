"""The rank of the layers of deep linear networks against the price of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from bidual.display.base import PALETTE
from bidual.experiments.base import Data, Experiment, Setting, Verdict
from bidual.experiments.descent import Method, missing_torch
from bidual.experiments.duality2020.soft_threshold import soft_threshold_objective
from bidual.experiments.duality2020.synthetic import K, N, orthonormal
from bidual.experiments.duality2020.training import train
from bidual.experiments.panels import legend_below, new_panels
from bidual.theorems import DeepProblem, prox, solve
from bidual.typing import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = (2, 3, 4, 5)
ZERO = 1e-3
"""Singular values of a trained layer below this share of the largest count as zero."""


@final
class Ranks(Experiment):
    name = "ranks"
    claim = (
        "Deep linear networks of several outputs: beta determines the rank of W_1, ..., W_{L-1}, which is the same for "
        "all of them (Figure 2b). It changes where beta passes a singular value of X'Y, two layers (Remark 2.1, Figure "
        "2a); singular values are shrunk by the soft threshold."
    )
    assumed = (
        f"{N} whitened rows, normal targets, column k of {K} times (1 - k / 6). For L >= 3 the closed form is prox_L, "
        "which jumps. Trained: Adam, the best of 10 runs of width 10, at one beta between each two thresholds; a "
        f"singular value below {ZERO:g} of the largest counts as zero. Drawn: the first seed, "
        "the marks of the layers one above the other."
    )

    def missing(self, setting: Setting) -> str | None:
        return missing_torch()

    def run(self, setting: Setting) -> Data:
        seeds, betas, steps = (2, 20, 250) if setting.quick else (20, 80, 2000)
        grid, cases = np.geomspace(0.02, 20, betas), []
        for L in DEPTHS:
            setting.note(f"L = {L}")
            first, *others = (_closed(L, grid, seed) for seed in range(seeds))
            for count in ("uneven", "off_threshold", "off_beta"):
                first[count] += sum(each[count] for each in others)
            first["soft_excess"] = max(each["soft_excess"] for each in (first, *others))
            cases.append({"L": L, "trained": _trained(L, first["thresholds"], steps), **first})
        return {"seeds": seeds, "betas": grid.tolist(), "cases": cases, "unwhitened": _unwhitened(seeds)}

    def verdicts(self, data: Data) -> list[Verdict]:
        total, two, deep = data["seeds"] * len(data["betas"]), data["cases"][0], data["cases"][1:]
        trained = [each for case in data["cases"] for each in case["trained"]]
        uneven, off = (sum(case[key] for case in data["cases"]) for key in ("uneven", "off_threshold"))
        same = sum(len({*each["ranks"], each["rank"]}) == 1 for each in trained)
        above = min(each["objective"] / each["closed"] - 1 for each in trained)
        later = ", ".join(f"{case['off_beta'] / total:.0%} (L = {case['L']})" for case in deep)
        soft = ", ".join(f"{case['soft_excess']:.2%} (L = {case['L']})" for case in data["cases"])
        other = data["unwhitened"]
        return [
            Verdict("W_1, ..., W_{L-1} have the same rank", f"not for {uneven} of {4 * total} networks", uneven == 0),
            Verdict(
                "the rank is the number of singular values of X'Y above the jump of prox_L",
                f"not for {off} of {4 * total} networks",
                off == 0,
            ),
            Verdict(
                "two layers: it is the number of those above beta",
                f"not for {two['off_beta']} of {total} networks",
                two["off_beta"] == 0,
            ),
            Verdict(
                "L >= 3: it is the number of those above beta, too",
                f"not for {later} of the networks",
                all(case["off_beta"] == 0 for case in deep),
            ),
            Verdict(
                "two layers, rows that are not whitened: it is the number of those above beta, too",
                f"not for {other['off_beta']} of {other['total']} networks",
                other["off_beta"] == 0,
            ),
            Verdict(
                "the soft threshold is optimal at every depth",
                f"objective above the optimum by up to {soft}",
                all(case["soft_excess"] < 1e-9 for case in data["cases"]),
            ),
            Verdict(
                "layers trained by Adam have that rank", f"{same} of {len(trained)} networks", same == len(trained)
            ),
            Verdict("Adam ends nowhere below the closed form", f"relative excess {above:.1e} or more", above > -1e-9),
        ]

    def plot(self, data: Data) -> Figure:
        figure, axes = new_panels(2, len(data["cases"]), (12.0, 6.2), sharex=True, sharey="row")
        betas = data["betas"]
        for (top, low), case in zip(axes.T, data["cases"], strict=True):
            kept, soft = np.array(case["kept"]), np.array(case["soft"])
            lines = top.plot(betas, kept, color=PALETTE[0], lw=2, zorder=3)
            dotted = top.plot(betas, soft, color=PALETTE[2], ls=":", lw=1.5)
            lines[0].set_label("closed form")
            dotted[0].set_label("soft threshold")
            low.step(betas, case["ranks"], where="mid", color=PALETTE[0], lw=2)
            for at in case["thresholds"]:
                for ax in (top, low):
                    ax.axvline(at, color="0.85", lw=1, zorder=0)
            for layer in range(case["L"] - 1):
                at = [each["beta"] for each in case["trained"]]
                ranks = [each["ranks"][layer] + 0.2 * (layer - (case["L"] - 2) / 2) for each in case["trained"]]
                low.plot(at, ranks, "ovs^"[layer], color=PALETTE[1 + layer], ms=6)
            top.set(title=f"L = {case['L']}", xscale="log", xlim=(betas[0], betas[-1]))
            low.set(xlabel=r"$\beta$", ylim=(-0.6, K + 0.6))
            for ax in (top, low):
                ax.grid(alpha=0.25)
        axes[0, 0].set_ylabel("singular values of the network")
        axes[1, 0].set_ylabel("rank of the layers")
        for layer in range(4):
            axes[0, 0].plot([], [], "ovs^"[layer], color=PALETTE[1 + layer], label=f"$W_{layer + 1}$ by Adam")
        legend_below(figure, axes[0, 0])
        return figure


def thresholds(sigma: Vector, n_layers: int) -> Vector:
    """The beta at which prox_L drops each sigma: where ``s_c = sigma (L - 2) / (L - 1)``."""
    if n_layers == 2:
        return sigma
    return (sigma * (n_layers - 2) / (n_layers - 1)) ** (2 - 2 / n_layers) / (n_layers - 2)


def _closed(L: int, betas: Vector, seed: int) -> Data:
    """Singular values, ranks and what differs from the claims, along the betas."""
    X, Y = orthonormal(seed)
    sigma = np.asarray(np.linalg.svd(X.T @ Y, compute_uv=False), dtype=float)
    at, ranks = thresholds(sigma, L), []
    uneven = off_threshold = off_beta = 0
    soft_excess = 0.0
    for beta in betas:
        problem = DeepProblem(X, Y, L, "linear", beta)
        found = solve(problem)
        layers = [_rank(layer.weight, 1e-9) for layer in found.network.layers[:-1]]
        ranks.append(layers[0])
        uneven += len({*layers}) > 1
        off_threshold += layers[0] != int(np.sum(at > beta))
        off_beta += layers[0] != int(np.sum(sigma > beta))
        soft = soft_threshold_objective(problem, sigma)
        soft_excess = max(soft_excess, soft / found.certificate.primal - 1)
    kept = [[float(f"{value:.4g}") for value in prox(sigma, beta, L)[0]] for beta in betas]
    soft_values = [[float(f"{value:.4g}") for value in np.maximum(sigma - beta, 0)] for beta in betas]
    return {
        "thresholds": at.tolist(),
        "kept": kept,
        "soft": soft_values,
        "ranks": ranks,
        "uneven": uneven,
        "off_threshold": off_threshold,
        "off_beta": off_beta,
        "soft_excess": soft_excess,
    }


def _trained(L: int, at: list[float], steps: int) -> list[Data]:
    """The ranks of layers that Adam trained, between the thresholds."""
    X, Y = orthonormal(0)
    ends = np.array([0.5 * at[-1], *at[::-1], 2 * at[0]])
    found = []
    for beta in np.sqrt(ends[1:] * ends[:-1]):
        problem = DeepProblem(X, Y, L, "linear", float(beta))
        closed = solve(problem)
        run = train(problem, (10,) * (L - 1), Method(), runs=10, steps=steps)
        found.append(
            {
                "beta": float(beta),
                "rank": _rank(closed.network.layers[0].weight, 1e-9),
                "ranks": [_rank(W[-1], ZERO) for W in run.best()[:-1]],
                "objective": float(run.objectives[-1].min()),
                "closed": closed.certificate.primal,
            }
        )
    return found


def _unwhitened(seeds: int) -> Data:
    """Two layers, rows of uneven features: how often the rank is not the number of singular values above beta."""
    off = total = 0
    for seed in range(min(seeds, 5)):
        rng = np.random.default_rng(seed)
        X, Y = rng.standard_normal((N, N)) * np.geomspace(1, 0.1, N), orthonormal(seed)[1]
        sigma = np.linalg.svd(X.T @ Y, compute_uv=False)
        for beta in sigma[0] * np.geomspace(0.02, 1.0, 20):
            network = solve(DeepProblem(X, Y, 2, "linear", beta)).network
            off += _rank(network.layers[0].weight, 1e-6) != int(np.sum(sigma > beta))
            total += 1
    return {"off_beta": off, "total": total}


def _rank(W: Matrix, tol: float) -> int:
    """The number of singular values above a share of the largest, none if all are below it."""
    s = np.linalg.svd(W, compute_uv=False) if W.size else np.zeros(1)
    return int(np.sum(s > tol * max(float(s[0]), 1.0)))

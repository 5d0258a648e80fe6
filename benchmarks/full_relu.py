"""Full ReLU networks of any width against Adam on the same objective: ``python benchmarks/full_relu.py``.

Squared loss, no biases but a column of ones in X, targets of a teacher of ten ReLU neurons with 10 % noise, strengths
as shares of the least one at which no sampled gated neuron enters. WorkingSet to tol 1e-6; Adam in PyTorch with full
batches, single precision, cosine schedule and a hundred neurons, at three learning rates; each may take ``--seconds``.
And WorkingSet once more to a priced gap of 1e-4, in searches that go on until they refute it or have made all their
starts; that may take ``--priced-seconds``. Seconds are CPU seconds of one thread; "to 1e-2" is when the objective is
first within that of the better of the two. Adam's times are those of its best rate for that column, which a user does
not know. Writes the table of ``docs/benchmarks.md``. Needs torch.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from documents import ROOT, replace_between

from bidual.architectures import ReLU
from bidual.losses import Squared
from bidual.operators.masked import MaskedData
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Record, Solution, Stop, WorkingSet

PROBLEMS = [
    (n, d, P, share) for n, d, P in ((500, 10, 200), (1000, 50, 500), (5000, 100, 1000)) for share in (0.1, 0.01)
]
RATES = (0.1, 0.01, 0.001)
Curve = list[tuple[float, float]]
"""CPU seconds and objective, falling."""


def make(n: int, d: int, n_patterns: int, share: float) -> Problem:
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((n, d - 1))
    rotation = np.linalg.qr(rng.standard_normal((d - 1, d - 1)))[0]
    spectrum = (1 + np.arange(d - 1)) ** -0.5
    spectrum *= np.sqrt((d - 1) / np.sum(spectrum**2))
    X = np.column_stack([(Z * spectrum) @ rotation.T, np.ones(n)])
    inputs, outputs = rng.standard_normal((d, 10)) / np.sqrt(d), rng.standard_normal((10, 1))
    Y = np.maximum(X @ inputs, 0) @ outputs
    Y = (Y - Y.mean()) / Y.std() + 0.1 * rng.standard_normal((n, 1))
    masks = X @ np.random.default_rng(1).standard_normal((d, n_patterns)) >= 0
    most = float(np.linalg.norm(MaskedData(X, masks).adjoint(Y), axis=1).max())
    return Problem(X, Y, Squared(), ReLU(bias="none"), Strength(share * most), None, False)


def ours(problem: Problem, seconds: float, priced_seconds: float) -> tuple[dict, Curve]:
    solution, curve = solved(problem, 1e-6, seconds)
    priced, times = solved(problem, 1e-4, priced_seconds)
    closed = priced.certificate.relative_priced_gap <= 1e-4
    return {
        "status": solution.status.value,
        "objective": solution.certificate.primal,
        "seconds": curve[-1][0],
        "seconds_to_priced_gap_1e-4": times[-1][0] if closed else None,
        "priced_objective": priced.certificate.primal,
        "relative_priced_gap": priced.certificate.relative_priced_gap,
        "relative_gap_on_patterns": priced.certificate.relative_gap,
        "neurons": solution.network.n_neurons,
    }, curve


def solved(problem: Problem, tol: float, seconds: float) -> tuple[Solution, Curve]:
    curve: Curve = []
    began = time.process_time()

    def watch(record: Record) -> bool:
        curve.append((time.process_time() - began, record.primal))
        return curve[-1][0] > seconds

    solution = WorkingSet().solve(problem, Stop(tol), watch)
    solution.certificate.verify(problem, solution.network)
    return solution, curve


def adam(problem: Problem, rate: float, seconds: float, width: int = 100) -> Curve:
    torch.manual_seed(0)
    X, Y = torch.tensor(problem.lifted).float(), torch.tensor(problem.Y).float()
    beta, (d, k) = problem.penalty.beta, (X.shape[1], width)
    W, a = (torch.randn(d, k) / d**0.5).requires_grad_(), (torch.randn(k, 1) / k**0.5).requires_grad_()
    optimiser = torch.optim.Adam([W, a], lr=rate)
    curve: Curve = []
    began = time.process_time()
    while (elapsed := time.process_time() - began) < seconds:
        optimiser.param_groups[0]["lr"] = rate * 0.5 * (1 + np.cos(np.pi * elapsed / seconds))
        optimiser.zero_grad()
        loss = 0.5 * ((torch.relu(X @ W) @ a - Y) ** 2).sum()
        (loss + 0.5 * beta * ((W**2).sum() + (a**2).sum())).backward()
        value = loss.item() + beta * float(W.detach().norm(dim=0) @ a.detach().abs()[:, 0])
        optimiser.step()
        if not curve or value < curve[-1][1]:
            curve.append((elapsed, value))
    return curve


def reaches(curve: Curve, value: float) -> float | None:
    return next((seconds for seconds, objective in curve if objective <= value), None)


def one(size: tuple[int, int, int, float], seconds: float, priced_seconds: float) -> dict:
    problem = make(*size)
    row, curve = ours(problem, seconds, priced_seconds)
    rivals = {rate: adam(problem, rate, seconds) for rate in RATES}
    best = min(rival[-1][1] for rival in rivals.values())
    row |= {"n": size[0], "d": size[1], "share": size[3], "seconds_allowed": seconds, "adam_best": best}
    row["adam_by_rate"] = {rate: rival[-1][1] for rate, rival in rivals.items()}
    for tol in (1e-2, 1e-3):
        goal = min(best, row["objective"]) * (1 + tol)
        times = [t for rival in rivals.values() if (t := reaches(rival, goal)) is not None]
        row[f"seconds_to_{tol:g}"], row[f"adam_seconds_to_{tol:g}"] = reaches(curve, goal), min(times, default=None)
    return row


def table(rows: list[dict]) -> str:
    heads = ["n, d, share", "objective", "best Adam", "to 1e-2", "Adam", "to 1e-3", "Adam", "to priced gap 1e-4"]
    lines = ["| " + " | ".join([*heads, "priced gap", "neurons"]) + " |", "|---" + "|---:" * 9 + "|"]
    columns = [f"{who}seconds_to_{tol:g}" for tol in (1e-2, 1e-3) for who in ("", "adam_")]
    for r in rows:
        times = (r[name] for name in [*columns, "seconds_to_priced_gap_1e-4"])
        said = " | ".join("never" if t is None else f"{t:.2f}" for t in times)
        lines.append(
            f"| {r['n']}, {r['d']}, {r['share']:g} | {r['objective']:.7g} | {r['adam_best']:.7g} | {said} "
            f"| {r['relative_priced_gap']:.1e} | {r['neurons']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--priced-seconds", type=float, default=600.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "full_relu.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    versions, rows = {"numpy": np.__version__, "torch": torch.__version__}, []
    for size in PROBLEMS:
        rows.append(one(size, args.seconds, args.priced_seconds))
        args.out.write_text(json.dumps({"versions": versions, "rows": rows}, indent=1) + "\n")
    replace_between(ROOT / "docs" / "benchmarks.md", "full relu", table(rows))


if __name__ == "__main__":
    main()

"""What one fit tells, against refitting: leave-one-out predictions, coverage of intervals, Rashomon intervals.

    python benchmarks/one_fit.py [--out results/one_fit.json] [--page ../docs/intervals.md]

Seconds are CPU seconds. Refits without a row start from the network of the fit and go to the same tolerance; they keep
its encoding or, for two sets, standardise the other rows again. Coverage: default settings, 12 random splits of each
set, the share of new rows inside their intervals. Rashomon intervals: beside Adam from 12 seeds on the same objective.
Needs torch.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from documents import replace_between
from sklearn.base import is_classifier
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_wine,
    make_friedman1,
    make_friedman2,
    make_friedman3,
)

import bidual
from bidual.solvers import Stop, WorkingSet

ROOT = Path(__file__).resolve().parents[1]

LEFT_OUT = {
    "diabetes": (lambda: load_diabetes(return_X_y=True), bidual.MLPRegressor(tol=1e-6, random_state=0), 15),
    "friedman1": (
        lambda: make_friedman1(200, 5, noise=1.0, random_state=0),
        bidual.MLPRegressor(tol=1e-6, random_state=0),
        20,
    ),
    "breast_cancer": (
        lambda: load_breast_cancer(return_X_y=True),
        bidual.MLPClassifier(alpha=0.01, tol=1e-6, random_state=0),
        8,
    ),
    "wine": (lambda: load_wine(return_X_y=True), bidual.MLPClassifier(tol=1e-6, random_state=0), 12),
}
"""Data, estimator, and how many random rows are refitted without."""

ENCODED_AGAIN = ("diabetes", "friedman1")

COVERED = {
    "diabetes": lambda seed: load_diabetes(return_X_y=True),
    "friedman1": lambda seed: make_friedman1(1200, 5, noise=1.0, random_state=seed),
    "friedman2": lambda seed: make_friedman2(1200, noise=100.0, random_state=seed),
    "friedman3": lambda seed: make_friedman3(1200, noise=0.3, random_state=seed),
}
"""Data of a split; the first rows in random order are for training, a third of as many for calibration."""

TRAINED, SPLITS, COVERAGE = 150, 12, 0.9


def spent(work):
    """(the result, its CPU seconds)."""
    began = time.process_time()
    return work(), time.process_time() - began


def left_out(name: str) -> dict:
    load, model, k = LEFT_OUT[name]
    X, y = load()
    model, fitting = spent(lambda: model.fit(X, y))
    method, plain = (
        (model.leave_one_out_decision_function, model.decision_function)
        if is_classifier(model)
        else (model.leave_one_out_predictions, model.predict)
    )
    own, seconds = spent(lambda: method(X, y))
    rows = np.sort(np.random.default_rng(0).choice(len(X), k, replace=False))
    kept, refitting = spent(lambda: np.array([refit(model, X, y, i, False) for i in rows]))
    fitted, own = (np.reshape(values, (len(X), -1))[rows] for values in (plain(X), own))
    if model.n_outputs_ > 1:  # known up to a common constant
        fitted, own, kept = (F - F.mean(axis=1, keepdims=True) for F in (fitted, own, kept))
    found = {
        "set": name,
        "n": X.shape[0],
        "d": X.shape[1],
        "neurons": model.n_neurons_,
        "rows_refitted": k,
        "seconds_fit": fitting,
        "seconds_all_rows": seconds,
        "seconds_per_refit": refitting / k,
        "correlation": correlation(own, kept),
        "correlation_of_the_fit": correlation(fitted, kept),
        "correlation_of_changes": correlation(own - fitted, kept - fitted),
        "error_relative_to_change": float(np.linalg.norm(own - kept) / np.linalg.norm(kept - fitted)),
    }
    if name in ENCODED_AGAIN:
        again = np.array([refit(model, X, y, i, True) for i in rows])
        found["correlation_encoded_again"] = correlation(own, again)
    return found


def refit(model, X, y, row: int, encode_again: bool) -> np.ndarray:
    """(c,): the prediction for a row, in the user's units, of a network trained without it."""
    formulation = model.certificate_.formulation
    rows = formulation.encoding.collect(np.delete(X, row, axis=0), np.delete(y, row))
    start = model.network_
    if encode_again:
        encoding = formulation.encoding_of(rows)
        start = encoding.unfold(formulation.encoding.fold(start))
        formulation = replace(formulation, encoding=encoding)
    solution = WorkingSet(seed=0).solve(formulation.problem(rows), Stop(tol=model.tol), start=start)
    return formulation.encoding.fold(solution.network)(X[row : row + 1])[0]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def coverage(name: str) -> dict:
    found = {method: [] for method in ("jackknife+", "conformal")}
    for seed in range(SPLITS):
        X, y = COVERED[name](seed)
        order = np.random.default_rng(seed).permutation(len(X))
        X, y = X[order], y[order]
        train, new = slice(0, TRAINED), slice(TRAINED, None)
        part, kept = slice(0, TRAINED * 2 // 3), slice(TRAINED * 2 // 3, TRAINED)
        for method, fitted_on, handed_in in (("jackknife+", train, train), ("conformal", part, kept)):
            model = bidual.MLPRegressor(random_state=0).fit(X[fitted_on], y[fitted_on])
            lower, upper = model.predict_interval(X[new], X[handed_in], y[handed_in], coverage=COVERAGE, method=method)
            inside = np.mean((lower <= y[new]) & (y[new] <= upper))
            found[method].append((float(inside), float(np.mean(upper - lower) / y.std())))
    row = {"set": name, "splits": SPLITS, "rows": TRAINED, "nominal": COVERAGE}
    for method, values in found.items():
        inside, width = np.array(values).T
        row[method] = {
            "coverage": float(inside.mean()),
            "standard_error": float(inside.std(ddof=1) / np.sqrt(SPLITS)),
            "width_in_deviations": float(width.mean()),
        }
    return row


def rashomon(eps: float = 0.01, seeds: int = 12) -> dict:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = np.abs(X[:, 0]) - X[:, 1] + 0.3 * rng.normal(size=30)
    new = np.array([[0.0, 0.0], [1.0, -1.0], [2.0, 1.0]])
    model = bidual.MLPRegressor(alpha=0.05, tol=1e-5, oracle="enumerated", random_state=0).fit(X, y)
    interval, seconds = spent(lambda: model.rashomon_interval(new, X, y, eps=eps))
    interval.verify()
    encoding, formulation = model.encoding_, model.certificate_.formulation
    problem = formulation.problem(encoding.collect(X, y))
    trained = [adam(problem, encoding.inputs.apply("X", new), seed) for seed in range(seeds)]
    objectives = np.array([objective for objective, _ in trained])
    predictions = encoding.targets.decode(np.concatenate([F for _, F in trained])[:, None]).reshape(seeds, len(new))
    near = objectives <= (1.0 + eps) * model.certificate_.primal
    spread = np.ptp(predictions[near], axis=0)
    return {
        "n": 30,
        "d": 2,
        "eps": eps,
        "scope": interval.scope,
        "methods": interval.methods,
        "seconds_per_row": seconds / len(new),
        "attained_width": (interval.upper - interval.lower).tolist(),
        "certified_width": (interval.certified_upper - interval.certified_lower).tolist(),
        "adam_seeds": seeds,
        "adam_within_budget": int(near.sum()),
        "adam_excess": (objectives / model.certificate_.primal - 1.0).tolist(),
        "adam_spread": spread.tolist(),
    }


def adam(problem, new: np.ndarray, seed: int, width: int = 100, steps: int = 3000) -> tuple[float, np.ndarray]:
    """(objective, predictions of the new rows) of a ReLU network after full-batch Adam with a falling rate."""
    torch.manual_seed(seed)
    X, Y, s = (torch.tensor(array) for array in (problem.lifted, problem.Y[:, 0], problem.weights))
    W = (torch.randn(X.shape[1], width, dtype=torch.float64) / X.shape[1] ** 0.5).requires_grad_()
    a = (torch.randn(width, dtype=torch.float64) / width**0.5).requires_grad_()
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([W, a, b], lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = 0.5 * (s * (torch.relu(X @ W) @ a + b - Y) ** 2).sum()
        (loss + 0.5 * problem.penalty.beta * ((W**2).sum() + (a**2).sum())).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        loss = 0.5 * (s * (torch.relu(X @ W) @ a + b - Y) ** 2).sum()
        objective = float(loss + problem.penalty.beta * (W.norm(dim=0) @ a.abs()))
        lifted = torch.tensor(problem.architecture.lift(new))
        return objective, (torch.relu(lifted @ W) @ a + b).numpy()


def tables(found: dict) -> dict[str, str]:
    """What stands between the markers of the page."""
    lines = [
        "| set | n, d | neurons | one refit, s | all rows, s | correlation | of the changes | encoded again |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for r in found["left_out"]:
        lines.append(
            f"| {r['set']} | {r['n']}, {r['d']} | {r['neurons']} | {r['seconds_per_refit']:.1f} "
            f"| {r['seconds_all_rows']:.2f} | {r['correlation']:.5f} | {r['correlation_of_changes']:.3f} "
            f"| {format(r['correlation_encoded_again'], '.5f') if 'correlation_encoded_again' in r else ''} |"
        )
    covered = [
        "| set | jackknife+ | width | conformal | width |",
        "|---|---:|---:|---:|---:|",
    ]
    for r in found["coverage"]:
        cells = [
            f"{r[m]['coverage']:.3f} +- {r[m]['standard_error']:.3f} | {r[m]['width_in_deviations']:.2f}"
            for m in ("jackknife+", "conformal")
        ]
        covered.append(f"| {r['set']} | {' | '.join(cells)} |")
    r = found["rashomon"]
    ranges = ["| row | attained width | certified width | spread of Adam |", "|---|---:|---:|---:|"]
    for i, values in enumerate(zip(r["attained_width"], r["certified_width"], r["adam_spread"], strict=True)):
        ranges.append(f"| {i + 1} | {' | '.join(f'{value:.3g}' for value in values)} |")
    text = (
        f"n = {r['n']}, d = {r['d']}, eps = {r['eps']:g}; scope {r['scope']}, by {', '.join(r['methods'])}; "
        f"{r['seconds_per_row']:.1f} s for each row. {r['adam_within_budget']} of {r['adam_seeds']} Adam runs were "
        "within the budget."
    )
    return {"left out": "\n".join(lines), "coverage": "\n".join(covered), "rashomon": "\n".join([text, "", *ranges])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "one_fit.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "intervals.md")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", category=UserWarning)  # fits that a limit ended still have their certificate
    found, seconds = spent(
        lambda: {
            "rashomon": rashomon(),
            "left_out": [left_out(name) for name in LEFT_OUT],
            "coverage": [coverage(name) for name in COVERED],
        }
    )
    found["versions"] = {"bidual": bidual.__version__, "numpy": np.__version__, "torch": torch.__version__}
    found["machine"] = {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS", "default")}
    found["seconds"] = seconds
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    for name, text in tables(found).items():
        replace_between(args.page, f"one fit {name}", text)


if __name__ == "__main__":
    main()

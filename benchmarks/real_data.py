"""Certified fits of four real data sets, against Adam on the same objective and scikit-learn's MLP on test data.

    python benchmarks/real_data.py [--sets diabetes wine ...] [--adam-seconds 60] [--out results/real_data.json]

Objective: that of ``bidual.MLPRegressor()`` / ``MLPClassifier()`` with default ``alpha`` on the whole data set. Adam
trains a ReLU network of the given width on exactly that objective (weight decay on both layers, full batches, cosine
schedule) at three learning rates; the best value counts. Test scores: 5-fold cross-validation with default settings,
scikit-learn's MLP behind a StandardScaler. Needs torch.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import bidual

SETS = {
    "diabetes": (load_diabetes, bidual.MLPRegressor, SklearnRegressor),
    "breast_cancer": (load_breast_cancer, bidual.MLPClassifier, SklearnClassifier),
    "wine": (load_wine, bidual.MLPClassifier, SklearnClassifier),
    "digits": (load_digits, bidual.MLPClassifier, SklearnClassifier),
}
FITS = {
    "diabetes": {"tol": 1e-6, "restarts": 5},
    "breast_cancer": {"tol": 1e-6, "restarts": 5},
    "wine": {"tol": 1e-10},
    "digits": {"tol": 1e-3},
}
"""How each is trained on the whole set; cross-validation is with default settings."""


def adam(problem, rate: float, seconds: float, width: int = 200, seed: int = 0) -> float:
    """The training objective that full-batch Adam reaches, evaluated in float64 after balancing."""
    torch.manual_seed(seed)
    X, Y = torch.tensor(problem.X), torch.tensor(problem.Y)
    s = torch.tensor(problem.weights)
    (n, d), c = X.shape, Y.shape[1]
    k = width * c if c > 1 else width
    feeds = torch.arange(k) % c
    W = (torch.randn(d + 1, k, dtype=torch.float64) / (d + 1) ** 0.5).requires_grad_()
    a = (torch.randn(k, dtype=torch.float64) / k**0.5).requires_grad_()
    b = torch.zeros(c, dtype=torch.float64, requires_grad=True)
    Xl = torch.cat([X, torch.ones(n, 1, dtype=torch.float64)], dim=1)
    select = torch.nn.functional.one_hot(feeds, c).double()

    def objective() -> torch.Tensor:
        F = torch.relu(Xl @ W) @ (a[:, None] * select) + b
        if problem.loss.name == "squared":
            loss = 0.5 * (s[:, None] * (F - Y) ** 2).sum()
        elif problem.loss.name == "logistic":
            loss = (s[:, None] * torch.nn.functional.softplus(-Y * F)).sum()
        else:
            loss = (s * (torch.logsumexp(F, dim=1) - (F * Y).sum(dim=1))).sum()
        return loss, W.norm(dim=0) @ a.abs()

    beta = problem.penalty.beta
    optimiser = torch.optim.Adam([W, a, b], lr=rate)
    began, best = time.perf_counter(), np.inf
    while (elapsed := time.perf_counter() - began) < seconds:
        for group in optimiser.param_groups:
            group["lr"] = rate * 0.5 * (1 + np.cos(np.pi * min(elapsed / seconds, 1.0)))
        optimiser.zero_grad()
        loss, size = objective()
        (loss + 0.5 * beta * ((W**2).sum() + (a**2).sum())).backward()
        optimiser.step()
        best = min(best, (loss + beta * size).item())
    return best


def one_set(name: str, adam_seconds: float) -> dict:
    load, ours, theirs = SETS[name]
    X, y = load(return_X_y=True)
    began = time.perf_counter()
    model = ours(random_state=0, **FITS[name]).fit(X, y)
    wall = time.perf_counter() - began
    again = ours(random_state=0, **FITS[name]).fit(X, y)
    certificate = model.certificate_
    certificate.verify(X, y)
    formulation = certificate.formulation
    problem = formulation.problem(formulation.encoding.collect(X, y, None))
    adams = {rate: adam(problem, rate, adam_seconds) for rate in (0.1, 0.01, 0.001)}
    folds = (StratifiedKFold if is_classifier(model) else KFold)(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rival = cross_val_score(make_pipeline(StandardScaler(), theirs(random_state=0)), X, y, cv=folds)
    scores = cross_val_score(ours(random_state=0), X, y, cv=folds)
    return {
        "set": name,
        "n": X.shape[0],
        "d": X.shape[1],
        "alpha": model.alpha,
        "tol": model.tol,
        "restarts": model.restarts,
        "status": model.status_,
        "primal": certificate.primal,
        "dual_on_patterns": certificate.dual,
        "scope": certificate.scope,
        "relative_gap": certificate.relative_gap,
        "relative_priced_gap": certificate.relative_priced_gap,
        "global_dual": certificate.global_dual,
        "global_relative_gap": certificate.global_relative_gap,
        "neurons": model.n_neurons_,
        "seconds": wall,
        "same_bitwise_on_second_fit": bool(again.network_ == model.network_),
        "adam_by_rate": adams,
        "adam_best": min(adams.values()),
        "at_or_below_adam": bool(certificate.primal <= min(adams.values())),
        "cv_score": float(scores.mean()),
        "cv_score_sklearn_mlp": float(rival.mean()),
    }


def table(rows: list[dict]) -> str:
    head = "| set | objective | best Adam | gap (patterns) | priced gap | global gap | neurons | s | test | MLP test |"
    lines = [head, "|---" + "|---:" * 9 + "|"]
    for r in rows:
        lines.append(
            f"| {r['set']} | {r['primal']:.9g} | {r['adam_best']:.9g} | {r['relative_gap']:.1e} "
            f"| {r['relative_priced_gap']:.1e} | {r['global_relative_gap']:.2f} | {r['neurons']} | {r['seconds']:.1f} "
            f"| {r['cv_score']:.3f} | {r['cv_score_sklearn_mlp']:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--adam-seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "real_data.json")
    args = parser.parse_args()
    found = {r["set"]: r for r in json.loads(args.out.read_text())["rows"]} if args.out.exists() else {}
    versions = {"bidual": bidual.__version__, "numpy": np.__version__, "torch": torch.__version__}
    machine = {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS", "default")}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    for name in args.sets:
        found[name] = one_set(name, args.adam_seconds)
        print(json.dumps(found[name], indent=1), flush=True)
        rows = [found[other] for other in SETS if other in found]
        args.out.write_text(json.dumps({"versions": versions, "machine": machine, "rows": rows}, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()

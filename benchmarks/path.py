"""What a path that certifies every strength costs, and 100 random strengths verified.

    python benchmarks/path.py [--out results/path.json] [--page ../docs/paths.md]

The range is from where no neuron pays down to a hundredth of it. Seconds are CPU seconds. The cost is that of the whole
path, its proofs included, over that of one fit with its certificate at the smallest strength, from nothing: to the gap
that the path's own fits have, ``eps / 5``, and with the default ``tol`` of 1e-3. Then the models of 100 random
strengths, uniform in the logarithm, are proven again from the raw data.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from documents import replace_between
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_friedman1

import bidual

ROOT = Path(__file__).resolve().parents[1]

DIABETES = load_diabetes(return_X_y=True)
SETS = {
    "diabetes": (DIABETES, bidual.MLPRegressor(random_state=0), 0.05),
    "diabetes, bmi and s5": ((DIABETES[0][:, [2, 8]], DIABETES[1]), bidual.MLPRegressor(random_state=0), 0.05),
    "the same, branch and bound": (
        (DIABETES[0][:, [2, 8]], DIABETES[1]),
        bidual.MLPRegressor(oracle="branch_and_bound", random_state=0),
        0.05,
    ),
    "diabetes, gated": (DIABETES, bidual.MLPRegressor(activation="gated_relu", random_state=0), 0.05),
    "diabetes, gated, 1 %": (DIABETES, bidual.MLPRegressor(activation="gated_relu", random_state=0), 0.01),
    "friedman1": (make_friedman1(200, 5, noise=1.0, random_state=0), bidual.MLPRegressor(random_state=0), 0.05),
    "friedman1, 1 %": (make_friedman1(200, 5, noise=1.0, random_state=0), bidual.MLPRegressor(random_state=0), 0.01),
    "breast_cancer": (load_breast_cancer(return_X_y=True), bidual.MLPClassifier(random_state=0), 0.05),
    "wine": (load_wine(return_X_y=True), bidual.MLPClassifier(random_state=0), 0.05),
}
"""Data, estimator, eps."""

RANDOM = 100


def spent(work):
    """(the result, its CPU seconds)."""
    began = time.process_time()
    return work(), time.process_time() - began


def measure(name: str) -> dict:
    (X, y), estimator, eps = SETS[name]
    path, seconds = spent(lambda: bidual.path(estimator, X, y, eps=eps))
    found = {
        "set": name,
        "n": X.shape[0],
        "d": X.shape[1],
        "eps": eps,
        "fits": len(path.alphas),
        "neurons": path.n_neurons,
        "alphas": path.alphas.tolist(),
        "worst": path.worst,
        "scope": path.scope,
        "complete": path.complete,
        "seconds": seconds,
    }
    for word, tol in (("same", eps / 5), ("default", 1e-3)):
        cold = type(estimator)(**estimator.get_params() | {"alpha": path.alpha_min, "tol": tol})
        _, found[f"seconds_cold_{word}"] = spent(lambda cold=cold: cold.fit(X, y))
        found[f"cost_{word}"] = seconds / found[f"seconds_cold_{word}"]
        found[f"status_cold_{word}"] = cold.status_
    rng = np.random.default_rng(0)
    alphas = path.alpha_max * (path.alpha_min / path.alpha_max) ** rng.uniform(size=RANDOM)
    certificates, found["seconds_verified"] = spent(lambda: [verified(path, alpha, X, y) for alpha in alphas])
    found["random"] = RANDOM
    found["random_largest_gap"] = max(certificate.relative_gap for certificate in certificates)
    found["random_largest_priced_gap"] = max(certificate.relative_priced_gap for certificate in certificates)
    found["random_largest_global_gap"] = max(certificate.global_relative_gap for certificate in certificates)
    found["random_global"] = sum(certificate.scope == "global" for certificate in certificates)
    print(json.dumps(found), flush=True)
    return found


def verified(path, alpha: float, X: np.ndarray, y: np.ndarray):
    """The certificate of the model for an alpha, proven again from the raw data."""
    certificate = path.at(alpha).certificate_
    certificate.verify(X, y)
    return certificate


def table(found: list[dict]) -> str:
    lines = [
        "| set | n, d | eps | fits | path, s | one fit, s | cost | default fit, s | cost | proven of all | largest of "
        "100 | global |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in found:
        lines.append(
            f"| {r['set']} | {r['n']}, {r['d']} | {r['eps']:.0%} | {r['fits']} | {r['seconds']:.1f} "
            f"| {r['seconds_cold_same']:.1f} | {r['cost_same']:.1f} | {r['seconds_cold_default']:.1f} "
            f"| {r['cost_default']:.1f} | {r['worst']:.2%} | {r['random_largest_gap']:.2%} | {r['random_global']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "path.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "paths.md")
    args = parser.parse_args()
    warnings.simplefilter("ignore", category=UserWarning)  # fits that a limit ended still have their certificate
    rows = [measure(name) for name in SETS]
    found = {
        "paths": rows,
        "versions": {"bidual": bidual.__version__, "numpy": np.__version__},
        "machine": {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS", "default")},
    }
    args.out.write_text(json.dumps(found, indent=1) + "\n")
    replace_between(args.page, "path cost", table(rows))


if __name__ == "__main__":
    main()

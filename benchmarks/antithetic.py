"""What pairs of opposite gates cost and give: ``python benchmarks/antithetic.py``.

Gated networks on P Gaussian gates, against as many gates in pairs, and against 2 P gates in pairs, which share their
products and so cost about as much: change of the certified training objective, of the test score (R2, accuracy) on a
held-back third, with standard errors over ten splits and draws, and CPU seconds.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes

from bidual.architectures import GatedReLU
from bidual.losses import Logistic, Loss, Squared
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Stop

SETS = ("diabetes", "breast_cancer", "teacher10", "teacher30", "abs")


def data(name: str) -> tuple[np.ndarray, np.ndarray, Loss]:
    """Standardised rows and targets (n, 1)."""
    rng, loss = np.random.default_rng(0), Squared()
    if name == "diabetes":
        X, y = load_diabetes(return_X_y=True)
    elif name == "breast_cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return (X - X.mean(axis=0)) / X.std(axis=0), 2.0 * y[:, None] - 1.0, Logistic()
    else:
        n, d = {"teacher10": (600, 10), "teacher30": (1500, 30), "abs": (600, 6)}[name]
        X = rng.normal(size=(n, d))
        if name == "abs":
            y = np.abs(X[:, 0]) + X[:, 1] * (X[:, 2] > 0)
        else:
            y = np.maximum(X @ rng.normal(size=(d, 10)), 0.0) @ rng.normal(size=10)
        y = (y - y.mean()) / y.std() + 0.1 * rng.normal(size=n)
    return (X - X.mean(axis=0)) / X.std(axis=0), ((y - y.mean()) / y.std())[:, None], loss


def run(name: str, P: int, alpha: float, antithetic: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Objectives and test scores of ten draws, and the CPU seconds of all."""
    X, Y, loss = data(name)
    objectives, scores, began = [], [], time.process_time()
    for seed in range(10):
        order = np.random.default_rng(100 + seed).permutation(len(X))
        train, test = order[: 2 * len(X) // 3], order[2 * len(X) // 3 :]
        problem = Problem(X[train], Y[train], loss, GatedReLU(), Strength(alpha * len(train)))
        solver = FixedPatterns(n_patterns=P, seed=seed, antithetic=antithetic)
        solution = solver.solve(problem, Stop(1e-4, time_limit=20.0))
        F = solution.network(X[test])
        objectives.append(solution.certificate.primal)
        right, residual = np.mean(np.sign(F) == Y[test]), np.sum((F - Y[test]) ** 2)
        scores.append(1.0 - residual / np.sum((Y[test] - Y[test].mean()) ** 2) if loss.targets == "real" else right)
    return np.array(objectives), np.array(scores), time.process_time() - began


def mean(values: np.ndarray, form: str) -> str:
    return f"{values.mean():{form}} ± {values.std(ddof=1) / np.sqrt(len(values)):{form.replace('+', '')}}"


def main() -> None:
    print("| set | alpha | gates | pairs | objective | test score | CPU s | without pairs |\n|---" + "|---" * 7 + "|")
    for name in SETS:
        for alpha in (0.03, 0.003):
            for P in (50, 200):
                base, score, seconds = run(name, P, alpha, False)
                for count in (P, 2 * P):
                    objective, other, spent = run(name, count, alpha, True)
                    print(
                        f"| {name} | {alpha} | {P} | {count // 2} | {mean(objective / base - 1.0, '+.1%')} "
                        f"| {mean(other - score, '+.3f')} | {spent:.2f} | {seconds:.2f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()

"""What oracles of sign units cost, and how near they come to the exact one.

``python benchmarks/sign_oracles.py [--quick]`` prints CPU seconds of a sweep, and for each other oracle its best score
as a share of the exact one: mean, least, the share of exact hits, and milliseconds a call.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.datasets import make_moons

from bidual.architectures import Sign, no_neurons
from bidual.losses import Squared
from bidual.oracles import Classifiers, LineSearch, MixedInteger, Oracle, Swept
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import Incremental, Stop

SWEEPS = ((2, 100), (2, 500), (2, 1000), (2, 2000), (2, 4000), (3, 100), (3, 200), (5, 20), (5, 40), (8, 16), (10, 14))
"""(features, rows)."""

OTHERS: dict[str, Oracle] = {
    "logistic": Classifiers(),
    "svm": Classifiers("svm"),
    "perceptron": Classifiers("perceptron"),
    "logistic + 60 line searches": Classifiers(n_steps=60),
    "10 starts x 60 line searches": LineSearch(n_starts=10),
    "mixed integer, 5 s": MixedInteger(time_limit=5.0),
}


def problem(X: np.ndarray, y: np.ndarray) -> Problem:
    return Problem(X, y, Squared(), Sign(), Strength(0.5), intercept=False)


def ask(oracle: Oracle, posed: Problem, V: np.ndarray, seed: int) -> tuple[float, float]:
    """(best score, CPU seconds)."""
    begun = time.process_time()
    nothing = no_neurons(posed.lifted.shape[1], V.shape[1])
    found = oracle.price(posed, V, nothing, np.inf, np.random.default_rng(seed)).best_found
    return found, time.process_time() - begun


def gaussian(n: int, d: int, seed: int) -> tuple[Problem, np.ndarray]:
    rng = np.random.default_rng(seed)
    return problem(rng.standard_normal((n, d)), np.zeros((n, 1))), rng.standard_normal((n, 1))


def moons(seed: int) -> tuple[Problem, np.ndarray]:
    """The dual vector of a network of a few units."""
    X, labels = make_moons(100, noise=0.2, random_state=seed)
    posed = problem(X, 2.0 * labels[:, None] - 1.0)
    solution = Incremental(oracle=Swept(), columns=1).solve(posed, Stop(max_iter=8))
    return posed, posed.dual_vector(solution.network(posed.X))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows and draws")
    quick = parser.parse_args().quick
    print("| features | rows | seconds of a sweep |\n|---:|---:|---:|")
    for d, n in SWEEPS:
        if n <= (500 if quick else 4000):
            print(f"| {d} | {n} | {ask(Swept(), *gaussian(n, d, 0), 0)[1]:.3f} |", flush=True)
    draws = range(3 if quick else 20)
    cases = {
        "2 features, 100 rows": [gaussian(100, 2, s) for s in draws],
        "moons, 100 rows": [moons(s) for s in draws],
        "3 features, 60 rows": [gaussian(60, 3, s) for s in draws],
        "5 features, 25 rows": [gaussian(25, 5, s) for s in draws],
    }
    print("\n| oracle | case | mean | least | exact | ms |\n|---|---|---:|---:|---:|---:|")
    for case, posed in cases.items():
        exact = [ask(Swept(), *each, 0)[0] for each in posed]
        for name, oracle in OTHERS.items():
            if isinstance(oracle, MixedInteger) and not case.startswith("5"):
                continue
            found, seconds = np.array([ask(oracle, *each, s) for s, each in enumerate(posed)]).T
            share = found / exact
            hits, each = np.mean(share > 1 - 1e-9), 1e3 * seconds.mean()
            print(f"| {name} | {case} | {share.mean():.3f} | {share.min():.3f} | {hits:.0%} | {each:.1f} |", flush=True)


if __name__ == "__main__":
    main()

"""Time to a certified gap of the programs on sampled patterns: ``python benchmarks/fixed_patterns.py [--conic]``.

Without cones (gated units) and with them (ReLU units). Sizes (n, d, P), strengths as shares of the least one without
gated neurons; a teacher of ten ReLU neurons, features with a power-law spectrum, 10 % noise. A pass is one forward and
one adjoint product with all masked data in single precision. ``--conic``: the interior-point method as well, on the
smallest program with cones. Seconds are of the processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import product

import numpy as np

from bidual.architectures import GatedReLU, Patterns, ReLU
from bidual.architectures.patterns import sample
from bidual.losses import Logistic, Loss, Squared
from bidual.operators.masked import MaskedData
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import Conic, FixedPatterns, Solution, Solver, Stop
from bidual.solvers.inner.group_newton import group_newton

SIZES = {GatedReLU: [(500, 10, 200), (1000, 50, 500), (5000, 100, 1000)], ReLU: [(500, 10, 200), (1000, 50, 500)]}
SHARES = [0.1, 0.01, 0.001]


def teacher(n: int, d: int, loss: Loss, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    spectrum = (1.0 + np.arange(d - 1)) ** -0.5
    rotation = np.linalg.qr(rng.normal(size=(d - 1, d - 1)))[0]
    Z = (rng.normal(size=(n, d - 1)) * spectrum / np.sqrt(np.mean(spectrum**2))) @ rotation
    X = np.column_stack([Z, np.ones(n)])
    y = np.maximum(X @ rng.normal(size=(d, 10)), 0.0) @ rng.normal(size=(10, 1))
    y = (y - y.mean()) / y.std() + 0.1 * rng.normal(size=(n, 1))
    return X, np.sign(y) if loss.targets == "signs" else y


def cases() -> Iterator[tuple[Problem, Patterns, float]]:
    """(problem, patterns, share)."""
    for architecture, sizes in SIZES.items():
        for (n, d, P), loss in product(sizes, (Squared(), Logistic())):
            X, Y = teacher(n, d, loss)
            patterns = sample(X, P, 1)
            V = -loss.gradient(np.zeros_like(Y), Y, np.ones(n))
            most = float(np.linalg.norm(MaskedData(X, patterns.masks).adjoint(V), axis=1).max())
            for share in SHARES:
                penalty = Strength(share * most)
                yield Problem(X, Y, loss, architecture(bias="none"), penalty, None, False), patterns, share


def measure(solver: Solver, problem: Problem) -> tuple[float, Solution]:
    began = time.process_time()
    solution = solver.solve(problem, Stop(1e-6, time_limit=300))
    return time.process_time() - began, solution


def passes(problem: Problem, patterns: Patterns) -> str:
    """Those of Newton's method without cones; with them, the work is in the projections."""
    program, (n, d) = Program(problem, patterns), problem.X.shape
    if program.coned:
        return ""
    next(step for step in group_newton(program, np.zeros(program.shape), np.zeros(1)) if step.gap <= 1e-6)
    return f"{program.data.flops / (4.0 * n * d * len(patterns)):.0f}"


def main() -> None:
    columns = ["units", "n, d, P", "loss", "share", "solver", "seconds to 1e-6", "passes", "relative gap", "objective"]
    print("|", " | ".join([*columns, "neurons"]), "|\n|---" + "|---" * len(columns) + "|")
    for problem, patterns, share in cases():
        (n, d), units, loss = problem.X.shape, type(problem.architecture).__name__, problem.loss.name
        solvers: list[Solver] = [FixedPatterns(patterns)]
        if "--conic" in sys.argv and units == "ReLU" and n == 500:
            solvers.append(Conic(patterns, tol=1e-7))
        for solver in solvers:
            seconds, solution = measure(solver, problem)
            done = passes(problem, patterns) if isinstance(solver, FixedPatterns) else ""
            print(
                f"| {units} | {n}, {d}, {len(patterns)} | {loss} | {share:g} | {type(solver).__name__} | {seconds:.3f} "
                f"| {done} | {solution.certificate.relative_gap:.1e} | {solution.certificate.primal:.8g} "
                f"| {solution.network.n_neurons} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

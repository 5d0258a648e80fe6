"""Time and work to a certified gap of the gated program on sampled patterns: ``python benchmarks/fixed_patterns.py``.

A pass is one forward and one adjoint product with all masked data in single precision. Sizes (n, d, P), strengths as
shares of the least one without neurons; a teacher of ten ReLU neurons, features with a power-law spectrum, 10 % noise.
"""

from __future__ import annotations

import time

import numpy as np

from bidual.architectures import GatedReLU
from bidual.architectures.patterns import sample
from bidual.losses import Logistic, Loss, Squared
from bidual.operators.masked import MaskedData
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.program import Program
from bidual.solvers import FixedPatterns, Stop
from bidual.solvers.inner.group_newton import group_newton

SIZES = [(500, 10, 200), (1000, 50, 500), (5000, 100, 1000)]
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


def main() -> None:
    print("| n, d, P | loss | share | seconds to 1e-6 | passes | relative gap | neurons |\n|---" + "|---" * 6 + "|")
    for n, d, P in SIZES:
        for loss in (Squared(), Logistic()):
            X, Y = teacher(n, d, loss)
            patterns = sample(X, P, 1)
            V = -loss.gradient(np.zeros_like(Y), Y, np.ones(n))
            most = float(np.linalg.norm(MaskedData(X, patterns.masks).adjoint(V), axis=1).max())
            for share in SHARES:
                problem = Problem(X, Y, loss, GatedReLU(bias="none"), Strength(share * most), None, False)
                program = Program(problem, patterns)
                next(step for step in group_newton(program, np.zeros(program.shape), np.zeros(1)) if step.gap <= 1e-6)
                passes = program.data.flops / (4.0 * n * d * len(patterns))
                began = time.perf_counter()
                solution = FixedPatterns(patterns).solve(problem, Stop(1e-6, time_limit=300))
                seconds = time.perf_counter() - began
                print(
                    f"| {n}, {d}, {P} | {loss.name} | {share:g} | {seconds:.3f} | {passes:.0f} "
                    f"| {solution.certificate.relative_gap:.1e} | {solution.network.n_neurons} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()

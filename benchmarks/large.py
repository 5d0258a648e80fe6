"""A gated network on more rows than one wants to copy: ``python benchmarks/large.py [n d P GiB]``.

Writes the data of a teacher network to a .npy file in a temporary folder, maps it, and fits it on sampled patterns
within the memory limit, to a certified gap of 1e-3. Prints seconds, passes over the masked data (one forward and one
adjoint product in single precision), and the peak of the resident memory, mapped pages and the verification of the
certificate included.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bidual.architectures import GatedReLU
from bidual.architectures.patterns import sample
from bidual.losses import Squared
from bidual.operators.blocks import row_blocks
from bidual.operators.masked import MaskedData
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Stop

SHARE = 0.1
"""Of the least strength without neurons."""


def write_teacher(path: Path, n: int, d: int, seed: int = 0) -> np.ndarray:
    """The targets (n, 1) of a teacher of ten ReLU neurons; the rows, with a column of ones, go to the file."""
    rng = np.random.default_rng(seed)
    hidden, output = rng.normal(size=(d, 10)), rng.normal(size=(10, 1))
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(n, d))
    y = np.empty((n, 1))
    for rows in row_blocks(n, d):
        X[rows] = rng.normal(size=(rows.stop - rows.start, d))
        X[rows, -1] = 1.0
        y[rows] = np.maximum(X[rows] @ hidden, 0.0) @ output
    X.flush()
    return (y - y.mean()) / y.std() + 0.1 * rng.normal(size=(n, 1))


def counted_work() -> list[float]:
    """A list to which every masked product from now on adds its floating-point operations."""
    work: list[float] = []
    count = MaskedData._count

    def counted(self: MaskedData, k: int, c: int, dtype: type) -> None:
        before = self.flops
        count(self, k, c, dtype)
        work.append(self.flops - before)

    MaskedData._count = counted  # type: ignore[method-assign]
    return work


def peak() -> float:
    """GiB of resident memory at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(n: int = 1_000_000, d: int = 50, P: int = 500, gib: float = 8.0) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        Y = write_teacher(path, n, d)
        X = np.load(path, mmap_mode="r")
        print(
            f"n={n} d={d} P={P}: data {path.stat().st_size / 2**30:.2f} GiB, peak so far {peak():.2f} GiB", flush=True
        )
        began, work = (time.perf_counter(), time.process_time()), counted_work()
        patterns = sample(X, P, 0)
        most = float(np.linalg.norm(MaskedData(X, patterns.bits).adjoint(Y - Y.mean()), axis=1).max())
        problem = Problem(X, Y, Squared(), GatedReLU(bias="none"), Strength(SHARE * most))
        solution = FixedPatterns(patterns, memory_limit=gib * 2**30).solve(problem, Stop(1e-3))
        seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
        passes = sum(work) / (4.0 * n * d * P)
        solution.certificate.verify(problem, solution.network)
        print(f"{solution.status}: {solution.certificate}")
        print(
            f"{solution.network.n_neurons} neurons, {seconds:.0f} s, {cpu:.0f} CPU s, "
            f"{passes:.0f} passes, peak {peak():.2f} GiB"
        )


if __name__ == "__main__":
    main(*(int(value) for value in sys.argv[1:4]), *(float(value) for value in sys.argv[4:5]))

"""The memory limit is kept, costs no accuracy, and refuses what cannot be done; mapped rows are not copied."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from bidual.architectures import GatedReLU
from bidual.errors import MemoryLimitError
from bidual.losses import Squared
from bidual.operators import blocks
from bidual.penalties import Strength
from bidual.problem import Problem
from bidual.solvers import FixedPatterns, Solution, Status, Stop
from bidual.solvers.memory import mapped, spare_memory


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the rows are many blocks."""
    monkeypatch.setattr(blocks, "ENTRIES", 2**12)


def mapped_problem(folder: Path, n: int, d: int, c: int) -> Problem:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    np.save(folder / "X.npy", X)
    Y = np.abs(X[:, :c]) + X[:, c : 2 * c]
    X = np.load(folder / "X.npy", mmap_mode="r")
    return Problem(X, Y - Y.mean(axis=0), Squared(), GatedReLU(bias="none"), Strength(0.1 * n))


def peak(solver: FixedPatterns, problem: Problem) -> tuple[Solution, int]:
    """The solution, and the bytes allocated at most on the way."""
    tracemalloc.start()
    try:
        return solver.solve(problem, Stop(1e-3)), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("n", "d", "c", "P"), [(20_000, 30, 1, 40), (4_000, 8, 4, 100), (300, 20, 2, 500)])
def test_the_limit_is_kept_and_costs_no_accuracy(n: int, d: int, c: int, P: int, tmp_path: Path) -> None:
    problem = mapped_problem(tmp_path, n, d, c)
    least = 1e12 - spare_memory(problem, P, 1e12)
    free, most = peak(FixedPatterns(n_patterns=P), problem)
    tight, used = peak(FixedPatterns(n_patterns=P, memory_limit=least + 1.0), problem)
    assert used <= least and (n < 1000 or used < most)
    assert free.status == tight.status == Status.OPTIMAL_ON_PATTERNS
    assert tight.certificate.primal == pytest.approx(free.certificate.primal, rel=2e-3)
    tight.certificate.verify(problem, tight.network)


def test_too_little_is_refused_with_the_estimate(tmp_path: Path) -> None:
    problem = mapped_problem(tmp_path, 20_000, 30, 1)
    with pytest.raises(MemoryLimitError, match="20000 rows of 30 .*about 8 MiB on 40 patterns.* is 2 MiB; allow more"):
        FixedPatterns(n_patterns=40, memory_limit=2e6).solve(problem)


def test_mapped_rows_are_used_where_they_lie(tmp_path: Path) -> None:
    problem = mapped_problem(tmp_path, 20_000, 30, 1)
    assert mapped(problem.X) and mapped(problem.lifted) and not mapped(problem.Y) and not mapped(np.array(problem.X))
    in_memory = Problem(np.array(problem.X), problem.Y, problem.loss, problem.architecture, problem.penalty)
    more = spare_memory(problem, 8, 1e9) - spare_memory(in_memory, 8, 1e9)
    assert more == problem.X.nbytes == 20_000 * 30 * 8

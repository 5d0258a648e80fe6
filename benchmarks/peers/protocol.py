"""What every peer reads and writes, in its own environment: ``python peers/NAME/solve.py task.npz answers/``.

NumPy only. A peer's ``solve.py`` calls :func:`ladder` or :func:`trajectory`, which keep the clock. It returns what it
found in the library's terms, and its own objective of it *converted to the library's*: the judge checks both.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

SHORT, REPEATS = 0.5, 3
"""A call of fewer CPU seconds is repeated, and its fastest run counts."""

ENOUGH = 1e-6
"""A relative distance from the certified lower bound at which no peer need go on."""

Answer = dict[str, Any]
"""``U`` (P, p, c), or (P, 2, p, c) inside cones; or a network's ``weights`` (d, m), ``biases`` (m,), ``outputs`` (m, c)
and ``intercept`` (c,). ``converted``: a function that gives the peer's own objective of it in the library's scaling,
called off the clock; left out where it has none."""


@dataclass(frozen=True)
class Task:
    """``min loss(sum_j D_j X U_j, Y) + strength * (sum of the norms of the columns of the blocks)``.

    The losses are sums: ``1/2 (f - y)^2``, ``log(1 + exp(-y f))`` with y = +-1, and ``log sum exp f - <y, f>`` with y
    one-hot. With ``kind == "cones"`` blocks come in pairs ``U_j = V_j - W_j``, both with ``(2 D_j - 1) X u >= 0``. With
    ``kind == "network"``: ReLU networks with free biases and an intercept, and weight decay ``strength / 2`` on both
    layers. ``lowest`` is a proven lower bound, ``cap`` the CPU seconds a peer has, ``cell`` the problem's name in JSON.
    """

    cell: str
    X: np.ndarray
    Y: np.ndarray
    masks: np.ndarray
    gates: np.ndarray
    loss: str
    kind: str
    strength: float
    lowest: float
    cap: float

    @property
    def n_patterns(self) -> int:
        return self.masks.shape[1]

    def expanded(self) -> np.ndarray:
        """(n, P p), by columns: ``[D_1 X, ..., D_P X]``."""
        return np.asfortranarray((self.masks[:, :, None] * self.X[:, None, :]).reshape(len(self.X), -1))

    def loss_value(self, F: np.ndarray) -> float:
        if self.loss == "squared":
            return float(0.5 * np.sum((F - self.Y) ** 2))
        if self.loss == "logistic":
            return float(np.sum(np.logaddexp(0.0, -self.Y * F)))
        top = F.max(axis=1)
        return float(np.sum(top + np.log(np.exp(F - top[:, None]).sum(axis=1))) - np.sum(self.Y * F))

    def objective(self, answer: Answer) -> float:
        """The value of blocks, or of a network."""
        if "U" not in answer:
            W, A = answer["weights"], answer["outputs"]
            F = np.maximum(self.X @ W + answer["biases"], 0.0) @ A + answer["intercept"]
            return self.loss_value(F) + self.strength * float(np.linalg.norm(W, axis=0) @ np.abs(A).sum(axis=1))
        U = answer["U"]
        size = float(np.linalg.norm(U, axis=-2).sum())
        V = U[:, 0] - U[:, 1] if self.kind == "cones" else U
        F = np.zeros_like(self.Y)
        for k in range(F.shape[1]):
            F[:, k] = np.einsum("np,np->n", self.X, self.masks.astype(float) @ V[:, :, k])
        return self.loss_value(F) + self.strength * size

    def outside(self, answer: Answer) -> float:
        """How far a row lies on the wrong side of a block's cone, over the largest prediction of a block."""
        if self.kind != "cones":
            return 0.0
        Z = np.einsum("np,jspc->njsc", self.X, answer["U"])
        wrong = np.where(self.masks[:, :, None, None], -Z, Z)
        return float(max(wrong.max(), 0.0) / max(np.abs(Z).max(), 1e-300))

    def outputs(self) -> Iterator[Task]:
        """The tasks of the single outputs, into which a squared loss falls apart."""
        for k in range(self.Y.shape[1]):
            yield replace(self, Y=np.ascontiguousarray(self.Y[:, [k]]))


def by_output(solve: Callable[[Task, float], Answer]) -> Callable[[Task, float], Answer]:
    """A solver of several outputs from one of a single output."""

    def solved(task: Task, tol: float) -> Answer:
        answers = [solve(part, tol) for part in task.outputs()]
        U = np.concatenate([answer["U"] for answer in answers], axis=-1)
        return {"U": U, "converted": lambda: sum(answer["converted"]() for answer in answers)}

    return solved


def small(task: Task, rows: int = 60, patterns: int = 5) -> Task:
    """A few rows and patterns, and a weak penalty: what compiles on its first call does so on these."""
    masks, gates = task.masks[:rows, :patterns], task.gates[:, :patterns]
    strength = 0.1 * task.strength * rows / len(task.X)
    return replace(task, X=task.X[:rows], Y=task.Y[:rows], masks=masks, gates=gates, strength=strength)


def ladder(solve: Callable[[Task, float], Answer], tolerances: list[float]) -> None:
    """Solve from the start at each tolerance, the largest first, until the certified bound is met or two tolerances in
    a row have failed; a failure is raised at the end, when all answers are written."""
    task, write = begin()
    with suppress(Exception):
        solve(small(task), tolerances[0])
    spent, failures = 0.0, []
    for tol in tolerances:
        try:
            runs = [_timed(solve, task, tol)]
            while runs[-1][1] < SHORT and len(runs) < REPEATS:
                runs.append(_timed(solve, task, tol))
        except Exception as error:
            failures.append((tol, error))
            if len(failures) > 1 and tolerances.index(tol) - tolerances.index(failures[-2][0]) == 1:
                break
            continue
        answer, cpu, wall = min(runs, key=lambda run: run[1])
        write(answer, label=f"tol {tol:g}", cpu=cpu, wall=wall)
        spent += sum(run[1] for run in runs)
        if _distance(task, answer) <= ENOUGH or spent > task.cap:
            break
    if failures:
        raise RuntimeError(f"failed at tol {failures[0][0]:g}: {failures[0][1]}") from failures[0][1]


def trajectory(steps: dict[str, Callable[[Task], Iterator[Callable[[], Answer]]]]) -> None:
    """Follow each of several descents for its share of the cap, and no longer than the fastest before it took; what it
    has is written at growing intervals, off the clock."""
    task, write = begin()
    allowed = task.cap / len(steps)
    for label, descend in steps.items():
        cpu = wall = due = 0.0
        steps_taken = iter(descend(task))
        while cpu < allowed:
            began = time.process_time(), time.perf_counter()
            state = next(steps_taken, None)
            cpu, wall = cpu + time.process_time() - began[0], wall + time.perf_counter() - began[1]
            if state is None:
                break
            if cpu >= due:
                answer = state()
                write(answer, label=label, cpu=cpu, wall=wall)
                due = max(1.15 * cpu, 1e-3)
                if _distance(task, answer) <= ENOUGH:
                    allowed = cpu


def begin() -> tuple[Task, Callable[..., None]]:
    """The task, and a function that writes an answer as a file of its own; the process is ended at its cap."""
    with np.load(sys.argv[1]) as file:
        task = Task(**{name: file[name] if file[name].ndim else file[name].item() for name in file})
    folder = Path(sys.argv[2])
    memory = [_memory()]
    limit = int(time.process_time() + 1.5 * task.cap) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    facts = {"memory_before": memory[0], "version": version(Path(sys.argv[0]).resolve().parent.name)}

    def write(answer: Answer, **more: Any) -> None:
        place = folder / f"{len(memory):04d}.npz"
        memory.append(_memory())
        found = {name: value() if callable(value) else value for name, value in answer.items()}
        np.savez(place.with_suffix(".part.npz"), **found, **more, **facts, memory=memory[-1])
        place.with_suffix(".part.npz").rename(place)

    return task, write


def _distance(task: Task, answer: Answer) -> float:
    objective = task.objective(answer)
    return max((objective - task.lowest) / objective, task.outside(answer))


def _timed(solve: Callable[[Task, float], Answer], task: Task, tol: float) -> tuple[Answer, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    answer = solve(task, tol)
    return answer, time.process_time() - cpu, time.perf_counter() - wall


def _memory() -> float:
    """The largest resident size so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0

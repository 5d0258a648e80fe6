"""Exact line searches for sign units: from random starts, along random lines, to the best place on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from bidual.architectures import Neurons, Sign
from bidual.architectures.planes import Planes
from bidual.architectures.sweep import merged
from bidual.errors import InvalidParameterError, RefusedError
from bidual.oracles.base import Oracle, Pricing
from bidual.oracles.swept import priced
from bidual.problem import Problem
from bidual.typing import Expired, Matrix, Outputs, Rows, never


@final
@dataclass(frozen=True)
class LineSearch(Oracle):
    """The best sign units that line searches find: for each output the current units and ``n_starts`` random ones are
    moved ``n_steps`` times to the best place on a line, every other line along an axis of the whitened data.

    A line meets each hyperplane of the data once, so one sort and one sum price all of it. The search proves nothing.
    """

    n_starts: int = 20
    n_steps: int = 60
    keep: int = 20

    def __post_init__(self) -> None:
        for name in ("n_starts", "n_steps", "keep"):
            if getattr(self, name) < 1:
                raise InvalidParameterError(f"{name} must be at least 1, got {getattr(self, name)!r}")

    def price(
        self,
        problem: Problem,
        V: Outputs,
        current: Neurons,
        target: float,
        rng: np.random.Generator,
        expired: Expired = never,
    ) -> Pricing:
        architecture, Xl = problem.architecture, problem.lifted
        if not isinstance(architecture, Sign):
            raise RefusedError(f"LineSearch finds sign units, not {type(architecture).__name__} units; use LocalSearch")
        starts = np.hstack([current.inputs, rng.standard_normal((Xl.shape[1], self.n_starts))])
        return priced(architecture, problem, searched(Xl, V, starts, self.n_steps, rng, expired), V, self.keep)


def searched(
    X: Rows, V: Outputs, U: Matrix, n_steps: int, rng: np.random.Generator, expired: Expired = never
) -> Matrix:
    """(p, m c): the units U (p, m) after line searches of ``|v'sign(Xu)|`` for each column v of V (n, c)."""
    H, B, C, _ = merged(X, V)
    if H.shape[0] == 0:
        return np.zeros((X.shape[1], 1))
    begun = np.linalg.lstsq(X @ B, X @ U, rcond=None)[0]
    found = []
    for c in C.T:
        W = begun / np.maximum(np.linalg.norm(begun, axis=0), 1e-300)
        for step in range(n_steps if H.shape[1] > 1 else 0):
            if expired():
                break
            W = _moved(H, c[:, None], W, step, rng)
        found.append(B @ W)
    units = np.hstack(found)
    return units / np.maximum(np.linalg.norm(units, axis=0), 1e-300)


def _moved(H: Matrix, c: Matrix, W: Matrix, step: int, rng: np.random.Generator) -> Matrix:
    """(r, m): the best points for c (h, 1) of the planes through W (r, m) and an axis, or random directions. Up to its
    length, every point of such a plane is on a line through that of W, or on the opposite one."""
    along = rng.standard_normal(W.shape)
    if step % 2:
        along = np.repeat(np.eye(W.shape[0])[:, [step // 2 % W.shape[0]]], W.shape[1], axis=1)
    along = along - W * np.sum(W * along, axis=0)
    length = np.linalg.norm(along, axis=0)
    planes = Planes.spanned(H, W, along / np.maximum(length, 1e-300))
    sums = planes.sums(c)[:, :, 0]
    scores = np.where(planes.arcs, np.abs(sums), -np.inf)
    best, every = scores.argmax(axis=1), np.arange(W.shape[1])
    moved = planes.middles(every, best, sums[every, best])
    now = np.abs(c[:, 0] @ np.where(H @ W >= 0, 1.0, -1.0))
    better = np.isfinite(scores[every, best]) & (scores[every, best] >= now) & (length > 1e-9)
    return np.where(better, moved, W)

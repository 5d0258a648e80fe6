"""Clarabel 0.11, called directly: ``min 1/2 ||F||^2 - <y, F> + strength sum t_g``, or a sum of logistic terms, with
``F = sum_j D_j X U_j``, ``||u_g|| <= t_g``, and the blocks' cones as linear constraints.

The squared loss lacks the constant ``||y||^2 / 2``; nothing else needs converting.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import clarabel
import numpy as np
import scipy.sparse as sp
from protocol import Answer, Task, by_output, ladder


def solve(task: Task, tol: float) -> Answer:
    (n, p), y, squared = task.X.shape, task.Y[:, 0], task.loss == "squared"
    A = sp.csr_array(task.expanded())
    if task.kind == "cones":
        A = sp.hstack([A, -A])
    G = A.shape[1] // p
    # The variables: blocks u (G p), lengths t (G), predictions F (n), and for logistic terms l, v, w (n each).
    width = G * p + G + n * (1 if squared else 4)
    rows = _Rows(width)
    rows.add(clarabel.ZeroConeT, n, {0: A, G * p + G: -sp.eye_array(n)})
    if task.kind == "cones":
        sides = sp.block_diag([np.where(mask[:, None], task.X, -task.X) for mask in task.masks.T], format="csr")
        for start in (0, G * p // 2):
            rows.add(clarabel.NonnegativeConeT, sides.shape[0], {start: -sides})
    for g in range(G):
        rows.add(clarabel.SecondOrderConeT, p + 1, {g * p: _below(-sp.eye_array(p)), G * p + g: _first(p + 1)})
    P, q = np.zeros(width), np.zeros(width)
    q[G * p : G * p + G] = task.strength
    F = slice(G * p + G, G * p + G + n)
    if squared:
        P[F], q[F] = 1.0, -y
    else:
        q[F.stop : F.stop + n] = 1.0
        _logistic(rows, y, F.start)
    u = _solved(sp.csc_matrix(sp.diags_array(P)), q, rows.joined(), tol)[: G * p]

    def own() -> float:
        """Its objective at these blocks, with the other variables that belong to them."""
        f = A @ u
        x = np.concatenate([u, np.linalg.norm(u.reshape(G, p), axis=1), f])
        x = x if squared else np.concatenate([x, np.logaddexp(0.0, -y * f), np.zeros(2 * n)])
        return 0.5 * float(P @ x**2) + float(q @ x)

    constant = 0.5 * float(y @ y) if squared else 0.0
    U = u.reshape(G, p) if task.kind == "gated" else np.stack(np.split(u.reshape(G, p), 2), axis=1)
    return {"U": U[..., None], "converted": lambda: own() + constant}


def _solved(P: sp.csc_matrix, q: np.ndarray, constraints: tuple, tol: float) -> np.ndarray:
    """With its scaling of the data, and without where that stalls."""
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_threads = False, 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tol
    for settings.equilibrate_enable in (True, False):
        solution = clarabel.DefaultSolver(P, q, *constraints, settings).solve()
        if str(solution.status) in ("Solved", "AlmostSolved"):
            return np.array(solution.x)
    raise RuntimeError(f"Clarabel ended with status {solution.status}")


class _Rows:
    """Constraints ``b - A x in cone``, each with a few blocks of columns."""

    def __init__(self, width: int):
        self.width, self.parts, self.offsets, self.cones = width, [], [], []

    def add(self, cone, size: int, blocks: dict, offset=None) -> None:
        parts = [sp.coo_array(block) for block in blocks.values()]
        row = np.concatenate([part.coords[0] for part in parts])
        column = np.concatenate([part.coords[1] + start for start, part in zip(blocks, parts, strict=True)])
        values = np.concatenate([part.data for part in parts])
        self.parts.append((row, column, values, size))
        self.offsets.append(np.zeros(size) if offset is None else offset)
        self.cones.append(cone(size) if cone is not clarabel.ExponentialConeT else cone())

    def joined(self) -> tuple:
        starts = np.cumsum([0, *(size for *_, size in self.parts)])
        row = np.concatenate([part[0] + start for part, start in zip(self.parts, starts, strict=False)])
        column, values = (np.concatenate([part[k] for part in self.parts]) for k in (1, 2))
        matrix = sp.csc_array((values, (row, column)), shape=(starts[-1], self.width))
        return sp.csc_matrix(matrix), np.concatenate(self.offsets), self.cones


def _logistic(rows: _Rows, y: np.ndarray, start: int) -> None:
    """``log(1 + exp(-y F)) <= l``: ``exp(-l) <= v``, ``exp(-y F - l) <= w``, ``v + w <= 1``."""
    n = len(y)
    F, terms, v, w = (start + k * n for k in range(4))
    one, unit = np.array([0.0, 1.0, 0.0]), np.eye(3)
    for i in range(n):
        rows.add(clarabel.ExponentialConeT, 3, {terms + i: unit[:, :1], v + i: -unit[:, 2:]}, one)
        blocks = {F + i: y[i] * unit[:, :1], terms + i: unit[:, :1], w + i: -unit[:, 2:]}
        rows.add(clarabel.ExponentialConeT, 3, blocks, one)
    rows.add(clarabel.NonnegativeConeT, n, {v: sp.eye_array(n), w: sp.eye_array(n)}, np.ones(n))


def _first(size: int) -> np.ndarray:
    return -np.eye(size)[:, :1]


def _below(block: sp.coo_array) -> sp.coo_array:
    """A row of zeros above."""
    return sp.vstack([sp.coo_array((1, block.shape[1])), block])


if __name__ == "__main__":
    ladder(by_output(solve), [10.0**-k for k in range(2, 11)])

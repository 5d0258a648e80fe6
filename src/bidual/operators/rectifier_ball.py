"""The unit ball of two-layer ReLU networks on given rows, and the linear and concave programs over it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, bmat, csc_array, csr_array, eye_array

from bidual.errors import MissingDependencyError
from bidual.operators.cone import Cones
from bidual.typing import Masks, Matrix, Rows, Vector

TOL = 1e-10
"""Of the conic program, whose answers are judged by what they prove and reach."""


@dataclass(frozen=True)
class Saddle:
    """units (2, P, p): ``z = sum_p (X units[0, p])_+ - (X units[1, p])_+``; w (n,): its minimiser in the box."""

    units: Matrix
    w: Vector

    def z(self, ball: RectifierBall) -> Vector:
        """(n,): the point of the ball."""
        H = np.maximum(np.einsum("np,sPp->sPn", ball.X, self.units), 0.0).sum(axis=1)
        return H[0] - H[1]


@final
class RectifierBall:
    """The ball of all ``z = sum_j s_j (X u_j)_+`` with ``sum |u_j| <= 1``, ``s_j = +-1``, and every u_j in the cone of
    one of the listed masks. X : (n, p), masks : (n, P) bool."""

    def __init__(self, X: Rows, masks: Masks):
        alive = (masks & np.any(X != 0, axis=1)[:, None]).any(axis=0)
        self.X, self.first, self.alive = X, masks, np.flatnonzero(alive)
        self.masks = np.ascontiguousarray(masks[:, alive])
        self.shape = (2, masks.shape[1], X.shape[1])

    def gauge(self, W: Matrix, floor: float = 0.0) -> Vector:
        """(G,): proven bounds of ``max <w, z>`` over the ball for each row w of W (G, n), by projections on the cones
        (:class:`~bidual.operators.cone.Cones`), at most ``floor`` too large; inf where w is not finite."""
        prices = self.prices(np.where(np.isfinite(W), W, 0.0), floor)
        return np.where(np.isfinite(W).all(axis=1), prices.max(axis=(1, 2), initial=0.0), np.inf)

    def prices(self, W: Matrix, floor: float = 0.0) -> NDArray[np.float64]:
        """(G, 2, P): the bounds of each cone, and sign of the unit."""
        prices = np.zeros((W.shape[0], *self.shape[:2]))
        if self.alive.size == 0:
            return prices
        C = ((W[:, :, None] * self.masks).transpose(0, 2, 1) @ self.X)[:, None] * np.array([1.0, -1.0])[:, None, None]
        norms = np.linalg.norm(C, axis=3)
        g, s, j = np.nonzero(norms > floor)
        proven = np.where(norms > floor, 0.0, norms)
        proven[g, s, j] = self._cones.project(j, C[g, s, j], floor).bounds
        prices[:, :, self.alive] = proven
        return prices

    def saddle(self, low: Vector, high: Vector) -> Saddle | None:
        """``max over z in the ball of min over low <= w <= high of <w, z>``, a second-order cone program; None if it
        cannot be solved. Entries of low and high may be infinite, which asks for ``z >= 0`` or ``z <= 0`` there."""
        n, p, P = self.X.shape[0], self.X.shape[1], self.alive.size
        free = [np.where(np.isfinite(end), self.reach, 0.0) for end in (low, high)]
        cost = [np.where(np.isfinite(end), end, 0.0) for end in (low, high)]
        scale = max(float(np.abs(cost).max(initial=0.0)), 1e-300)
        q = np.concatenate([np.zeros(2 * P * (p + 1)), -cost[0], cost[1]]) / scale
        found = self._solve(q, np.concatenate(free))
        if found is None:
            return None
        x, y = found
        units = np.zeros(self.shape)
        units[:, self.alive] = x[: 2 * P * (p + 1)].reshape(2, P, p + 1)[:, :, 1:]
        return Saddle(units, np.clip(-scale * y[:n], low, high))

    @cached_property
    def _cones(self) -> Cones:
        return Cones(self.X, self.masks)

    @cached_property
    def reach(self) -> Vector:
        """(n,): no |z_i| is larger."""
        return np.linalg.norm(self.X, axis=1)

    @cached_property
    def _program(self) -> tuple[csc_array, int]:
        """(A, rows of its cones): the constraints ``b - A x`` in cones, for x = (t, u of each unit; z_+; z_-).

        ``z_+ - z_- = z``; every ``S X u >= 0``; ``sum t <= 1``; ``z_+, z_- >= 0`` and at most their bounds; |u| <= t.
        """
        n, p, P = *self.X.shape, self.alive.size
        of_unit = csr_array(np.eye(p + 1)[1:])
        features = [self.masks[:, j, None] * self.X for j in range(P)]
        z = csr_array(np.hstack([np.zeros((n, 0)), *features])) @ block_diag([of_unit] * P)
        inside = block_diag([np.where(mask[:, None], self.X, -self.X) @ of_unit for mask in self.masks.T])
        inside = csr_array(block_diag([inside, inside]))
        inside = inside[np.diff(inside.indptr) > 0]
        amounts = csr_array(np.tile(np.eye(p + 1)[:1], (1, 2 * P)))
        one, m = eye_array(n), 2 * P * (p + 1)
        A = bmat(
            [
                [bmat([[z, -z]]), -one, one],
                [-inside, None, None],
                [amounts, csr_array((1, n)), csr_array((1, n))],
                [None, -one, None],
                [None, None, -one],
                [None, one, None],
                [None, None, one],
                [-eye_array(m), csr_array((m, n)), csr_array((m, n))],
            ]
        )
        return csc_array(A), inside.shape[0]

    def _solve(self, q: Vector, most: Vector) -> tuple[Vector, Vector] | None:
        """(x, y): the primal and dual solution of ``min q'x`` over the constraints."""
        clarabel = _clarabel()
        A, inside = self._program
        n, p, P = *self.X.shape, self.alive.size
        b = np.concatenate([np.zeros(n + inside), [1.0], np.zeros(2 * n), most, np.zeros(2 * P * (p + 1))])
        cones = [clarabel.ZeroConeT(n), clarabel.NonnegativeConeT(inside + 1 + 4 * n)]
        cones += [clarabel.SecondOrderConeT(p + 1)] * (2 * P)
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOL
        solution = clarabel.DefaultSolver(csc_array((q.size, q.size)), q, A, b, cones, settings).solve()
        fine = np.isfinite(solution.x).all() and np.isfinite(solution.z).all()
        return (np.array(solution.x), np.array(solution.z)) if fine else None


def _clarabel() -> Any:
    try:
        import clarabel
    except ImportError as error:
        raise MissingDependencyError(
            "sub-networks of three layers need Clarabel; install it with: pip install 'bidual[conic]'"
        ) from error
    return clarabel

"""The unit ball of two-layer ReLU networks on given rows, and the linear and concave programs over it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from bidual.errors import MissingDependencyError
from bidual.operators.cone import Cones
from bidual.typing import Masks, Matrix, Rows, Vector

TOL = 1e-10
"""Of the conic program, whose answers are judged by what they prove and reach."""

CLOSE = 1e-9
"""A unit whose score is larger than the value by no more than this, relatively, would change nothing."""

ROUNDS = 100
"""Of column generation, at most."""


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
        return self.prices(W, floor).max(axis=(1, 2), initial=0.0)

    def prices(self, W: Matrix, floor: float = 0.0) -> NDArray[np.float64]:
        """(G, 2, P): the bounds of each cone, and sign of the unit."""
        finite = np.isfinite(W.sum(axis=1))
        prices, W = np.zeros((W.shape[0], *self.shape[:2])), np.where(finite[:, None], W, 0.0)
        if self.alive.size == 0:
            return prices
        C = ((W[:, :, None] * self.masks).transpose(0, 2, 1) @ self.X)[:, None] * np.array([1.0, -1.0])[:, None, None]
        norms = np.linalg.norm(C, axis=3)
        g, s, j = np.nonzero(norms > floor)
        proven = np.where(norms > floor, 0.0, norms)
        proven[g, s, j] = self._cones.project(j, C[g, s, j], floor).bounds
        prices[:, :, self.alive] = proven
        prices[~finite] = np.inf
        return prices

    def nearest(self, mask: NDArray[np.intp], U: Matrix) -> Matrix:
        """(M, p): the projection of each row of U on the cone of its mask (M,), one that is open somewhere."""
        return self._cones.project(np.searchsorted(self.alive, mask), U).points

    def saddle(self, low: Vector, high: Vector, allowed: Masks | None = None) -> Saddle:
        """``max over z in the ball of min over low <= w <= high of <w, z>``, a second-order cone program. Entries of
        low and high may be infinite, which asks for ``z >= 0`` or ``z <= 0`` there.

        Column generation: of the units, at first those that score most against some w, then those that score more than
        the value against the last w, until there are none. ``allowed`` (2, P): the signs and masks that may be taken.
        """
        best = Saddle(np.zeros(self.shape), np.where(np.isfinite(low), low, np.minimum(high, 0.0)))
        rounding = CLOSE**1.5 * float(np.abs(best.w) @ self.reach)
        value, units = rounding, np.zeros((0, 2), dtype=np.intp)
        for _ in range(ROUNDS):
            prices = self.prices(best.w[None], value)[0] * (1.0 if allowed is None else allowed)
            prices[units[:, 0], units[:, 1]] = 0.0
            order = np.argsort(-prices, axis=None)[: self.X.shape[0]]
            order = order[prices.ravel()[order] > value * (1.0 + CLOSE)]
            if order.size == 0:
                break
            units = np.concatenate([units, np.column_stack(np.unravel_index(order, prices.shape))])
            found = self._solve(units, low, high)
            if found is None:
                break
            best, value = found[0], max(found[1], rounding)
        return best

    @cached_property
    def _cones(self) -> Cones:
        return Cones(self.X, self.masks)

    @cached_property
    def reach(self) -> Vector:
        """(n,): no |z_i| is larger."""
        return np.linalg.norm(self.X, axis=1)

    def _solve(self, units: NDArray[np.intp], low: Vector, high: Vector) -> tuple[Saddle, float] | None:
        """The saddle point over some units, given by sign and mask, and its value.

        Variables: (t, u) of each unit, z_+ and z_-. Constraints: ``z_+ - z_- = z``; every ``S X u >= 0``;
        ``sum t <= 1``; ``z_+, z_- >= 0``, and 0 where an end is infinite; ``|u| <= t``.
        """
        clarabel, (n, p), M = _clarabel(), self.X.shape, len(units)
        m, masks, rows = M * (p + 1), self.first[:, units[:, 1]].T[:, :, None], np.flatnonzero(self.reach)
        A = np.zeros((n + M * rows.size + 1 + 4 * n + m, m + 2 * n))
        columns = A[:, :m].reshape(-1, M, p + 1)
        columns[:n, :, 1:] = (np.where(units[:, 0] == 0, 1.0, -1.0)[:, None, None] * masks * self.X).swapaxes(0, 1)
        A[:n, m:] = np.hstack([-np.eye(n), np.eye(n)])
        at = n + M * rows.size
        each = np.arange(M)
        inside = A[n:at].reshape(M, rows.size, m + 2 * n)[:, :, :m].reshape(M, rows.size, M, p + 1)
        inside[each, :, each, 1:] = np.where(masks, -self.X, self.X)[:, rows] / self.reach[rows, None]
        columns[at, :, 0] = 1.0
        A[at + 1 : at + 1 + 4 * n, m:] = np.vstack([-np.eye(2 * n), np.eye(2 * n)])
        A[at + 1 + 4 * n :, :m] = -np.eye(m)
        cost = np.concatenate([-np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)])
        scale = max(float(np.abs(cost).max()), 1e-300)
        most = np.concatenate([np.where(np.isfinite(end), self.reach, 0.0) for end in (low, high)])
        b = np.concatenate([np.zeros(at), [1.0], np.zeros(2 * n), most, np.zeros(m)])
        q = np.concatenate([np.zeros(m), cost / scale])
        cones = [clarabel.ZeroConeT(n), clarabel.NonnegativeConeT(at - n + 1 + 4 * n)]
        cones += [clarabel.SecondOrderConeT(p + 1)] * M
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOL
        solution = clarabel.DefaultSolver(csc_array((q.size, q.size)), q, csc_array(A), b, cones, settings).solve()
        x, y = np.array(solution.x), np.array(solution.z)
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            return None
        found = np.zeros(self.shape)
        found[units[:, 0], units[:, 1]] = x[:m].reshape(M, p + 1)[:, 1:]
        return Saddle(found, np.clip(-scale * y[:n], low, high)), -scale * float(q @ x)


def _clarabel() -> Any:
    try:
        import clarabel
    except ImportError as error:
        raise MissingDependencyError(
            "sub-networks of three layers need Clarabel; install it with: pip install 'bidual[conic]'"
        ) from error
    return clarabel

"""The best quadratics around absolute values on the unit sphere, by an interior-point method."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bidual.typing import Expired, Matrix, Vector

STEPS = 100
"""Newton steps at most; it takes 10 to 30."""

CLOSE = 1e-11
"""The relative distance to the minimum at which the steps end, and"""

ROUGHLY = 1e-2
"""where they end if even the minimum would be more than enough."""


@dataclass(frozen=True)
class Variables:
    """Quadratics: ``h |z| <= h^2 / (4 q) + q z^2`` (q > 0), ``-f |z| <= -f (g z + w z^2 / nu)`` (|g| + w <= 1, w > 0),
    and the shift m, which is above the largest eigenvalue of their sum."""

    q: Vector
    g: Vector
    w: Vector
    m: float

    def moved(self, step: Vector, share: float) -> Variables:
        q, g, w, m = np.split(share * step, np.cumsum([self.q.size, self.g.size, self.w.size]))
        return Variables(self.q + q, self.g + g, self.w + w, self.m + float(m[0]))

    def positive(self) -> Vector:
        """What must be positive, linear in the variables."""
        return np.concatenate([self.q, self.w, 1.0 - self.g - self.w, 1.0 + self.g - self.w])

    def room(self, step: Vector) -> float:
        """The share of the step at which one of them vanishes."""
        now, then = self.positive(), self.moved(step, 1.0).positive()
        falls = then < now
        return float((now[falls] / (now[falls] - then[falls])).min(initial=np.inf))


@dataclass(frozen=True)
class Enclosures:
    """The bound of ``c'u + sum_i h_i |a_i'u| - sum_j f_j |b_j'u|`` on the sphere ``|u| = 1`` by quadratics,

        ``F(q, g, w, m) = m + c(g)'K^-1 c(g) / 4 + sum_i h_i^2 / (4 q_i)``,
        ``K = m I - sum_i q_i a_i a_i' + sum_j (f_j w_j / nu_j) b_j b_j'`` positive definite,  ``c(g) = c - B'(f g)``,

    which is jointly convex (Boyd & Vandenberghe 2004, section 3.1.7). Without w and at the best m it is the root of
    ``c'(I - A'diag(delta)A)^-1 c + sum h^2 / delta``, a matrix-fractional function, with ``q = m delta``.

    A : (r, p) rows a_i; h : (r,) positive; B : (k, p) rows b_j; f, nu : (k,) positive, ``nu_j = |b_j|``; c : (p,).
    """

    A: Matrix
    h: Vector
    B: Matrix
    f: Vector
    nu: Vector
    c: Vector

    @cached_property
    def first(self) -> Variables:
        """A place to start from."""
        long = np.linalg.norm(self.A, axis=1)
        k = len(self.B)
        return Variables(0.5 * self.h / long, np.zeros(k), np.full(k, 0.5), self.mass)

    @cached_property
    def mass(self) -> float:
        """The sum of the sizes of all terms."""
        rows = float(self.h @ np.linalg.norm(self.A, axis=1)) + float(self.f @ self.nu)
        return rows + float(np.linalg.norm(self.c)) or 1.0

    def least(self, start: Variables, enough: float, expired: Expired) -> Place:
        """Newton's method on F and ``-mu`` times the logarithms of its constraints, for falling mu.

        Ends at the minimum, at ``F <= enough``, where it is clear that the minimum is above ``enough``, or when the
        time has expired.
        """
        at = self.look(start) or self.look(self.first)
        assert at is not None
        order = len(self.c) + 3 * len(self.B)
        mu, least = abs(at.value) / order, 1e-3 * self.mass
        for _ in range(STEPS):
            if at.value <= enough or mu * order <= CLOSE * max(abs(at.value), least) or expired():
                break
            moved, decrement = self._newton(at, mu)
            if moved is None:
                break
            at = moved
            if decrement <= 4.0 * mu:
                left = 2.0 * mu * order
                if len(self.A) and left <= ROUGHLY * at.value and at.value - left > enough:
                    break
                mu *= 0.1
        return at

    def look(self, x: Variables) -> Place | None:
        """F and its parts; None outside its domain."""
        positive = x.positive()
        if positive.min(initial=np.inf) <= 0.0:
            return None
        K = (self.B.T * (self.f * x.w / self.nu)) @ self.B - (self.A.T * x.q) @ self.A
        K.flat[:: len(K) + 1] += x.m
        try:
            inverse = np.linalg.inv(np.linalg.cholesky(K))
        except np.linalg.LinAlgError:
            return None
        c = self.c - self.B.T @ (self.f * x.g)
        u = 0.5 * inverse.T @ (inverse @ c)
        value = x.m + 0.5 * float(c @ u) + 0.25 * float(np.sum(self.h**2 / x.q))
        barrier = 2.0 * float(np.sum(np.log(np.diag(inverse)))) - float(np.sum(np.log(positive[len(x.q) :])))
        return Place(x, inverse, u, value, barrier)

    def _newton(self, at: Place, mu: float) -> tuple[Place | None, float]:
        """(where a damped step arrives or None, the squared Newton decrement)."""
        gradient, H = self._derivatives(at, mu)
        scale = 1.0 / np.sqrt(np.diag(H))
        try:
            step = -scale * np.linalg.solve(H * scale * scale[:, None], scale * gradient)
        except np.linalg.LinAlgError:
            return None, 0.0
        decrement, now = -float(gradient @ step), at.value + mu * at.barrier
        share = min(1.0, 0.9 * at.variables.room(step))
        for _ in range(30):
            moved = self.look(at.variables.moved(step, share))
            if moved is not None and moved.value + mu * moved.barrier <= now - 0.1 * share * decrement:
                return moved, decrement
            share *= 0.7
        return None, decrement

    def _derivatives(self, at: Place, mu: float) -> tuple[Vector, Matrix]:
        """Gradient and Hessian in (q, g, w, m).

        With ``u = K^-1 c / 2``, a change of K and c changes ``c'K^-1 c / 4`` by ``dc'u - u'dK u`` and, twice over, by
        ``2 y'K^-1 y`` with ``y = dc / 2 - dK u``; the rows of Y are the y of each variable.
        """
        x, u, half, k = at.variables, at.u, at.inverse, len(self.B)
        share = self.f / self.nu
        a, b = self.A @ half.T, self.B @ half.T
        z, zb = self.A @ u, self.B @ u
        Y = np.vstack([z[:, None] * a, (-0.5 * self.f)[:, None] * b, -(share * zb)[:, None] * b, -(half @ u)])
        H = 2.0 * Y @ Y.T
        rows = np.vstack([a, np.sqrt(share)[:, None] * b])
        sign = np.append(np.ones(len(a)), -np.ones(k))
        turned = rows @ half
        cross = -sign * np.sum(turned**2, axis=1)
        places = np.append(np.arange(len(a)), len(a) + k + np.arange(k))
        H[np.ix_(places, places)] += mu * np.outer(sign, sign) * (rows @ rows.T) ** 2
        H[places, -1] += mu * cross
        H[-1, places] += mu * cross
        H[-1, -1] += mu * float(np.sum((half @ half.T) ** 2))
        gradient = np.concatenate(
            [z**2 - 0.25 * (self.h / x.q) ** 2, -self.f * zb, -share * zb**2, [1.0 - float(u @ u)]]
        )
        gradient[places] += mu * sign * np.sum(rows**2, axis=1)
        gradient[-1] -= mu * float(np.sum(half**2))
        self._sides(x, mu, gradient, H)
        return gradient, H

    def _sides(self, x: Variables, mu: float, gradient: Vector, H: Matrix) -> None:
        """Add what keeps q positive and (g, w) in its triangle."""
        r, k = len(self.A), len(self.B)
        above, below = 1.0 / (1.0 - x.g - x.w), 1.0 / (1.0 + x.g - x.w)
        g, w = r + np.arange(k), r + k + np.arange(k)
        gradient[g] += mu * (above - below)
        gradient[w] += mu * (above + below - 1.0 / x.w)
        H[g, g] += mu * (above**2 + below**2)
        H[w, w] += mu * (above**2 + below**2 + 1.0 / x.w**2)
        H[g, w] += mu * (above**2 - below**2)
        H[w, g] += mu * (above**2 - below**2)
        H[np.arange(r), np.arange(r)] += 0.5 * self.h**2 / x.q**3


@dataclass(frozen=True)
class Place:
    """Variables, the inverse root of K, ``u = K^-1 c / 2`` (where the bound is reached), F and the barrier."""

    variables: Variables
    inverse: Matrix
    u: Vector
    value: float
    barrier: float

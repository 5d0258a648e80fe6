"""Many neurons at once climb to a local maximum of their score, in matrix products only."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace


def climb(X: Any, T: Any, U: Any, slope: float, rounds: int, steps: int, tol: float = 1e-5) -> tuple[Any, Any]:
    """Convex-concave procedure for ``max over ||u|| <= 1 of sum_i t_i phi(x_i'u)``, one target and start per column.

    ``phi(z) = slope * z + (1 - slope) max(z, 0)``. The terms with t_i > 0 are convex and replaced by their tangent,
    the others are kept: ``max over the ball of g'u - sum_i l_i max(x_i'u, 0) = min over 0 <= mu <= l of
    ||g - X'mu||``, a box least squares solved by ``steps`` accelerated projected gradient steps. Scores never fall.

    Parameters
    ----------
    X : (n, p), T : (n, B) targets, U : (p, B) starts; arrays of one array-API namespace.
    rounds : int, linearisations at most; the climb ends when no score rises by more than ``tol`` (relative).

    Returns
    -------
    U : (p, B) unit neurons; scores : (B,)

    Source: Yuille & Rangarajan 2003 (procedure), Beck & Teboulle 2009 (inner steps).
    """
    xp = array_namespace(X, T, U)
    up = xp.where(T > 0, T, 0.0) * (1.0 - slope)
    limit = xp.where(T < 0, -T, 0.0) * (1.0 - slope)
    linear = slope * (X.T @ T)
    step = 1.0 / max(float(xp.linalg.matrix_norm(X, ord=2)) ** 2, 1e-30)

    def evaluate(U: Any) -> tuple[Any, Any]:
        Z = X @ U
        return Z, xp.sum(T * xp.where(Z > 0, Z, slope * Z), axis=0)

    Z, best = evaluate(U)
    mu = xp.where(Z > 0, limit, 0.0)
    for _ in range(rounds):
        g = linear + X.T @ xp.where(Z > 0, up, 0.0)
        ahead, momentum = mu, 1.0
        for _ in range(steps):
            new = xp.clip(ahead + step * (X @ (g - X.T @ ahead)), 0.0, limit)
            following = (1.0 + (1.0 + 4.0 * momentum**2) ** 0.5) / 2.0
            ahead = new + ((momentum - 1.0) / following) * (new - mu)
            mu, momentum = new, following
        V = g - X.T @ mu
        V = V / xp.clip(xp.linalg.vector_norm(V, axis=0), 1e-30, None)
        Z_new, score = evaluate(V)
        better = score > best
        rise = xp.max((score - best) / xp.clip(xp.abs(best), 1e-30, None))
        U, Z, best = xp.where(better, V, U), xp.where(better, Z_new, Z), xp.where(better, score, best)
        if float(rise) <= tol:
            break
    return U, best

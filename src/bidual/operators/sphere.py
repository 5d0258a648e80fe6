"""The largest value of a quadratic on the unit sphere, bounded from above with all rounding accounted for."""

from __future__ import annotations

import numpy as np

from bidual.typing import Matrix, Vector


def sphere_maximum(c: Vector, Q: Matrix, rounding: float) -> float:
    """At least ``max over |w| = 1 of c'w + w'Qw`` for every c (p,), Q (p, p) within ``rounding`` of the given ones.

    On the sphere ``w'Qw = m - w'(mI - Q)w``. If ``mI - Q >= d I`` with d > 0, this concave quadratic is at most its
    expansion about any u: ``m + c'u - u'(mI - Q)u + |r|^2/(4 d)``, with its slope ``r = c - 2 (mI - Q) u`` there. The
    best m is that of the trust-region problem (Moré & Sorensen 1983): ``c'(mI - Q)^{-2} c = 4``, or the largest
    eigenvalue.

    ``rounding`` must exceed the errors of c and Q (2-norms), those of the eigenvalues, and p^2 eps (|c| + |Q|).
    """
    values, vectors = np.linalg.eigh(Q)
    g = vectors.T @ c
    least = float(values[-1]) + 2.0 * rounding  # d >= rounding
    low, m = least, least + 0.5 * float(np.linalg.norm(g))
    for _ in range(60):  # bisection
        middle = 0.5 * (low + m)
        low, m = (middle, m) if np.linalg.norm(g / (middle - values)) > 2.0 else (low, middle)
    u = vectors @ (0.5 * g / (m - values))
    bent = m * u - Q @ u
    distance = m - float(values[-1]) - rounding
    left = float(np.linalg.norm(c - 2.0 * bent)) + 4.0 * rounding
    return m + float(c @ u - u @ bent) + left**2 / (4.0 * distance) + 4.0 * rounding

"""The largest neuron score by a search over directions: boxes on the faces of a cube, halved where they may hold it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from bidual.operators.faces import Boxes, Face
from bidual.typing import Matrix, Outputs, Rows, Vector

AXES = 12
"""Beyond this rank of the rows, a search over directions closes no gap."""

ENTRIES = 1 << 17
"""Boxes times rows that are bounded together: enough for fast products, and few enough for the cache."""

NARROWEST = 1e-10
"""A box no wider than this is not halved."""

HALVED = 6
"""Axes along which every face is halved at once: its boxes are bounded together."""

FAIR = 0.01
"""What an axis as long as the cube adds to the bound at least, relative to it, as far as halving it is concerned."""

FRESH = 3
"""Steps towards the best linear function in place of the concave terms, where there is none yet; later, one each."""


@dataclass(frozen=True)
class _Group:
    """Boxes of one face, for one output and sign; ``back`` (p, r) maps its coordinates to those of the neurons."""

    output: int
    sign: int
    back: Matrix
    face: Face
    boxes: Boxes
    steps: int


class BoxSearch:
    """Boxes that may hold the unit neuron of largest score, those of the largest bound first.

    ``max over |u| <= 1 of |sum_i V_ik phi(x_i'u)|`` over all outputs k, phi with the given negative slope: every
    direction passes through a face of the cube, ``w = u / max_j |u_j|``, where :meth:`Face.bounded` bounds
    ``score(w) / |w|`` on boxes. The cube lies along the principal axes of the rows, weighted by ``|V|``. ``count`` is
    the number of boxes that were looked at, ``bound`` is valid at any time.

    Rounding: rows and V are scaled by powers of two. All that is added up on a box is, term by term, at most ``mass =
    sum_i |v_i| |x_i|`` times the length of w, at most sqrt(p); sums of n products of vectors of p entries, in any
    order, are within ``(n + p) eps`` of that (Higham 2002, section 3.1), and so are the ends of the intervals, beyond
    which a parabola fails by no more than the row goes beyond. What a rotation in floating point leaves of a row is
    added as it is. ``rounding`` is four times the sum.
    """

    def __init__(self, X: Rows, V: Outputs, slope: float):
        self.unit, self.size = power_of_two(X), power_of_two(V)
        self.X, self.V, self.slope = X / self.unit, V / self.size, slope
        each = np.abs(self.V).sum(axis=1)
        _, stretch, axes = np.linalg.svd(np.sqrt(each)[:, None] * self.X, full_matrices=False)
        self.axes = axes[stretch > 1e-13 * stretch.max(initial=0.0)].T
        Z, nu = self.X @ self.axes, np.linalg.norm(self.X, axis=1)
        p = self.axes.shape[1]
        left = float((np.abs(self.V).T @ np.linalg.norm(self.X - Z @ self.axes.T, axis=1)).max())
        terms = sum(self.X.shape) + p * p + 20
        mass = float((np.abs(self.V).T @ nu).max())
        self.rounding = 4.0 * (left + terms * float(np.finfo(float).eps) * np.sqrt(p + 1) * mass)
        self.count, self.settled = 0, 0.0
        self.heap: list[tuple[float, int, _Group]] = []
        self.pushed = 0
        for output in range(V.shape[1]):
            for sign in (1, -1):
                for axis in range(p):
                    for end in (1.0, -1.0):
                        self._start(Z, output, sign, axis, end)

    @property
    def bound(self) -> float:
        """No unit neuron scores more."""
        return max(self.settled, -self.heap[0][0] if self.heap else 0.0) * self.unit * self.size

    @property
    def done(self) -> bool:
        """True if no box is left to halve."""
        return not self.heap

    def step(self, enough: float) -> tuple[int, int, Vector]:
        """Bound the boxes of the group with the largest bound, and halve those with a bound above ``enough``. Returns
        the output, the sign and the direction u (p,) where the largest of their bounds is reached."""
        group = heapq.heappop(self.heap)[2]
        enough = enough / self.unit / self.size
        boxes, reached, loose = group.face.bounded(group.boxes, enough - self.rounding, group.steps)
        self.count += len(boxes)
        bounds = boxes.value + self.rounding
        wide = (boxes.high - boxes.low > NARROWEST).any(axis=1)
        open_ = (bounds > enough) & wide
        self.settled = max(self.settled, float(bounds[~open_].max(initial=0.0)))
        self._halve(group, boxes.take(open_), loose[open_])
        return group.output, group.sign, group.back @ reached[boxes.value.argmax()]

    def score(self, output: int, sign: int, u: Vector) -> float:
        """What the unit neuron of direction u scores."""
        z = self.X @ (u / (float(np.linalg.norm(u)) or 1.0))
        each = np.where(z > 0, z, self.slope * z)
        return float(sign * self.V[:, output] @ each) * self.unit * self.size

    def prove(self, value: float, limit: int) -> float:
        """A bound of at most ``value``; inf where there is none, or none with less than ``limit`` boxes."""
        while self.bound > value:
            if self.done or self.count >= limit or self.score(*self.step(value)) > value:
                return np.inf
        return self.bound

    def _start(self, Z: Rows, output: int, sign: int, axis: int, end: float) -> None:
        """The face on which the coordinate ``axis`` is ``end``."""
        p = Z.shape[1]
        turn = np.eye(p)[:, np.append(np.delete(np.arange(p), axis), axis)]
        turn[:, -1] *= end
        rows, v = Z @ turn, sign * self.V[:, output]
        half = 0.5 * (1.0 - self.slope) * np.abs(v)[:, None] * rows
        c = 0.5 * (1.0 + self.slope) * (v @ rows)
        face = Face(half[v > 0], half[v < 0], c, np.zeros(p))
        ones = np.ones((1, p - 1))
        boxes = Boxes(-ones, ones, np.zeros((1, p)), np.full(1, np.inf))
        for j in range(min(p - 1, HALVED)):
            boxes = boxes.halved(np.full(len(boxes), j))
        self._push(_Group(output, sign, self.axes @ turn, face, boxes, FRESH))

    def _halve(self, group: _Group, boxes: Boxes, loose: Matrix) -> None:
        """Both halves of the boxes, along the axis that loosens the bound most, in groups of neighbours."""
        if len(boxes) == 0:
            return
        boxes = boxes.halved((loose + FAIR * boxes.value[:, None] * boxes.radius**2).argmax(axis=1))
        most = max(64, ENTRIES // max(1, len(group.face.A) + len(group.face.B)))
        for part in np.array_split(np.arange(len(boxes)), -(-len(boxes) // most)):
            few = boxes.take(part)
            self._push(_Group(group.output, group.sign, group.back, group.face.on(few), few, 1))

    def _push(self, group: _Group) -> None:
        self.pushed += 1
        heapq.heappush(self.heap, (-float(group.boxes.value.max()) - self.rounding, self.pushed, group))


def power_of_two(M: Matrix) -> float:
    """A power of two near the largest entry, 1 if all are 0."""
    most = float(np.abs(M).max(initial=0.0))
    return 2.0 ** int(np.floor(np.log2(most))) if most > 0.0 else 1.0

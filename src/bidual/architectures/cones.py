"""The largest neuron score of few dimensions: boxes on all faces of a cube at once, level by level."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bidual.architectures.boxes import NARROWEST, power_of_two
from bidual.operators.faces import SMALLEST, Boxes, shortest
from bidual.typing import Matrix, Outputs, Places, Rows, Vector

ENTRIES = 1 << 18
"""Boxes times rows that are bounded together: they stay in the cache."""

STEPS = 2
"""Steps towards the best linear function in place of the concave terms."""


@dataclass(frozen=True)
class _Cones:
    """B boxes in the coordinates of their face, the last of which is 1; ``target``: for which output and sign."""

    boxes: Boxes
    face: Places
    target: Places

    def __len__(self) -> int:
        return self.face.size

    def take(self, which: Places) -> _Cones:
        return _Cones(self.boxes.take(which), self.face[which], self.target[which])

    def quartered(self) -> _Cones:
        """Each box halved across its widest axis, twice: together they cover it."""
        boxes = self.boxes
        for _ in range(2 if boxes.low.shape[1] else 0):
            boxes = boxes.halved(boxes.radius.argmax(axis=1))
        each = np.repeat(np.arange(len(self)), len(boxes) // max(len(self), 1))
        return _Cones(boxes, self.face[each], self.target[each])


class ConeSearch:
    """As :class:`~bidual.architectures.boxes.BoxSearch`, for two or three columns and many searches.

    All faces, outputs and signs are bounded together, with bounds that take fewer operations: where ``z = x_i'w`` lies
    in ``z_c -+ z_r`` on a box and ``rho = z_c / z_r``, clipped to [-1, 1], the chord is ``|z| <= rho z + z_r (1 -
    rho^2)``, and ``-|z| <= -beta z`` for every beta in [-1, 1], rho to begin with. Their sum is linear on the cone of
    the box, where its length bounds ``score(w) / |w|`` (:func:`~bidual.operators.faces.shortest`).

    Rounding is that of BoxSearch; an interval that is too short by delta makes a chord fail by at most 2 delta.
    """

    def __init__(self, X: Rows, V: Outputs, slope: float):
        (n, p), self.unit, self.size = X.shape, power_of_two(X), power_of_two(V)
        mass = float((np.abs(V / self.size).T @ np.linalg.norm(X / self.unit, axis=1)).max(initial=0.0))
        self.rounding = 4.0 * (n + p * p + p + 20) * float(np.finfo(float).eps) * np.sqrt(p + 1) * mass
        X, V = _merged(X, V)
        self.X, self.V, self.slope = X / self.unit, V / self.size, slope
        signed = np.stack([self.V.T, -self.V.T], axis=1).reshape(-1, len(X))
        self.parts = [self._split(v) for v in signed]
        self.order = np.repeat([np.append(np.delete(np.arange(p), axis), axis) for axis in range(p)], 2, axis=0)
        self.end = np.tile([1.0, -1.0], p)
        self.count, self.settled = 0, 0.0
        target, face = (part.ravel() for part in np.indices((len(signed), 2 * p)))
        ones = np.ones((face.size, p - 1))
        boxes = Boxes(-ones, ones, np.zeros((face.size, p)), np.full(face.size, np.inf))
        self.open = _Cones(boxes, face, target).quartered()

    @property
    def bound(self) -> float:
        """No unit neuron scores more."""
        return max(self.settled, float(self.open.boxes.value.max(initial=0.0))) * self.unit * self.size

    @property
    def done(self) -> bool:
        """True if no box is left to halve."""
        return len(self.open) == 0

    def step(self, enough: float) -> tuple[int, int, Vector]:
        """Bound all boxes, and divide those with a bound above ``enough``. Returns the output, the sign and the
        direction u (p,) where the largest of their bounds is reached."""
        enough = enough / self.unit / self.size
        divided, reached = [], []
        each = max(8, ENTRIES // max(len(self.X), 1))
        for target in np.unique(self.open.target):
            mine = np.flatnonzero(self.open.target == target)
            for start in range(0, len(mine), each):
                part = self.open.take(mine[start : start + each])
                value, U = self._bounded(part, self.parts[target], enough)
                top = int(value.argmax())
                reached.append((float(value[top]), int(target), U[top]))
                open_ = (value > enough) & (part.boxes.high - part.boxes.low > NARROWEST).any(axis=1)
                self.settled = max(self.settled, float(value[~open_].max(initial=0.0)))
                divided.append(replace(part, boxes=replace(part.boxes, value=value)).take(np.flatnonzero(open_)))
        self.count += len(self.open)
        self.open = _joined(divided).quartered()
        _, place, u = max(reached, key=lambda entry: entry[0])
        return place // 2, 1 - 2 * (place % 2), u

    def score(self, output: int, sign: int, u: Vector) -> float:
        """What the unit neuron of direction u scores."""
        z = self.X @ (u / (float(np.linalg.norm(u)) or 1.0))
        return float(sign * self.V[:, output] @ np.where(z > 0, z, self.slope * z)) * self.unit * self.size

    def prove(self, value: float, limit: int) -> float:
        """A bound of at most ``value``; inf where there is none, or none with less than ``limit`` boxes."""
        while self.bound > value:
            if self.done or self.count >= limit or self.score(*self.step(value)) > value:
                return np.inf
        return self.bound

    def _split(self, v: Vector) -> tuple[Matrix, Matrix, Vector]:
        """(A, B, c): ``sum_i v_i phi(x_i'w) = c'w + sum_i |a_i'w| - sum_j |b_j'w|``."""
        half = 0.5 * (1.0 - self.slope) * np.abs(v)[:, None] * self.X
        return half[v > 0], half[v < 0], 0.5 * (1.0 + self.slope) * (v @ self.X)

    def _bounded(self, cones: _Cones, terms: tuple[Matrix, Matrix, Vector], enough: float) -> tuple[Vector, Matrix]:
        """(values, U (b, p)): bounds on the boxes, and the directions where they are reached."""
        boxes, ones, (A, B, c) = cones.boxes, np.ones(len(cones)), terms
        center = self._out(cones, np.column_stack([boxes.center, ones]))
        radius = np.abs(self._out(cones, np.column_stack([boxes.radius, 0.0 * ones])))
        rho, width = _slopes(center, radius, A)
        fixed = self._in(cones, rho @ A + c)
        fixed[:, -1] += np.vecdot(width, 1.0 - rho * rho)
        pull = self._in(cones, -_slopes(center, radius, B)[0] @ B)
        near = shortest(fixed + pull, boxes)
        value = np.linalg.norm(near, axis=1)
        for _ in range(STEPS):
            open_ = np.flatnonzero(value + self.rounding > enough)
            some, now = cones.take(open_), near[open_]
            step = self._in(some, -np.sign(self._out(some, now.copy()) @ B.T) @ B) - pull[open_]
            share = np.clip(-np.vecdot(now, step) / np.maximum(np.vecdot(step, step), SMALLEST), 0.0, 1.0)
            moved = pull[open_] + share[:, None] * step
            closer = shortest(fixed[open_] + moved, some.boxes)
            length = np.linalg.norm(closer, axis=1)
            better = length < value[open_]
            place = open_[better]
            pull[place], near[place], value[place] = moved[better], closer[better], length[better]
        return np.minimum(value + self.rounding, boxes.value), self._out(cones, near)

    def _out(self, cones: _Cones, a: Matrix) -> Matrix:
        """(B, p): from the coordinates of the faces to those of the rows."""
        out = np.empty_like(a)
        a[:, -1] *= self.end[cones.face]
        np.put_along_axis(out, self.order[cones.face], a, axis=1)
        return out

    def _in(self, cones: _Cones, a: Matrix) -> Matrix:
        """(B, p): from the coordinates of the rows to those of the faces."""
        inside = np.take_along_axis(a, self.order[cones.face], axis=1)
        inside[:, -1] *= self.end[cones.face]
        return inside


def _slopes(center: Matrix, radius: Matrix, rows: Matrix) -> tuple[Matrix, Matrix]:
    """(rho (b, r), z_r (b, r)) on boxes (b, p) for rows (r, p)."""
    rho, width = center @ rows.T, radius @ np.abs(rows).T
    np.divide(rho, np.maximum(width, SMALLEST), out=rho)
    return np.clip(rho, -1.0, 1.0, out=rho), width


def _merged(X: Rows, V: Outputs) -> tuple[Rows, Outputs]:
    """The distinct rows, and the sums of the dual vector over each."""
    order = np.lexsort(X.T)
    X, V = X[order], V[order]
    first = np.flatnonzero(np.append(True, (X[1:] != X[:-1]).any(axis=1)))
    return X[first], np.add.reduceat(V, first, axis=0)


def _joined(parts: list[_Cones]) -> _Cones:
    """All boxes in one."""
    boxes = Boxes(*(np.concatenate([getattr(part.boxes, name) for part in parts]) for name in Boxes.__annotations__))
    return _Cones(boxes, *(np.concatenate([getattr(part, name) for part in parts]) for name in ("face", "target")))

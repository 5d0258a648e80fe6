"""A point of the ball as a mixture of atoms, and the Frank-Wolfe steps from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bidual.architectures import Neurons
from bidual.problem import Problem
from bidual.solvers.inner.line_search import best_intercept, best_step
from bidual.solvers.inner.master import Amplitudes, solve_master
from bidual.solvers.prune import prune
from bidual.typing import Matrix, Outputs, Vector


@dataclass(frozen=True)
class Atoms:
    """``F = sum_j t_j activation_j a_j' + 1 b'`` with ``sum t + rest = radius``: a mixture of the ball's atoms
    ``radius activation_j a_j'`` and, with mass ``rest``, of its centre.

    H : (n, m), the activations.
    """

    problem: Problem
    neurons: Neurons
    H: Matrix
    t: Vector
    b: Vector
    F: Outputs
    radius: float

    @classmethod
    def of(cls, problem: Problem, neurons: Neurons, t: Vector, b: Vector, radius: float) -> Atoms:
        """The point with the given amplitudes."""
        H = problem.architecture.activations(problem.lifted, neurons)
        return cls(problem, neurons, H, t, b, (H * t) @ neurons.outputs.T + b, radius)

    @property
    def rest(self) -> float:
        """The mass of the centre."""
        return max(self.radius - float(self.t.sum()), 0.0)

    def join(self, neuron: Neurons) -> Atoms:
        """With one more atom, of mass 0; one that is there already is the last thereafter."""
        h = self.problem.architecture.activations(self.problem.lifted, neuron)
        same = (self.H == h).all(axis=0) & (self.neurons.outputs == neuron.outputs).all(axis=0)
        if same.any():
            order = np.append(np.flatnonzero(~same), np.flatnonzero(same)[:1])
            return replace(self, neurons=self.neurons.take(order), H=self.H[:, order], t=self.t[order])
        joined, H = self.neurons.join(neuron), np.hstack([self.H, h])
        return replace(self, neurons=joined, H=H, t=np.append(self.t, 0.0))

    def scores(self, V: Outputs) -> Vector:
        """(m,): the score of each atom's neuron against V."""
        return np.einsum("nm,nm->m", V @ self.neurons.outputs, self.H)

    def move(self, direction: Vector, step: float) -> Atoms:
        """``t + step direction``, atoms without mass dropped, and the best intercept.

        Once there are twice as many atoms as any point needs, the simplex method leaves what it needs.
        """
        t = np.maximum(self.t + step * direction, 0.0)
        keep = t > 1e-15 * self.radius
        neurons, t = self.neurons.take(keep), t[keep]
        if len(neurons) > 2 * self.problem.Y.size:
            neurons, t = prune(self.problem, neurons, t)
            moved = Atoms.of(self.problem, neurons, t, self.b, self.radius)
        else:
            H = self.H[:, keep]
            F = (H * t) @ neurons.outputs.T + self.b
            moved = replace(self, neurons=neurons, H=H, t=t, F=F)
        F, b = best_intercept(self.problem, moved.F, self.b)
        return replace(moved, F=F, b=b)

    def searched(self, direction: Vector, longest: float) -> Atoms:
        """Along the direction to the minimum, at most ``longest`` of it."""
        D = (self.H * direction) @ self.neurons.outputs.T
        return self.move(direction, best_step(self.problem, self.F, D, longest))


def open_loop(atoms: Atoms, V: Outputs, iteration: int) -> Atoms:
    """``2 / (t + 1)`` of the way to the last atom, t = 1, 2, ... (Algorithm 2 of d'Aspremont & Pilanci 2020)."""
    return atoms.move(_towards(atoms), 2.0 / (iteration + 1))


def line_search(atoms: Atoms, V: Outputs, iteration: int) -> Atoms:
    """To the minimum on the way to the last atom."""
    return atoms.searched(_towards(atoms), 1.0)


def away(atoms: Atoms, V: Outputs, iteration: int) -> Atoms:
    """Towards the last atom, or away from the worst one in use, whichever falls more steeply (Guelat & Marcotte 1986;
    Lacoste-Julien & Jaggi 2015)."""
    scores, worst = atoms.scores(V), _worst(atoms, V)
    here = float(scores @ atoms.t)
    mass, its = (atoms.rest, 0.0) if worst is None else (float(atoms.t[worst]), float(scores[worst]))
    if atoms.radius * scores[-1] - here >= here - atoms.radius * its or mass >= atoms.radius * (1 - 1e-15):
        return line_search(atoms, V, iteration)
    direction = atoms.t.copy()
    if worst is not None:
        direction[worst] -= atoms.radius
    return atoms.searched(direction, mass / (atoms.radius - mass))


def pairwise(atoms: Atoms, V: Outputs, iteration: int) -> Atoms:
    """Mass goes from the worst atom in use to the last one (Lacoste-Julien & Jaggi 2015)."""
    return _shifted(atoms, _worst(atoms, V), len(atoms.t) - 1)


def blended(atoms: Atoms, V: Outputs, iteration: int) -> Atoms:
    """Mass goes from the worst atom in use to the best one in use, while that falls more steeply than the way to the
    last atom (Tsuji, Tanaka & Pokutta 2022)."""
    scores, worst = atoms.scores(V), _worst(atoms, V)
    used = np.where(atoms.t > 0, scores, -np.inf)
    best = int(np.argmax(used))
    its = 0.0 if worst is None else float(scores[worst])
    if atoms.radius * (used[best] - its) >= atoms.radius * scores[-1] - float(scores @ atoms.t):
        return _shifted(atoms, worst, best)
    return line_search(atoms, V, iteration)


def fully_corrective(atoms: Atoms, V: Outputs, iteration: int) -> Atoms:
    """The best point of all mixtures of the atoms."""
    solved: Amplitudes = solve_master(atoms.problem, atoms.neurons, atoms.t, atoms.b)
    kept = solved.t > 0
    return Atoms.of(atoms.problem, atoms.neurons.take(kept), solved.t[kept], solved.b, atoms.radius)


def _towards(atoms: Atoms) -> Vector:
    """From here to the last atom."""
    direction = -atoms.t
    direction[-1] += atoms.radius
    return direction


def _worst(atoms: Atoms, V: Outputs) -> int | None:
    """The atom in use that scores least; None for the centre, which scores 0."""
    scores = np.where(atoms.t > 0, atoms.scores(V), np.inf)
    worst = int(np.argmin(scores))
    return None if atoms.rest > 1e-15 * atoms.radius and scores[worst] > 0 else worst


def _shifted(atoms: Atoms, giver: int | None, taker: int) -> Atoms:
    direction = np.zeros_like(atoms.t)
    direction[taker] += 1.0
    if giver is not None:
        direction[giver] -= 1.0
    return atoms.searched(direction, atoms.rest if giver is None else float(atoms.t[giver]))

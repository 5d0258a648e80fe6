"""A working set of blocks: the finite programs without cones whose blocks are too many for every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bidual.penalties import Strength
from bidual.program import Blocks, Program
from bidual.solvers.inner.active_blocks import ActiveBlocks
from bidual.solvers.inner.group_newton import group_newton, single
from bidual.solvers.inner.preconditioner import moments
from bidual.solvers.inner.proximal_point import Step
from bidual.typing import Expired, Masks, Matrix, Outputs, Vector

FIRST, SHARE = 50, 0.1
"""Blocks that may join at a time, for each output, or as a share of all."""

IDLE = 3
"""Rounds without a smaller gap after which the method ends."""

REACH = 30.0
"""What bounds the first steps of a round, which the blocks of the round before should survive."""

NEAR = 0.8
"""The share of the strength below whose score a block that is 0 is dropped."""


def working_blocks(program: Program, start: Blocks, b: Vector, tol: float, expired: Expired) -> Iterator[Step[Blocks]]:
    """Steps of :func:`~bidual.solvers.inner.group_newton.group_newton` on few blocks, with gaps over all of them.

    Solve on the blocks that are not 0 or score about the strength, and those that score most; score all blocks against
    the dual vector, which certifies it; repeat. No more join at a time than there are, or a small share of all. Each
    round is as precise as a small share of the gap before it, or ``tol``, asks for. ``start`` lists the blocks that are
    not 0.
    """
    problem, c = program.problem, program.problem.n_outputs
    if not program.large:
        yield from group_newton(program, _with(program.blocks(), start, c), b, expired)
        return
    assert isinstance(problem.penalty, Strength)
    beta, best, idle, u = problem.penalty.beta, 1.0, 0, start
    V, about = problem.dual_vector(_predicted(program, u, b)), moments(program.data)
    scores, listed = program.data.lengths(single(V)), np.zeros((len(program.patterns), c), dtype=bool)
    while idle < IDLE and not expired():
        listed &= scores >= NEAR * beta
        listed[u.pattern, u.output] = True
        most = max(FIRST * c, int(SHARE * scores.size), u.pattern.size)
        listed |= _largest(np.where(listed | (scores <= beta), 0.0, scores), most)
        pattern, output = np.nonzero(listed)
        blocks = Blocks(pattern, output, np.zeros((pattern.size, program.data.shape[1])))
        goal, step = max(0.1 * best, 0.3 * tol), None
        for step in group_newton(program, _with(blocks, u, c), b, expired, about, REACH):
            if step.gap <= goal:
                break
        if step is None:
            return
        u, b, V = step.U, step.b, step.V
        scores = program.data.lengths(single(V))
        primal = problem.loss_value(_predicted(program, u, b)) + beta * float(np.linalg.norm(u.weight, axis=1).sum())
        gap = (primal - problem.dual(V, float(scores.max()))) / max(abs(primal), 1e-300)
        best, idle = min(best, gap), 0 if gap < best else idle + 1
        yield replace(step, gap=gap)


def _predicted(program: Program, u: Blocks, b: Vector) -> Outputs:
    """(n, c), in double precision."""
    blocks = ActiveBlocks(program.data, u.pattern, u.output, program.problem.n_outputs)
    return blocks.forward(u.weight) + b


def _with(blocks: Blocks, u: Blocks, c: int) -> Blocks:
    """The blocks, in order, with the weights of u, which are among them."""
    blocks.weight[np.searchsorted(blocks.pattern * c + blocks.output, u.pattern * c + u.output)] = u.weight
    return blocks


def _largest(scores: Matrix, count: int) -> Masks:
    """Where the ``count`` largest positive scores are."""
    if np.count_nonzero(scores) <= count:
        return scores > 0.0
    return scores >= np.partition(scores, -count, axis=None)[-count]

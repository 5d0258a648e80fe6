"""Proving a bound again, from the data, the dual vector and what the bound carries."""

from __future__ import annotations

import numpy as np

from bidual.architectures.arrangement import count_cells, covers_faces
from bidual.architectures.base import Witness
from bidual.architectures.patterns import Patterns, first_of_each
from bidual.certificate.bound import (
    PROVES,
    Bound,
    DualPoint,
    Scope,
    branched_point,
    combined_point,
    norm_point,
    semidefinite_point,
    sweep_point,
)
from bidual.errors import CertificateError, RefusedError
from bidual.problem import Problem
from bidual.typing import Outputs

SPARE = 10_000
"""Boxes beyond twice those of the search that a proof may take."""


def verify_bound(problem: Problem, point: DualPoint, rtol: float = 1e-9) -> None:
    """Raise CertificateError unless ``point.bound`` is proven by what it carries."""
    bound, V = point.bound, point.V
    if _proven_scope(bound) != bound.scope:
        raise CertificateError(f"a bound by {bound.method!r} proves nothing of scope {bound.scope!r}")
    if V.shape != problem.Y.shape or V.dtype.kind != "f" or not np.isfinite(V).all():
        raise CertificateError(f"the dual vector has shape {V.shape}, the targets {problem.Y.shape}, or is not finite")
    if bound.method in ("norms", "closed form"):
        proven = norm_point(problem, V).bound
        if proven.method != bound.method:
            raise CertificateError(f"the bound is stated by {bound.method!r}, its proof is by {proven.method!r}")
        value = proven.value
    elif bound.method == "sweep":
        swept = sweep_point(problem, V)
        if swept is None:
            name = type(problem.architecture).__name__
            raise CertificateError(f"no sweep proves a bound of {name} units on these rows")
        value = swept.bound.value
    elif bound.method == "semidefinite":
        if bound.touch is None or bound.touch.shape != (problem.n_outputs, 2, V.shape[0]):
            raise CertificateError("a bound by 'semidefinite' needs an enclosure for each output, sign and row")
        value = semidefinite_point(problem, V, bound.touch).bound.value
    elif bound.method == "convex combination":
        value = _proven_combination(problem, point, rtol)
    elif bound.method == "branch and bound" and bound.boxes is not None:
        if not isinstance(bound.boxes, int):
            raise CertificateError(f"the number of boxes that were searched is {bound.boxes!r}, which is no number")
        # It searches again: the last bit of a bound, and so a box more or less, may depend on the machine.
        most, limit = bound.value * (1 + 0.5 * rtol), 2 * bound.boxes + SPARE
        value = problem.architecture.box_bound(problem.lifted, V, most, limit)
    elif bound.method == "branch and bound":
        if bound.branches is None or not bound.branches.formed(*V.shape):
            raise CertificateError(
                "a bound by 'branch and bound' needs leaves: an output, a sign and sides of the rows"
            )
        if bound.patterns is not None:
            _check_form(problem, bound.patterns, None)
            _check_complete(problem, bound.patterns)
        value = branched_point(problem, V, bound.branches, bound.patterns).bound.value
    else:
        if bound.patterns is None:
            raise CertificateError(f"a bound by {bound.method!r} needs its list of patterns")
        _check_form(problem, bound.patterns, bound.witness)
        if bound.method == "enumeration":
            _check_complete(problem, bound.patterns)
        value = problem.architecture.bound_by_witness(problem.lifted, bound.patterns, V, bound.witness)
    if not bound.value >= value * (1 - rtol):
        raise CertificateError(f"the neuron bound is stated as {bound.value!r} but only {value!r} is proven")


def _proven_scope(bound: Bound) -> Scope | None:
    """What the method proves; None of an unknown one."""
    if bound.method != "convex combination":
        return PROVES.get(bound.method)
    if not bound.parts:
        return None
    return "global" if all(part.bound.scope == "global" for _, part in bound.parts) else "patterns"


def _proven_combination(problem: Problem, point: DualPoint, rtol: float) -> float:
    """The bound that the parts prove, each proven itself; those of scope patterns over the list of the combination."""
    parts = point.bound.parts
    if not all(weight > 0 for weight, _ in parts):
        raise CertificateError(f"a convex combination needs positive weights, got {[weight for weight, _ in parts]}")
    for _, part in parts:
        verify_bound(problem, part, rtol)
        listed = part.bound.patterns
        if part.bound.scope == "patterns" and (listed is None or not listed.same_as(point.bound.patterns)):
            raise CertificateError("a part of the convex combination is proven on another list of patterns")
    proven = combined_point(parts)
    if not np.array_equal(proven.V, point.V):
        raise CertificateError("the dual vector is not the combination of its parts")
    return proven.bound.value


def witness_point(problem: Problem, V: Outputs, patterns: Patterns, witness: Witness) -> DualPoint:
    """V with the bound that given multipliers prove over the patterns; they need not be the best ones."""
    value = problem.architecture.bound_by_witness(problem.lifted, patterns, V, witness)
    return DualPoint(V, Bound(value, "patterns", "projection", patterns, witness))


def _check_form(problem: Problem, patterns: Patterns, witness: Witness | None) -> None:
    """Masks are of the rows, and multipliers of listed patterns, outputs, signs and rows; none is negative."""
    bits, gates = patterns.bits, patterns.gates
    (n, p), P, c = problem.lifted.shape, len(patterns), problem.n_outputs
    if bits.n != n or gates.shape[1:] != (P,) or not problem.architecture.has_gates(gates, p):
        raise CertificateError(f"masks of {bits.n} rows, gates of shape {gates.shape} and type {gates.dtype}")
    if witness is None:
        return
    blocks, start, rows = witness.blocks, witness.start, witness.rows
    formed = (
        blocks.dtype.kind == start.dtype.kind == rows.dtype.kind == "i"
        and witness.values.dtype.kind == "f"
        and start.ndim == 1
        and blocks.shape == (start.size - 1, 3)
        and rows.shape == witness.values.shape == (int(start[-1]),)
        and bool((np.diff(start) >= 0).all())
        and bool(((blocks[:, :2] >= 0) & (blocks[:, :2] < [P, c])).all() and (np.abs(blocks[:, 2]) == 1).all())
        and bool(((rows >= 0) & (rows < n)).all())
    )
    if not formed:
        raise CertificateError("the witness is not about the listed patterns, the outputs, two signs and the rows")
    if not (witness.values >= 0).all():
        raise CertificateError("the witness has negative multipliers")


def _check_complete(problem: Problem, patterns: Patterns) -> None:
    """Every listed mask is a cell with its gate strictly inside, all are different, and their number is that of all
    cells."""
    Xl = problem.lifted
    if problem.architecture.faces and not covers_faces(Xl, patterns):
        raise CertificateError("a gate on a hyperplane can open rows that no listed pattern opens together")
    rows = np.any(Xl != 0, axis=1)
    Z = Xl @ patterns.gates
    if not (np.abs(Z) > 1e-14 * (np.abs(Xl) @ np.abs(patterns.gates)))[rows].all():
        raise CertificateError("a listed gate lies on a hyperplane, so it proves no cell")
    if not np.array_equal(Z[rows] > 0, patterns.masks[rows]):
        raise CertificateError("a listed mask is not the pattern of its gate")
    try:
        complete = count_cells(Xl, len(patterns)) == len(patterns)
    except RefusedError as error:
        raise CertificateError(f"the cells cannot be counted: {error}") from error
    if not complete or first_of_each(patterns.masks[rows]).size != len(patterns):
        raise CertificateError(f"the list of {len(patterns)} patterns is not the list of all cells")

"""What an answer is worth: one measure for all, in double precision, by the library's own objective."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bidual.bench import Posed
from bidual.certificate import pattern_point
from bidual.network import Layer, Network
from bidual.program import Program

AGREES = 1e-10
"""The relative difference up to which a peer's own objective, converted, is the library's."""


ENOUGH = 1e-6
"""An answer further than this from the bound shows its own: the bound may be what is not good enough."""


def read(folder: Path, posed: Posed, bound: float | None) -> list[dict[str, Any]]:
    """Every answer in the folder, judged: its facts as they are, with

    ``objective``: the library's, of the blocks or the network. ``outside``: how far a row lies on the wrong side of a
    block's cone, over the largest prediction of a block. ``conversion``: the relative difference to the peer's own
    objective, converted. ``dual``, of the last answer if it is far from the ``bound`` known so far: the lower bound
    that its own residual proves.
    """
    judged = []
    for path in sorted(folder.glob("[0-9]*[0-9].npz")):
        with np.load(path) as file:
            arrays = {name: file[name] for name in file}
        facts = {name: value.item() for name, value in arrays.items() if value.ndim == 0}
        converted = facts.pop("converted", None)
        objective, outside = value(posed, arrays)
        facts |= {"objective": objective, "outside": outside}
        if converted is not None:
            facts["conversion"] = abs(converted - objective) / abs(objective)
        judged.append(facts)
    whole = posed.cell.kind == "network"
    if judged and not whole and "dual" not in judged[-1] and (bound is None or accuracy(judged[-1], bound) > ENOUGH):
        judged[-1]["dual"] = proven(posed, arrays)
    return judged


def proven(posed: Posed, answer: dict[str, Any]) -> float:
    """The lower bound over the listed patterns from the gradient of the loss at an answer's blocks."""
    problem = posed.problem
    F = Program(problem, posed.patterns).forward(answer["U"], np.zeros(problem.n_outputs))
    return pattern_point(problem, problem.dual_vector(F), posed.patterns, 0.0)[0].value(problem)


def value(posed: Posed, answer: dict[str, Any]) -> tuple[float, float]:
    """(objective, outside) of an answer."""
    problem = posed.problem
    if "U" not in answer:
        hidden = Layer(answer["weights"], answer["biases"], "relu")
        network = Network((hidden, Layer(answer["outputs"], answer["intercept"])))
        return problem.objective(network), 0.0
    program = Program(problem, posed.patterns)
    U = answer["U"]
    objective = program.objective(U, np.zeros(problem.n_outputs))
    if not program.coned:
        return objective, 0.0
    largest = float(np.abs(np.einsum("np,jspc->njsc", problem.lifted, U)).max())
    return objective, program.violation(U) / max(largest, 1e-300)


def accuracy(answer: dict[str, Any], lowest: float) -> float:
    """The relative distance from the certified bound, or what lies outside the cones if that is more."""
    return max((answer["objective"] - lowest) / answer["objective"], answer["outside"])

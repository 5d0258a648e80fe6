"""The library itself: its solver for the problem, from the start to each tolerance, the smallest first in case the cap
is reached, and to a smaller one in the end, whose bound judges the others."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from protocol import Answer, begin

from bidual.bench import TOLERANCES, Cell, Posed, measure, pose


def answer(posed: Posed, network) -> Answer:
    """The network, or its blocks on the listed patterns."""
    hidden, last = network.layers
    if posed.cell.kind == "network":
        outputs, intercept = last.weight, last.bias
        return {"weights": hidden.weight, "biases": hidden.bias, "outputs": outputs, "intercept": intercept}
    neurons, t = posed.problem.architecture.from_network(network)
    p, c = posed.problem.lifted.shape[1], posed.problem.n_outputs
    U = np.zeros((len(posed.patterns), 2, p, c))
    places = posed.problem.architecture.lies_on(posed.problem.lifted, neurons, posed.patterns).argmax(axis=1)
    for j, pattern in enumerate(places):
        side = int(posed.cell.kind == "cones" and neurons.outputs[:, j].sum() < 0)
        U[pattern, side] += (-1.0) ** side * t[j] * np.outer(neurons.inputs[:, j], neurons.outputs[:, j])
    return {"U": U if posed.cell.kind == "cones" else U[:, 0]}


def main() -> None:
    task, write = begin()
    cell = json.loads(task.cell)
    posed = pose(Cell(**{**cell, "size": tuple(cell["size"])}))
    spent, *others, smallest = 0.0, *TOLERANCES
    for tol in (smallest, *others, 0.1 * smallest):
        measured = measure(posed, tol, task.cap if spent == 0.0 else min(task.cap - spent, 2.0 * spent + 2.0))
        certificate = measured.solution.certificate
        write(
            answer(posed, measured.solution.network),
            label=f"tol {tol:g}",
            cpu=measured.cpu,
            wall=measured.wall,
            passes=measured.passes,
            dual=certificate.dual,
            gap=certificate.relative_gap,
            scope=certificate.scope,
            status=str(measured.solution.status),
            neurons=measured.solution.network.n_neurons,
        )
        spent += measured.cpu
        if spent > task.cap:
            return


if __name__ == "__main__":
    main()

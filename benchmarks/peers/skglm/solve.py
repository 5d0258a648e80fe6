"""skglm 0.5, block coordinate descent with working sets on the expanded matrix: the mean of the losses, so
``alpha = strength / n``. Its tolerance is the largest distance of a group from the subdifferential, here over alpha."""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from protocol import Answer, Task, by_output, ladder
from skglm.datafits.group import LogisticGroup, QuadraticGroup
from skglm.penalties import WeightedGroupL2
from skglm.solvers import GroupBCD
from skglm.utils.data import grp_converter
from skglm.utils.jit_compilation import compiled_clone


def solve(task: Task, tol: float) -> Answer:
    n, p = task.X.shape
    A, y = task.expanded(), task.Y[:, 0]
    alpha = task.strength / n
    indices, pointers = grp_converter(p, A.shape[1])
    penalty = WeightedGroupL2(alpha, np.ones(task.n_patterns), pointers, indices)
    datafit = (QuadraticGroup if task.loss == "squared" else LogisticGroup)(pointers, indices)
    u = GroupBCD(max_iter=1000, max_epochs=10_000, tol=tol * alpha).solve(A, y, datafit, penalty)[0]

    def own() -> float:
        return compiled_clone(datafit).value(y, u, A @ u) + compiled_clone(penalty).value(u)

    return {"U": u.reshape(-1, p, 1), "converted": lambda: n * own()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    ladder(by_output(solve), [10.0**-k for k in range(1, 10)])

"""pyscnn 0.0.10, R-FISTA (gated) and the augmented Lagrangian (cones) in float64: ``1/(2 n c) ||F - Y||^2 +
lambda sum ||u||``, so ``lambda = strength / (n c)``. Squared loss only.

Data are not unitised, which would change the norms. It sorts the patterns: blocks are brought back into their order.
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from protocol import Answer, Task, ladder
from scnn.activations import compute_activation_patterns
from scnn.metrics import Metrics
from scnn.models import ConvexGatedReLU, ConvexReLU
from scnn.optimize import optimize_model
from scnn.regularizers import NeuronGL1
from scnn.solvers import AL, RFISTA


def solve(task: Task, tol: float) -> Answer:
    (n, p), c, P = task.X.shape, task.Y.shape[1], task.n_patterns
    gated = task.kind == "gated"
    model = (ConvexGatedReLU if gated else ConvexReLU)(task.gates, c=c)
    if gated:
        solver = RFISTA(model, max_iters=10**7, tol=tol)
    else:
        solver = AL(model, max_primal_iters=10**7, max_dual_iters=10**7, tol=tol, constraint_tol=tol)
    metrics = Metrics(metric_freq=10**9, objective=False, grad_norm=False, time=False, model_loss=True)
    model, metrics = optimize_model(
        model,
        solver,
        metrics,
        task.X,
        task.Y,
        regularizer=NeuronGL1(task.strength / (n * c)),
        return_convex=True,
        unitize_data=False,
        dtype="float64",
    )
    theirs = compute_activation_patterns(task.X, task.gates)[0] > 0
    place = {mask.tobytes(): j for j, mask in enumerate(np.ascontiguousarray(task.masks.T))}
    order = [place[mask.tobytes()] for mask in np.ascontiguousarray(theirs.T)]
    U = np.zeros((P, len(model.parameters), p, c))
    for side, weights in enumerate(model.parameters):
        U[order, side] = np.transpose(weights, (1, 2, 0))
    return {"U": U[:, 0] if gated else U, "converted": float(metrics.model_loss[-1]) * n * c}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    ladder(solve, [10.0**-k for k in range(3, 17)])

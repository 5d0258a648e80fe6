"""adelie 1.1.52 with its own matrix of masked data: weights sum to 1, so ``lambda = strength / n``, and the penalty
factors are ones instead of the roots of the group sizes.

``1/n sum (f^2 / 2 - y f)`` lacks the constant ``1/n sum y^2 / 2``; the logistic loss wants y in {0, 1}. The pairs of
blocks in cones are constrained groups.
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import adelie as ad
import numpy as np
from protocol import Answer, Task, by_output, ladder


def solve(task: Task, tol: float) -> Answer:
    (n, p), P = task.X.shape, task.n_patterns
    X, y = np.asfortranarray(task.X), np.ascontiguousarray(task.Y[:, 0])
    masks = np.asfortranarray(task.masks)
    gated, squared = task.kind == "gated", task.loss == "squared"
    A = ad.matrix.convex_relu(X, masks, gated=gated)
    G = P if gated else 2 * P
    glm = ad.glm.gaussian(y=y) if squared else ad.glm.binomial(y=(y + 1.0) / 2.0)
    state = ad.grpnet(
        A,
        glm,
        constraints=None if gated else _cones(X, masks, tol),
        groups=p * np.arange(G),
        penalty=np.ones(G),
        lmda_path=np.array([task.strength / n]),
        intercept=False,
        early_exit=False,
        progress_bar=False,
        tol=tol,
        irls_tol=tol,
    )
    if state.betas.shape[0] == 0:
        raise RuntimeError("adelie gave no solution")
    u = np.asarray(state.betas.todense()).ravel()
    blocks = u.reshape(G, p)
    constant = 0.5 * float(y @ y) if squared else 0.0

    def own() -> float:
        f = np.zeros(n)
        A.btmul(0, A.cols(), u, f)
        return glm.loss(f) + state.lmdas[0] * np.linalg.norm(blocks, axis=1).sum()

    U = blocks[:, :, None] if gated else np.stack([blocks[:P], blocks[P:]], axis=1)[..., None]
    return {"U": U, "converted": lambda: n * own() + constant}


def _cones(X: np.ndarray, masks: np.ndarray, tol: float) -> list:
    """``0 <= (2 D_j - 1) X u`` for both blocks of each pair. Of its inner tolerances this one limits the accuracy."""
    n, configs = len(X), {"pinball_tol": min(tol, 1e-7), "max_iters": 10_000}
    sides = [np.ascontiguousarray(np.where(mask[:, None], X, -X)) for mask in masks.T]
    return [ad.constraint.linear(A, np.zeros(n), np.full(n, np.inf), configs=configs) for _ in range(2) for A in sides]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    ladder(by_output(solve), [10.0**-k for k in range(3, 14)])

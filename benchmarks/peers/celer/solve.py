"""celer 0.7.4 on the expanded matrix: ``1/(2n) ||y - A u||^2 + alpha sum_g ||u_g||``, so ``alpha = strength / n``.

Its tolerance is a duality gap over ``||y||^2 / n``. It has no logistic loss with groups.
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from celer import GroupLasso
from protocol import Answer, Task, by_output, ladder


def solve(task: Task, tol: float) -> Answer:
    n, p = task.X.shape
    A, y = task.expanded(), task.Y[:, 0]
    alpha = task.strength / n
    model = GroupLasso(groups=p, alpha=alpha, tol=tol, fit_intercept=False, max_iter=1000)
    u = model.fit(A, y).coef_

    def own() -> float:
        return np.sum((y - A @ u) ** 2) / (2 * n) + alpha * np.linalg.norm(u.reshape(-1, p), axis=1).sum()

    return {"U": u.reshape(-1, p, 1), "converted": lambda: n * own()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    ladder(by_output(solve), [10.0**-k for k in range(2, 13)])

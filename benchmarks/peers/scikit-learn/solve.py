"""scikit-learn's MLP with L-BFGS, and with Adam in batches: the mean of the losses plus ``alpha / (2 n)`` times the
squared weights of both layers, n being the rows of a batch; biases are free. So ``alpha = strength`` for L-BFGS, and
``strength * batch / n`` for Adam. As many neurons as there are patterns.
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from protocol import Answer, Task, ladder
from sklearn.neural_network import MLPClassifier, MLPRegressor

BATCH = 200


def solve(task: Task, step: float) -> Answer:
    """``step`` counts the iterations: 10^step of L-BFGS, or if it is negative 10^-step epochs of Adam."""
    n, count = len(task.X), int(10 ** abs(step))
    shared = {"hidden_layer_sizes": (task.n_patterns,), "max_iter": count, "tol": 0.0, "random_state": 0}
    if step > 0:
        shared |= {"solver": "lbfgs", "alpha": task.strength, "max_fun": 10 * count}
    else:
        shared |= {"solver": "adam", "alpha": task.strength * min(BATCH, n) / n, "n_iter_no_change": count + 1}
        shared |= {"batch_size": min(BATCH, n)}
    y = task.Y[:, 0]
    model = MLPRegressor(**shared).fit(task.X, y) if task.loss == "squared" else MLPClassifier(**shared).fit(task.X, y)
    (W, A), (biases, intercept) = model.coefs_, model.intercepts_
    answer: Answer = {"weights": W, "biases": biases, "outputs": A, "intercept": intercept}
    if step > 0:
        surplus = 0.5 * (np.linalg.norm(W, axis=0) - np.abs(A[:, 0])) ** 2
        answer["converted"] = n * model.loss_ - task.strength * float(surplus.sum())
    return answer


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    ladder(solve, [sign * k / 2 for k in range(2, 10) for sign in (1, -1)])

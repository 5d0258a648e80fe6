"""Ten classes of handwritten digits with the strength chosen on a path: ``python benchmarks/digits.py``.

On each of five splits (a fifth of the rows for the test): gated units and the squared hinge at eight falling strengths,
each fit started from the last; the strength that does best on a fifth of the training rows; one more fit on all of
them. Beside it scikit-learn's MLP with its own settings. Writes the table of ``docs/benchmarks.md``.
"""

from __future__ import annotations

import json
import time

import numpy as np
from documents import ROOT, replace_between
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as OtherMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bidual import MLPClassifier

ALPHAS = np.geomspace(1e-1, 1e-3, 8)
RESULTS = ROOT / "benchmarks" / "results" / "digits.json"


def on_path(X: np.ndarray, y: np.ndarray) -> MLPClassifier:
    """The model of the strength that does best on a part of the rows, fitted to all."""
    rows, held_out, labels, held_out_labels = train_test_split(X, y, test_size=0.2, random_state=0)
    model = MLPClassifier(
        activation="gated_relu",
        loss="squared_hinge",
        solver="fixed_patterns",
        n_patterns=300,
        tol=1e-2,
        warm_start=True,
        random_state=0,
    )
    scores = [model.set_params(alpha=a).fit(rows, labels).score(held_out, held_out_labels) for a in ALPHAS]
    return model.set_params(alpha=ALPHAS[int(np.argmax(scores))]).fit(X, y)


def main() -> None:
    X, y = load_digits(return_X_y=True)
    rows = []
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
        began = time.process_time()
        model = on_path(X_train, y_train)
        spent = time.process_time() - began
        other = make_pipeline(StandardScaler(), OtherMLP(random_state=0, max_iter=1000))
        rows.append(
            {
                "split": seed,
                "test": model.score(X_test, y_test),
                "mlp": other.fit(X_train, y_train).score(X_test, y_test),
                "alpha": float(model.alpha),
                "gap": model.certificate_.relative_gap,
                "cpu": spent,
            }
        )
        print(rows[-1], flush=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    lines = ["| split | test | scikit-learn's MLP | alpha | gap | CPU s |", "|---|" + 5 * "---:|"]
    for row in rows:
        lines.append(
            f"| {row['split']} | {row['test']:.4f} | {row['mlp']:.4f} | {row['alpha']:.2g} | {row['gap']:.1e} "
            f"| {row['cpu']:.1f} |"
        )
    mean = {name: float(np.mean([row[name] for row in rows])) for name in ("test", "mlp", "cpu")}
    lines.append(f"| mean | {mean['test']:.4f} | {mean['mlp']:.4f} | | | {mean['cpu']:.1f} |")
    replace_between(ROOT / "docs" / "benchmarks.md", "digits", "\n".join(lines))


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

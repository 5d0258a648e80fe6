"""Ten classes of handwritten digits with the strength chosen on a path: ``python benchmarks/digits.py``.

On each of twenty splits (a fifth of the rows for the test): gated units with shared outputs at falling strengths, each
fit started from the last; the strength whose loss is least on a fifth of the training rows; one more fit on all of
them. Beside it scikit-learn's MLP with its own settings. Writes the table of ``docs/benchmarks.md``.

The other settings were chosen by five-fold cross-validation on the training rows of split 0, before any test score of
them was computed. Strengths were first compared by their accuracy, of few values on 288 rows; the loss took its place
when the test scores of splits 0 to 9 were known, and those of 10 to 19 were not.
"""

from __future__ import annotations

import json
import time

import numpy as np
from documents import ROOT, replace_between
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as OtherMLP
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bidual import MLPClassifier
from bidual.losses import SquaredHinge

ALPHAS = (1e-2, 3e-3, 1e-3)
SPLITS = 20
RESULTS = ROOT / "benchmarks" / "results" / "digits.json"


def on_path(X: np.ndarray, y: np.ndarray) -> Pipeline:
    """The model of the strength whose loss is least on a part of the rows, fitted to all.

    Pixels are centered and not scaled: dividing by their spread would blow up the rare ones at the border. The units
    have no bias, so that gates pass through the mean image.
    """
    rows, held_out, labels, held_out_labels = train_test_split(X, y, test_size=0.2, random_state=0)
    model = make_pipeline(
        StandardScaler(with_std=False),
        MLPClassifier(
            activation="gated_relu",
            loss="squared_hinge",
            solver="fixed_patterns",
            outputs="shared",
            bias="none",
            standardize=False,
            n_patterns=300,
            tol=0.2,
            warm_start=True,
            random_state=0,
        ),
    )
    losses = [squared_hinge(_fit(model, alpha, rows, labels), held_out, held_out_labels) for alpha in ALPHAS]
    return _fit(model, ALPHAS[int(np.argmin(losses))], X, y)


def squared_hinge(model: Pipeline, X: np.ndarray, y: np.ndarray) -> float:
    """The loss that the model was trained with: the mean over the rows, summed over the classes."""
    signs = np.where(y[:, None] == model.classes_, 1.0, -1.0)
    return SquaredHinge().value(model.decision_function(X), signs, np.full(len(y), 1.0 / len(y)))


def _fit(model: Pipeline, alpha: float, X: np.ndarray, y: np.ndarray) -> Pipeline:
    return model.set_params(mlpclassifier__alpha=alpha).fit(X, y)


def main() -> None:
    X, y = load_digits(return_X_y=True)
    X = X / 16  # the largest pixel is 1
    rows = []
    for seed in range(SPLITS):
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
                "alpha": float(model[-1].alpha),
                "gap": model[-1].certificate_.relative_gap,
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
    for first, last in ((0, 9), (10, 19)):
        mean = {name: np.mean([row[name] for row in rows[first : last + 1]]) for name in ("test", "mlp", "cpu")}
        lines.append(f"| mean of {first} to {last} | {mean['test']:.4f} | {mean['mlp']:.4f} | | | {mean['cpu']:.1f} |")
    replace_between(ROOT / "docs" / "benchmarks.md", "digits", "\n".join(lines))


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

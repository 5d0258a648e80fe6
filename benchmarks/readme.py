"""Write the README's table from ``results/real_data.json``, and its figure from a fit."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from real_data import table
from sklearn.datasets import load_diabetes

import bidual
from bidual.display import ConvergenceDisplay, FunctionDisplay

ROOT = Path(__file__).parent.parent


def write_table() -> None:
    """Replace what stands between the README's two markers."""
    results = json.loads((ROOT / "benchmarks" / "results" / "real_data.json").read_text())
    readme = (ROOT / "README.md").read_text()
    before, rest = readme.split("<!-- real_data: begin -->")
    _, after = rest.split("<!-- real_data: end -->")
    middle = f"<!-- real_data: begin -->\n{table(results['rows'])}\n<!-- real_data: end -->"
    (ROOT / "README.md").write_text(before + middle + after)


def draw_figure() -> None:
    """One feature of the diabetes data: every network of any width is in the certificate's scope."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X = X[["bmi"]]
    model = bidual.MLPRegressor(random_state=0, tol=1e-6).fit(X, y)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    FunctionDisplay.from_estimator(model, X, ["bmi"], y=y, ax=left)
    ConvergenceDisplay.from_estimator(model, ax=right)
    folder = ROOT / "docs" / "_static"
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "certificate.png", dpi=110)
    print(model.certificate_)


if __name__ == "__main__":
    draw_figure()
    write_table()

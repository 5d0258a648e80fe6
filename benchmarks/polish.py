"""Fifty trained networks, polished: is one worse, and how much narrower are they?

    python benchmarks/polish.py [--data NAME ...] [--time-limit SECONDS]

writes ``results/polish.json`` and the table in ``docs/polish.md``. Five data sets, five trainers, two seeds each. Both
objectives are computed again here, in the words of the trainer's library and in double precision.
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from documents import replace_between
from scipy.special import logsumexp
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from torch import nn

from bidual import polish
from bidual.trained import Polished

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "polish.json"
WIDTH, DECAY = 100, 0.03
"""Hidden neurons, and the weight decay of PyTorch; scikit-learn's alpha is that of the same price on weights."""

Row = dict[str, Any]


def planted(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three neurons, and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 5))
    return X, np.maximum(X @ rng.normal(size=(5, 3)), 0) @ np.array([1.0, -1.0, 0.5]) + 0.3 * rng.normal(size=200)


def loaded(name: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Standardised rows, targets, and whether these are classes."""
    match name:
        case "planted":
            X, y = planted(0)
        case "one feature":
            X, y = load_diabetes(return_X_y=True)
            X = X[:, [2]]
        case "diabetes":
            X, y = load_diabetes(return_X_y=True)
        case "wine":
            X, y = load_wine(return_X_y=True)
        case _:
            X, y = load_breast_cancer(return_X_y=True)
    classes = y.dtype.kind == "i"
    return StandardScaler().fit_transform(X), y if classes else (y - y.mean()) / y.std(), classes


DATA = ("one feature", "planted", "diabetes", "wine", "breast_cancer")


def by_torch(optimiser: str, X: np.ndarray, y: np.ndarray, classes: bool, seed: int) -> Row:
    """Full batches for 1000 steps, in single precision."""
    torch.manual_seed(seed)
    c = int(y.max()) + 1 if classes else 1
    net = nn.Sequential(nn.Linear(X.shape[1], WIDTH), nn.ReLU(), nn.Linear(WIDTH, c))
    loss = nn.CrossEntropyLoss() if classes else nn.MSELoss()
    steps = {
        "Adam": lambda: torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=DECAY),
        "SGD": lambda: torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=DECAY),
    }[optimiser]()
    inputs = torch.tensor(X, dtype=torch.float32)
    targets = torch.tensor(y) if classes else torch.tensor(y[:, None], dtype=torch.float32)
    for _ in range(1000):
        steps.zero_grad()
        loss(net(inputs), targets).backward()
        steps.step()
    exact = targets if classes else torch.tensor(y[:, None])

    def objective(model: nn.Module) -> float:
        with torch.no_grad():
            double = nn.Sequential(*(part for part in model)).double()
            decay = sum(float((p**2).sum()) for p in double.parameters())
            value = float(loss(double(torch.tensor(X)), exact)) + DECAY / 2 * decay
            double.float()
        return value

    return {"model": net, "settings": {"loss": loss, "weight_decay": DECAY}, "objective": objective}


def by_sklearn(solver: str, X: np.ndarray, y: np.ndarray, classes: bool, seed: int) -> Row:
    """scikit-learn's own stopping."""
    n = len(X)
    options = {"solver": solver, "batch_size": n, "alpha": DECAY * n, "max_iter": 500, "random_state": seed}
    made = (MLPClassifier if classes else MLPRegressor)(hidden_layer_sizes=(WIDTH,), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.fit(X, y)

    def objective(model: Any) -> float:
        (W, A), (b, a) = model.coefs_, model.intercepts_
        F = np.maximum(X @ W + b, 0) @ A + a
        if not classes:
            loss = 0.5 * np.mean((F[:, 0] - y) ** 2)
        elif F.shape[1] == 1:
            loss = np.mean(np.logaddexp(0, -(2 * y - 1) * F[:, 0]))
        else:
            loss = np.mean(logsumexp(F, axis=1) - F[np.arange(n), y])
        return float(loss + model.alpha / (2 * n) * (np.sum(W**2) + np.sum(A**2)))

    return {"model": made, "settings": {}, "objective": objective}


TRAINERS: dict[str, Callable[..., Row]] = {
    "torch Adam": lambda *given: by_torch("Adam", *given),
    "torch SGD": lambda *given: by_torch("SGD", *given),
    "scikit-learn adam": lambda *given: by_sklearn("adam", *given),
    "scikit-learn sgd": lambda *given: by_sklearn("sgd", *given),
    "scikit-learn lbfgs": lambda *given: by_sklearn("lbfgs", *given),
}


def measure(name: str, trainer: str, seed: int, time_limit: float) -> Row:
    """One network."""
    X, y, classes = loaded(name)
    case = TRAINERS[trainer](X, y, classes, seed)
    done: Polished = polish(case["model"], X, y, **case["settings"], time_limit=time_limit)
    before, after = case["objective"](case["model"]), case["objective"](done.model)
    assert math.isclose(before, done.before, rel_tol=1e-9) and math.isclose(after, done.after, rel_tol=1e-9)
    return {
        **{"data": name, "trainer": trainer, "seed": seed, "before": before, "after": after},
        **{"neurons_before": done.neurons_before, "neurons_after": done.neurons_after},
        **{"irreducible": done.irreducible, "dual": done.dual, "method": done.method, "seconds": done.seconds},
    }


def table(rows: list[Row]) -> str:
    """A line for each data set and trainer: ranges over the seeds."""
    lines = [
        "| data | trained by | objective lower by | neurons | proven gap afterwards |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for name in dict.fromkeys(row["data"] for row in rows):
        for trainer in dict.fromkeys(row["trainer"] for row in rows):
            mine = [row for row in rows if (row["data"], row["trainer"]) == (name, trainer)]
            lower = _range([100 * (1 - row["after"] / row["before"]) for row in mine], "{:.2g} %")
            neurons = _range([row["neurons_after"] for row in mine], "{}")
            gap = _range([100 * (1 - row["dual"] / row["after"]) for row in mine], "{:.2g} %")
            lines.append(f"| {name} | {trainer} | {lower} | {mine[0]['neurons_before']} to {neurons} | {gap} |")
    worse = sum(row["after"] > row["before"] for row in rows)
    irreducible = sum(row["irreducible"] for row in rows)
    text = f"{len(rows)} networks: {worse} got worse, {irreducible} are irreducible."
    return f"{text}\n\n" + "\n".join(lines)


def _range(values: list[Any], text: str) -> str:
    ends = [text.format(min(values)), text.format(max(values))]
    return ends[0] if ends[0] == ends[1] else f"{ends[0].removesuffix(' %')} - {ends[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--time-limit", type=float, default=6.0)
    args = parser.parse_args()
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    rows = [row for row in rows if row["data"] not in args.data]
    for name in args.data:
        for trainer in TRAINERS:
            for seed in range(2):
                rows.append(measure(name, trainer, seed, args.time_limit))
                print(rows[-1], flush=True)
    rows.sort(key=lambda row: DATA.index(row["data"]))
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    replace_between(ROOT / "docs" / "polish.md", "polish", table(rows))


if __name__ == "__main__":
    main()

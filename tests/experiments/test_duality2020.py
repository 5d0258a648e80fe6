"""What is trained is what the theorems are about, and verdicts follow the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bidual.experiments import Setting
from bidual.experiments.descent import Method
from bidual.experiments.duality2020 import DUALITY2020
from bidual.experiments.duality2020.image_sets import CIFAR10, MNIST, Digits
from bidual.experiments.duality2020.ranks import Ranks, thresholds
from bidual.experiments.duality2020.strong_duality import KINDS, StrongDuality
from bidual.experiments.duality2020.subsets import Subset, take, whitened
from bidual.experiments.duality2020.training import Chain, train
from bidual.network import Layer, Network
from bidual.theorems import DeepProblem, prox

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((6, 4)), rng.standard_normal((6, 2))


def branches(weights: list[np.ndarray], b: int) -> Network:
    """Run 0 at the last step, as a network of the library."""
    first, *inner, last = (W[-1, 0] for W in weights)
    layers = [np.stack(np.split(first, b, axis=1)), *inner, np.stack(np.split(last, b))]
    activations = ["relu"] * (len(layers) - 1) + ["linear"]
    return Network(tuple(Layer(W, np.zeros((b, W.shape[2])), a) for W, a in zip(layers, activations, strict=True)))


@pytest.mark.parametrize("method", [Method(), Method("sgd", 0.01, 2)])
def test_the_objective_is_that_of_the_problem(method: Method) -> None:
    problem = DeepProblem(X, Y, 4, "relu", 0.3)
    run = train(problem, (3, 2, 1), method, branches=5, runs=2, steps=20, shown=[4], rows=2 * X)
    network = branches(run.weights, 5)
    assert run.at == [0, 4, 20] and run.objectives.shape == (3, 2) and run.outputs.shape == (3, 2, 6, 2)
    assert problem.objective(network) == pytest.approx(run.objectives[-1, 0], rel=1e-12)
    np.testing.assert_allclose(network(2 * X), run.outputs[-1, 0], atol=1e-12)
    assert (run.objectives[-1] < run.objectives[0]).all()


def test_batch_normalisation_is_that_of_the_problem() -> None:
    problem = DeepProblem(X, Y, 2, "relu", 0.3, batch_norm=True)
    chain = Chain(problem, (5,), branches=1, runs=1, gain=1.0, dtype="float64")
    W, out, gamma, alpha = (each.detach().numpy()[0] for each in chain.parameters)
    mean = (X @ W).mean(axis=0)
    scale = gamma[0] / np.linalg.norm(X @ W - mean, axis=0)
    first = Layer(W * scale, alpha[0] / np.sqrt(6) - mean * scale, "relu")
    network = Network((first, Layer(out, np.zeros(2))))
    x, y = torch.tensor(X), torch.tensor(Y)
    assert problem.objective(network) == pytest.approx(chain.objective(x, y).item(), rel=1e-12)
    other = torch.tensor(2 * X)
    np.testing.assert_allclose(chain(x, other).detach().numpy()[0], network(2 * X), atol=1e-12)


def test_batches_of_one_row_give_the_objective_on_average() -> None:
    x, y = torch.tensor(X), torch.tensor(Y)
    for batch_norm in (False, True):
        chain = Chain(DeepProblem(X, Y, 3, "relu", 0.3, batch_norm), (4, 3), 2, runs=2, gain=1.0, dtype="float64")
        each = torch.stack([chain.objective(x, y, torch.tensor([row])) for row in range(6)]).mean(dim=0)
        np.testing.assert_allclose(each.detach(), chain.objective(x, y).detach(), rtol=1e-12)


def test_trained_networks_reach_the_closed_form() -> None:
    data = StrongDuality().run(Setting(quick=True))
    assert all(verdict.agrees for verdict in StrongDuality().verdicts(data))
    assert min(min(case["excess"]) for case in data["cases"]) > 0 and len(data["cases"]) == 2 * len(KINDS)
    below = data["cases"][0] | {"excess": [-1e-6], "gaps": [1e-3]}
    changed = data | {"cases": [below, *data["cases"][1:]]}
    assert [v.agrees for v in StrongDuality().verdicts(changed)][:3] == [False, False, True]


@pytest.mark.parametrize("n_layers", [2, 3, 4, 5])
def test_thresholds_are_where_prox_jumps(n_layers: int) -> None:
    sigma = np.array([0.5, 2.0])
    for value, at in zip(sigma, thresholds(sigma, n_layers), strict=True):
        assert prox(value, 0.999 * at, n_layers)[0] > 0 and prox(value, 1.001 * at, n_layers)[0] == 0


def test_ranks_are_those_of_the_theorem_and_not_of_the_soft_threshold() -> None:
    data = Ranks().run(Setting(quick=True))
    agrees = [verdict.agrees for verdict in Ranks().verdicts(data)]
    assert agrees[:4] == [True, True, True, False] and not agrees[5] and agrees[7]


def test_whitening_is_a_map_of_features() -> None:
    subset = Subset(X[:3], np.arange(3), X[:4], np.arange(4))
    white, test = whitened(subset)
    np.testing.assert_allclose(white @ white.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(test[:3], white, atol=1e-12)
    s, Q = np.linalg.eigh(X[:3] @ X[:3].T)
    rows = Q / np.sqrt(s) @ Q.T @ X[:3]
    np.testing.assert_allclose(rows @ rows.T, white @ white.T, atol=1e-12)
    np.testing.assert_allclose((X[3] @ np.linalg.pinv(X[:3]) @ rows) @ rows.T, test[3] @ white.T, atol=1e-12)
    rotated, others = subset.rotated()
    np.testing.assert_allclose(others @ rotated.T, X[:4] @ X[:3].T, atol=1e-12)


def test_the_first_images_of_each_class() -> None:
    subset = take(np.arange(6)[:, None], np.array([1, 0, 1, 1, 0, 0]), np.ones((2, 1)), np.ones(2, dtype=int), 2, 2.0)
    assert (
        subset.X[:, 0].tolist() == [0, 0.5, 1, 2] and subset.y.tolist() == [1, 0, 1, 0] and subset.test_X.max() == 0.5
    )


def test_images_that_are_not_there_are_said(tmp_path: Path) -> None:
    assert Digits().missing(Setting()) is None
    assert "--images" in str(MNIST().missing(Setting()))
    assert "exact subset" in str(CIFAR10().missing(Setting(images=tmp_path)))


def test_verdicts_on_images_follow_the_curves() -> None:
    curve = {"at": [0, 1], "objective": [[9.0], [2.0]], "accuracy": [[0.1], [0.5]]}
    case = {"route": "whitened rows", "L": 3, "closed": 2.0, "dual": 2.0, "soft": 2.0, "accuracy": 0.5}
    case |= {"curves": {name: curve for name in ("adam", "sgd", "chain")}}
    data = {"cases": [case, case | {"route": "batch norm"}]}
    assert all(verdict.agrees for verdict in Digits().verdicts(data))
    low = curve | {"objective": [[9.0], [1.9]], "accuracy": [[0.1], [0.6]]}
    worse = case | {"dual": 1.9, "soft": 2.1, "curves": {"adam": low, "sgd": low, "chain": low}}
    agrees = [verdict.agrees for verdict in Digits().verdicts({"cases": [worse, case | {"route": "batch norm"}]})]
    assert agrees == [False, False, False, False, True, False, False] + [True] * 7


def test_names_differ() -> None:
    assert len({each.name for each in DUALITY2020.experiments}) == len(DUALITY2020.experiments)

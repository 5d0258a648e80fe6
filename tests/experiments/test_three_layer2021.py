"""What is trained is what the convex programs are about, and verdicts follow the data."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from bidual.architectures import Neurons, ParallelGated, ParallelReLU3
from bidual.datasets import ImageSet
from bidual.experiments import Setting
from bidual.experiments.base import Data
from bidual.experiments.descent import Method
from bidual.experiments.three_layer2021 import THREE_LAYER2021, rivals, stopwatch
from bidual.experiments.three_layer2021.gates import Gates, measured
from bidual.experiments.three_layer2021.gradient_runs import train_for
from bidual.experiments.three_layer2021.image_rows import CLASSES, ImageRows, image_rows
from bidual.experiments.three_layer2021.image_sets import Digits, _channels_last
from bidual.experiments.three_layer2021.images import STYLES
from bidual.experiments.three_layer2021.mapped import mapped
from bidual.experiments.three_layer2021.optima import Optima
from bidual.experiments.three_layer2021.patterns import Patterns, _second
from bidual.experiments.three_layer2021.strong_duality import StrongDuality
from bidual.experiments.three_layer2021.subnetworks import GatedSubnetworks, Subnetworks, objective
from bidual.experiments.three_layer2021.toy_runs import toy_runs
from bidual.experiments.three_layer2021.toys import spike
from bidual.experiments.three_layer2021.widths import Widths
from bidual.gates import GateNetwork
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.penalties import Strength
from bidual.problem import Problem

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((6, 4)), rng.standard_normal((6, 2))
x, y = torch.tensor(X), torch.tensor(Y)


def problem(architecture: Any) -> Problem:
    return Problem(X, Y, Squared(), architecture, Strength(0.3), intercept=False)


def arrays(networks: Any) -> list[np.ndarray]:
    return [each.detach().numpy() for each in networks.parameters]


def test_sub_networks_have_the_objective_of_the_problem() -> None:
    K, m = 5, 3
    networks = Subnetworks(4, m, K, 2, runs=2)
    W, w, out = (each[1] for each in arrays(networks))
    layers = (
        Layer(W.reshape(4, K, m).transpose(1, 0, 2), np.zeros((K, m)), "relu"),
        Layer(w[:, :, None], np.zeros((K, 1)), "relu"),
        Layer(out[:, None], np.zeros((K, 2))),
    )
    value = objective(networks, x, y, 0.3)[1].item()
    rescaled = sum(
        np.linalg.norm(W.reshape(4, K, m)[:, k]) * np.linalg.norm(w[k]) * np.abs(out[k]).sum() for k in range(K)
    )
    np.testing.assert_allclose(networks(x)[1].detach(), Network(layers)(X), atol=1e-12)
    assert networks.size()[1].item() == pytest.approx(rescaled, rel=1e-12)
    assert problem(ParallelReLU3(bias="none")).objective(Network(layers)) <= value


def test_gated_sub_networks() -> None:
    gates = GateNetwork.sample(X, 3, (2,), bias=False)
    networks, architecture = GatedSubnetworks(gates, 2), ParallelGated(gates, bias="none")
    W, w, out = arrays(networks)
    U = (W.reshape(4, 3, 2, 2) * w * out[:, None]).reshape(4, -1)  # (d, branch, unit, output)
    k, j, output = (each.ravel() for each in np.indices((3, 2, 2)))
    neurons = Neurons(U, np.eye(2)[:, output], np.stack([k, j, 0 * k]))
    network = architecture.to_network(neurons, np.ones(12), np.zeros(2))
    np.testing.assert_allclose(networks(x)[0].detach(), network(X), atol=1e-12)
    assert architecture.size(network) <= networks.size().item()


def test_own_gates() -> None:
    rows = np.random.default_rng(1).standard_normal((40, 4))  # on some of which each branch is open
    second = np.tile([[1.0], [-1.0]], (6, 1, 1))
    gates = GateNetwork((GateNetwork.sample(rows, 6, (2,)).weights[0], second))
    architecture = ParallelGated(gates, bias="none")
    k, j = (each.ravel() for each in np.indices((6, 2)))
    inputs = (gates.weights[0] * second[:, None, :, 0])[k, :, j].T
    outputs = np.eye(2)[:, k % 2] * np.where(k < 3, 1.0, -1.0)
    network = architecture.to_network(Neurons(inputs, outputs, np.stack([k, j, 0 * k])), np.ones(12), np.zeros(2))
    assert (architecture.activations(rows, architecture.from_network(network)[0]) != 0).any(axis=0).all()
    relu = mapped(architecture, network, rows)
    np.testing.assert_allclose(relu(rows), network(rows), atol=1e-12)
    assert ParallelReLU3(bias="none").size(relu) == pytest.approx(architecture.size(network), rel=1e-12)


@pytest.mark.parametrize("gated", [False, True])
def test_batches_average(gated: bool) -> None:
    gates = GateNetwork.sample(X, 3, (2,), bias=False)
    networks = GatedSubnetworks(gates, 2) if gated else Subnetworks(4, 2, 3, 2, runs=2)
    each = torch.stack([objective(networks, x[[i]], y[[i]], 0.3, 6.0) for i in range(6)]).mean(dim=0)
    np.testing.assert_allclose(each.detach(), objective(networks, x, y, 0.3).detach(), rtol=1e-12)


def test_toys_are_those_of_the_mathematics() -> None:
    toy = spike(5, 0.05)
    assert toy.X[:, 0].tolist() == [-2, -1, 0, 1, 2] and toy.y.tolist() == [0, 0, 1, 0, 0]
    assert toy.three_layers.certificate.primal == pytest.approx(0.13625, rel=1e-6)
    assert toy.two_layers.certificate.primal == pytest.approx(0.17163983988, rel=1e-6)
    at, excess = toy_runs(toy, 3, 4, Method("adam", 0.05), 20, 400, 5)
    assert at == [0, 100, 200, 300, 400] and excess.shape == (5, 20)
    assert 0 < excess[-1].min() < 1e-2 < np.median(excess[0])


def test_optima_agree_and_wrong_ones_would_not() -> None:
    data = Optima().run(Setting(quick=True))
    agrees = [verdict.agrees for verdict in Optima().verdicts(data)]
    assert agrees[0] and agrees[1] and agrees[3]
    data["spikes"][0]["stated"] *= 1.001
    data["cases"][0] |= {"gap": 1e-3, "K": 99, "two": 0.0}
    assert not any(verdict.agrees for verdict in Optima().verdicts(data)[:4])


def test_patterns_of_the_second_layer() -> None:
    assert _second(6, 1, 2) == [13, 13]  # those of the first layer and none: one unit is passed on or not
    data = {
        "first": {"2": [8, 16, 32, 64]},
        "many": [24, 2, 24, 134, 464, 1124, 2048],
        "second": {str(m): [9, 13, 17, 21, 25, 29] for m in (1, 2, 3)},
        "late": {"3": 0.0},
        "rows": [4, 8, 16],
        "seconds": [[0.1], [0.4], [1.6]],
        "ranks": [1],
        "rank_seconds": [[0.1]],
    }
    assert all(verdict.agrees for verdict in Patterns().verdicts(data))
    data |= {"many": [25, 2, 24, 24, 24], "first": {"2": [8, 16, 32, 256]}, "seconds": [[0.1], [0.4], [16.0]]}
    data["second"]["1"][-1] = 2**14
    assert not any(verdict.agrees for verdict in Patterns().verdicts(data))


def test_verdicts_on_gradient_runs_follow_them() -> None:
    good = {"K": 2, "at": [0, 1], "sgd": {"excess": [0.5, 1e-4]}, "adam": {"excess": [0.5, 1e-5]}}
    many = good | {"K": 9, "sgd": {"excess": [1e-3, 1e-4]}, "adam": {"excess": [1e-3, 1e-5]}}
    case = {"title": "toy", "optimum": 1.0, "gap": 1e-9, "scope": "global", "two_layer": 1.1, "results": [good, many]}
    assert all(verdict.agrees for verdict in StrongDuality().verdicts({"cases": [case]}))
    few = many | {"sgd": {"excess": [0.5, -1e-3]}, "adam": {"excess": [0.5, 0.5]}}
    worse = case | {"scope": "patterns", "results": [good | {"sgd": {"excess": [0.5]}, "adam": {"excess": [0.5]}}, few]}
    assert not any(verdict.agrees for verdict in StrongDuality().verdicts({"cases": [worse]}))


def test_verdicts_on_widths_follow_the_runs() -> None:
    by_K, by_m = [[0.2, 0.3], [1e-5, 0.1]], [[0.1], [1e-6]]
    case = {"title": "toy", "K": 2, "optimum": 1.0, "two_layer": 1.1, "gap": 1e-9, "by_K": by_K, "by_m": by_m}
    assert all(verdict.agrees for verdict in Widths().verdicts({"cases": [case]}))
    worse = case | {"gap": 0.1, "by_K": [[1e-5], [-1e-3], [0.1]], "by_m": [[0.2]]}
    assert not any(verdict.agrees for verdict in Widths().verdicts({"cases": [worse]}))


def pictures() -> ImageRows:
    pixels, labels = rng.integers(0, 256, (60, 16), dtype=np.uint8), np.arange(60) % CLASSES
    pixels[:, 0] = 20 * labels
    return image_rows(ImageSet(pixels, labels, pixels, labels), 40, 30)


def test_rows_are_centred_and_of_one_scale() -> None:
    rows = pictures()
    np.testing.assert_allclose(rows.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(rows.Y.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(rows.test_X, rows.X[:30], atol=1e-12)
    assert np.sum(rows.X**2) == pytest.approx(40)
    assert rows.accuracy(rows.Y[:30]) == 1.0 and rows.accuracy(-rows.Y[:30]) == 0.0


def test_channels_of_a_pixel_are_moved_side_by_side() -> None:
    image = np.arange(3)[:, None, None] * 100 + np.zeros((3, 32, 32), dtype=int)
    assert _channels_last(image.reshape(1, -1))[0, :6].tolist() == [0, 100, 200] * 2


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock takes 10 ms, and nothing else does."""
    ticks = itertools.count()
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(process_time=lambda: 0.01 * next(ticks)))


def test_looks_take_no_time(clock: None) -> None:
    watch, other = stopwatch.Stopwatch("cpu"), stopwatch.Stopwatch("cpu")
    with watch.paused():
        for _ in range(100):
            assert other.seconds > 0
    assert watch.seconds < 0.1 < 1.0 < other.seconds


def test_training_on_images_for_a_time(clock: None) -> None:
    rows = pictures()
    run = train_for(rows, Subnetworks(16, 4, 5, CLASSES), Method("adam", 0.03, 20), 1e-3, 2.0)
    assert len(run["seconds"]) == 12 and run["steps"] > 50 and run["spent"] == run["seconds"][-1] >= 2.0
    assert run["primal"] == run["objective"][-1] < run["objective"][0]
    assert run["final_accuracy"] == run["accuracy"][-1] > run["accuracy"][0]
    only = train_for(rows, Subnetworks(16, 4, 5, CLASSES), Method("adam", 0.03, 20), 1e-3, 0.2, looks=1)
    assert len(only["seconds"]) == 1 and only["spent"] >= 0.2


def test_a_step_size_that_diverges_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {3.0: (1.0, 1e300), 1.0: (2.0, 1.5), 0.3: (3.0, 2.0)}

    def fake(rows: object, networks: object, method: Method, beta: float, seconds: float, looks: int) -> Data:
        return {"primal": ends[method.step or 0.0][looks > 1]}

    monkeypatch.setattr(rivals, "train_for", fake)
    gates = GateNetwork.sample(pictures().X, 2, (3,), bias=False)
    found = rivals.trained(pictures(), "sgd", gates, 0.1, rivals.QUICK, "cpu")
    assert (found["rate"], found["primal"]) == (1.0, 1.5)


def test_more_gates() -> None:
    data = measured(pictures(), (2, 8), 10.0, Setting())
    assert [verdict.agrees for verdict in Gates().verdicts(data)][:2] == [True, True]
    assert len(Gates().table(data)) == 3
    data["runs"] = data["runs"][::-1]
    data["runs"][0]["dual"] = 0.0
    assert not any(verdict.agrees for verdict in Gates().verdicts(data)[:2])


def test_verdicts_on_images_follow_the_runs() -> None:
    solved = {"primal": 1.0, "dual": 0.9999, "scope": "patterns", "final_accuracy": 0.9, "neurons": 3, "spent": 2.0}
    trained = solved | {"primal": 1.2, "final_accuracy": 0.8, "rate": 0.1}
    methods = {name: trained if name.startswith(("sgd", "adam")) else solved for name in STYLES}
    methods["two, gated"] = solved | {"primal": 1.1, "final_accuracy": 0.8}
    data = {"title": "digits", "n": 20, "d": 16, "methods": methods}
    assert all(verdict.agrees for verdict in Digits().verdicts(data))
    assert [len(line) for line in Digits().table(data)] == [7] * 10
    methods["three, gated"] = solved | {"primal": 1.3, "final_accuracy": 0.5}
    assert not any(verdict.agrees for verdict in Digits().verdicts(data))


def test_names_differ() -> None:
    assert len({each.name for each in THREE_LAYER2021.experiments}) == len(THREE_LAYER2021.experiments)

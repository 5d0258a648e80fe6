"""Audits: the bound holds for every network, tampered reports are rejected, and what is said is computed again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

import bidual
from bidual import audit
from bidual.certificate import DualPoint
from bidual.errors import CertificateError, InvalidParameterError
from bidual.export import to_onnx
from bidual.losses import Squared
from bidual.network import Layer, Network
from bidual.trained import AuditDisplay, AuditReport, Objective, Step

from .cases import KINDS, LOSSES, Model, module, rows, seconds, targets, train, trained


@cache
def audited(kind: str, n: int = 14, d: int = 2) -> AuditReport:
    case = trained(kind, n, d)
    limit = seconds(3 if kind in ("classes", "classifier") else 1)
    return audit(case.model, case.X, case.y, **case.settings, time_limit=limit)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_is_audited_and_verified(kind: str) -> None:
    case, report = trained(kind), audited(kind)
    report.verify(case.model, case.X, case.y)
    assert report.scope == "global" and 0 < report.dual <= report.best * (1 + 1e-9) <= report.primal * (1 + 1e-9)
    assert report.gap == report.primal - report.dual and report.relative_gap == report.gap / report.primal
    falling = [step.objective for step in report.steps]
    assert falling == sorted(falling, reverse=True)
    assert str(report).count("\n") == 1 + len(report.steps) and report.method in str(report)


def test_what_the_steps_say_of_a_network_that_is_not_optimal() -> None:
    report = audited("module")
    assert [step.name.split(",")[0].split(" (")[0] for step in report.steps] == [
        "as trained",
        "layers rescaled",
        "sizes of its neurons and output bias re-solved",
        "one neuron added",
        "best network found",
    ]
    assert report.better is report.steps[3].network
    X = trained("module").X
    np.testing.assert_allclose(report.steps[1].network(X), report.steps[0].network(X), rtol=1e-9, atol=1e-9)


def objective_in_torch(net: nn.Module, X: np.ndarray, y: Any, loss: Any, decay: float) -> float:
    """The objective by PyTorch alone."""
    with torch.no_grad():
        weights = sum(float((p**2).sum()) for p in net.parameters())
        return float(loss(net(torch.tensor(X)), y)) + decay / 2 * weights


@pytest.mark.parametrize("name", LOSSES)
def test_no_trained_network_is_below_the_bound(name: str) -> None:
    """Networks of several widths, trained by PyTorch on the objective in its own words, judge the bound."""
    c = 3 if name == "cross_entropy" else 1
    X, y = rows(3, 8, 1)
    y, loss, decay = targets(name, y, c), LOSSES[name], 0.1
    report = audit(module(0, 1, 3, c), X, y, loss=loss, weight_decay=decay, time_limit=seconds(c))
    found = []
    for width in (1, 3, 10):
        net = train(module(width, 1, width, c), X, y, loss, decay, 300)
        found.append(objective_in_torch(net, X, y, loss, decay))
    assert report.dual <= min(found) * (1 + 1e-9)
    assert report.best <= min(found) * (1 + 1e-3)
    assert report.dual >= report.best * (1 - 2e-3) or c > 1


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_no_random_network_is_below_the_bound(kind: str) -> None:
    case, report, rng = trained(kind), audited(kind), np.random.default_rng(0)
    X, c = case.X, report.steps[0].network.n_outputs
    from bidual.trained.reading import read

    value = read(case.model, X, case.y).value
    for step in report.steps:
        hidden, last = step.network.layers
        for _ in range(50):
            W, A = (layer.weight + 0.1 * rng.normal(size=layer.weight.shape) for layer in (hidden, last))
            b, a = hidden.bias + 0.1 * rng.normal(size=hidden.bias.size), last.bias + 0.1 * rng.normal(size=c)
            assert value(Network((Layer(W, b, "relu"), Layer(A, a)))) >= report.dual


Forgery = Callable[[AuditReport, Model, np.random.Generator], tuple[AuditReport, Model]]


def small(rng: np.random.Generator) -> float:
    return float(10 ** rng.uniform(-6, -1))


def field(name: str, change: Callable[[AuditReport, np.random.Generator], Any]) -> Forgery:
    return lambda report, case, rng: (replace(report, **{name: change(report, rng)}), case)


def certificate(**changes: Callable[[Any, np.random.Generator], Any]) -> Forgery:
    def forge(report: AuditReport, rng: np.random.Generator) -> Any:
        own = report.certificate
        return replace(own, **{name: make(own, rng) for name, make in changes.items()})

    return field("certificate", forge)


def point(change: Callable[[DualPoint, np.random.Generator], DualPoint]) -> Forgery:
    """Change the proof, and state the dual that follows from it."""

    def forge(report: AuditReport, case: Model, rng: np.random.Generator) -> tuple[AuditReport, Model]:
        from bidual.trained.reading import read

        forged = change(report.certificate.global_point, rng)
        dual = forged.value(read(case.model, case.X, case.y, **case.settings).posed().problem)
        own = replace(
            report.certificate, point=forged, global_point=forged, dual=dual, global_dual=dual, priced_gap=0.0
        )
        return replace(report, certificate=own), case

    return forge


def step(place: int, change: Callable[[Step, np.random.Generator], Step]) -> Forgery:
    def forge(report: AuditReport, rng: np.random.Generator) -> tuple[Step, ...]:
        steps = list(report.steps)
        steps[place] = change(steps[place], rng)
        return tuple(steps)

    return field("steps", forge)


def nudged(network: Network, rng: np.random.Generator) -> Network:
    hidden, last = network.layers
    return Network((hidden, Layer(last.weight, last.bias + 0.1 + small(rng))))


def data(name: str) -> Forgery:
    def forge(report: AuditReport, case: Model, rng: np.random.Generator) -> tuple[AuditReport, Model]:
        values = np.asarray(getattr(case, name))
        other = values + 0.01 * rng.normal(size=values.shape) if values.dtype.kind == "f" else np.roll(values, 1)
        return report, replace(case, **{name: other})

    return forge


FORGERIES: dict[str, Forgery] = {
    "dual up": certificate(dual=lambda c, rng: c.dual * (1 + small(rng))),
    "both duals up": certificate(dual=lambda c, rng: 1.01 * c.dual, global_dual=lambda c, rng: 1.01 * c.global_dual),
    "global dual up": certificate(global_dual=lambda c, rng: c.global_dual * (1 + small(rng))),
    "dual above the primal": certificate(
        dual=lambda c, rng: c.primal + small(rng), global_dual=lambda c, rng: c.primal + small(rng)
    ),
    "dual nan": certificate(global_dual=lambda c, rng: math.nan),
    "primal": certificate(primal=lambda c, rng: c.primal * (1 - small(rng))),
    "method": certificate(global_method=lambda c, rng: "projection"),
    "scope": certificate(scope=lambda c, rng: "patterns"),
    "priced gap": certificate(priced_gap=lambda c, rng: -small(rng)),
    "bound too small": point(lambda p, rng: replace(p, bound=replace(p.bound, value=p.bound.value * (1 - small(rng))))),
    "bound zero": point(lambda p, rng: replace(p, bound=replace(p.bound, value=0.0))),
    "V larger": point(lambda p, rng: replace(p, V=p.V * (1.1 + small(rng)))),
    "V of other rows": point(lambda p, rng: replace(p, V=p.V[::-1] + small(rng))),
    "method by norms": point(
        lambda p, rng: replace(p, bound=replace(p.bound, method="norms", value=0.9 * p.bound.value))
    ),
    "objective of the model": step(0, lambda s, rng: replace(s, objective=s.objective * (1 - small(rng)))),
    "objective of the best": step(-1, lambda s, rng: replace(s, objective=s.objective * (1 - small(rng)))),
    "objective nan": step(-1, lambda s, rng: replace(s, objective=math.nan)),
    "network of a step": step(-1, lambda s, rng: replace(s, network=nudged(s.network, rng))),
    "what training minimised": field(
        "objective", lambda r, rng: Objective(Squared(), 1.0, 1 + small(rng), 1.0, 1.0, 1.0)
    ),
    "share": field("share", lambda r, rng: rng.uniform()),
    "kind": field("kind", lambda r, rng: "ONNX file"),
    "other rows": data("X"),
    "other targets": data("y"),
}


def test_a_thousand_tampered_reports_are_rejected() -> None:
    count = 0
    for kind in ("module", "regressor", "network"):
        case, report = trained(kind, 6, 1), audited(kind, 6, 1)
        assert len(report.steps) > 1
        for name, forge in FORGERIES.items():
            for seed in range(16):
                forged, other = forge(report, case, np.random.default_rng(seed))
                with pytest.raises(CertificateError):
                    forged.verify(other.model, other.X, other.y)
                    pytest.fail(f"{name} of {kind}, seed {seed}, went unnoticed")
                count += 1
    assert count >= 1000


def test_a_report_is_of_one_model_and_one_weight_decay() -> None:
    case, report = trained("module"), audited("module")
    other = train(module(5, 2, 12, 1), case.X, targets("mse", np.asarray(case.y), 1), nn.MSELoss(), 0.05, 3)
    with pytest.raises(CertificateError, match="objective 'as trained'"):
        report.verify(other, case.X, case.y)
    with pytest.raises(CertificateError, match="the audit is of a PyTorch module trained on squared loss"):
        replace(report, settings={"loss": "mse", "weight_decay": 0.06}).verify(case.model, case.X, case.y)


def test_an_onnx_file_is_audited_as_its_network(tmp_path: Path) -> None:
    hidden, last = trained("network").model.layers
    network = Network((Layer(hidden.weight, hidden.bias, "relu"), last))
    X, y = rows(0, 14, 2)
    to_onnx(network, tmp_path / "net.onnx")
    options = {"loss": "mse", "weight_decay": 0.1, "time_limit": 1.0}
    report = audit(tmp_path / "net.onnx", X, y, **options)
    assert report.primal == audit(network, X, y, **options).primal and report.kind == "ONNX file"
    report.verify(tmp_path / "net.onnx", X, y)


def test_a_bound_is_found_whatever_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = rows(0, 60, 6)
    net = module(0, 6, 20, 1)
    for limit in (1e-9, 1.0):
        report = audit(net, X, y, loss="mse", weight_decay=0.1, time_limit=limit)
        report.verify(net, X, y)
        assert 0 < report.dual <= report.best and report.method in ("norms", "semidefinite", "branch and bound")


def test_an_optimal_network_is_proven_so() -> None:
    X, y = rows(0, 14, 1)
    model = bidual.MLPRegressor(alpha=0.02, random_state=0).fit(X, y)
    report = audit(model, X, y)
    assert report.relative_gap <= 1e-3 and report.better is None


def test_page_and_picture(tmp_path: Path) -> None:
    report = audited("module")
    report.save(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf8")
    for words in (
        "Audit of a PyTorch module",
        "One was found whose objective is",
        "squared hidden biases",
        "data:image/",
    ):
        assert words in text
    shown = AuditDisplay.from_report(report)
    assert len(plt.get_fignums()) == 1 and shown.plot(shown.ax_) is shown
    assert [line.get_label() for line in shown.ax_.patches][:2] == [
        "no network of any width (proven)",
        "the optimum is in here",
    ]
    replace(audited("own"), steps=audited("own").steps[:1]).save(tmp_path / "own.html")
    assert "No better network was found" in (tmp_path / "own.html").read_text(encoding="utf8")


def test_random_state_is_refused_below_zero() -> None:
    case = trained("module")
    with pytest.raises(InvalidParameterError, match="random_state must be a whole number"):
        audit(case.model, case.X, case.y, **case.settings, random_state=-1)

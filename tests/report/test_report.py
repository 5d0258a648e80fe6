"""The report says what the certificate says, to anyone, in one file."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from bidual import MLPClassifier, MLPRegressor
from bidual.datasets import planted_network
from bidual.report import Baseline, Case, facts, render, verdict
from bidual.report.sentences import PROVEN, UNPROVEN, number, percent, small
from bidual.solvers import Status

EVIL = "<script>alert('$x$ & \"y\"')</script>"


@pytest.fixture(scope="module")
def case() -> Case:
    """A certificate on patterns, with evil names everywhere."""
    data = planted_network(40, 4, seed=3)
    X, y = data.X[:30], data.y[:30]
    model = MLPRegressor(random_state=0).fit(X, y)
    baseline = Baseline(EVIL, 0.5, 0.25, 1.0, EVIL)
    features = (EVIL, "b", "c $d$", "d")
    words = {"target": EVIL, "description": EVIL, "origin": EVIL, "licence": EVIL, "notes": (EVIL,)}
    return Case(EVIL, model, X, y, features, 1.25, data.X[30:], data.y[30:], baseline=baseline, **words)


class Page(HTMLParser):
    """Tags in balance, and every address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_one_wellformed_file_without_scripts(case: Case) -> None:
    text = render([case, case], EVIL)
    page = Page(text)
    assert page.open == [] and "script" not in page.seen and "link" not in page.seen
    assert len(page.addresses) == 12 and all(a.startswith("data:image/svg+xml;base64,") for a in page.addresses)
    assert "@import" not in text and "url(" not in text
    assert "&lt;script&gt;" in text


def test_it_has_the_numbers_of_the_certificate(case: Case) -> None:
    text, proof = render([case], "t"), case.estimator.certificate_
    for value in (proof.primal, proof.dual, proof.global_dual):
        assert number(value) in text
    assert small(proof.relative_gap) in text and small(proof.relative_priced_gap) in text
    assert proof.scope in text and "What is not proven" in text
    assert f"{case.test_score:.3f}" in text and "0.250" in text


def test_it_is_the_same_each_time(case: Case) -> None:
    assert render([case], "t") == render([case], "t")


def test_global_scope_speaks_of_every_network() -> None:
    X = np.linspace(-1, 1, 10)[:, None]
    model = MLPRegressor(random_state=0).fit(X, np.abs(X[:, 0]))
    assert model.certificate_.scope == "global"
    case = Case("line", model, X, np.abs(X[:, 0]), ("x",), 0.1)
    assert "all networks of this kind, of any width" in verdict(case)
    assert [fact.name for fact in facts(case)][-1] == "relative gap"
    text = render([case], "line")
    assert "listed activation patterns" not in text and "none held back" in text


def test_classes_and_a_network_without_neurons() -> None:
    X = np.random.default_rng(0).normal(size=(30, 3))
    y = np.array(["a", "b", "<c>"])[np.arange(30) % 3]
    model = MLPClassifier(alpha=100.0, random_state=0).fit(X, y)
    assert model.n_neurons_ == 0
    case = Case("none", model, X, y, ("x", "y", "z"), 0.1)
    assert case.metric == "accuracy" and case.test_score is None
    Page(render([case], "none"))


def test_a_fit_that_was_cut_short_does_not_boast() -> None:
    """The bound on the few patterns of an unfinished network says little; the page leads with every network."""
    data = planted_network(60, 5, seed=1)
    with pytest.warns(match="iteration_limit"):
        model = MLPRegressor(alpha=1e-3, tol=1e-9, max_iter=1, random_state=0).fit(data.X, data.y)
    case = Case("cut", model, data.X, data.y, tuple("abcde"), 0.1)
    proof = model.certificate_
    assert verdict(case).startswith("Not proven to the tolerance of 1e-09: the limit on iterations")
    assert percent(proof.global_relative_gap) in verdict(case)
    text = render([case], "cut")
    assert 'class="verdict open"' in text and "to every network" in text


def test_every_status_has_its_sentence() -> None:
    assert PROVEN.keys() | UNPROVEN.keys() == set(Status)
    assert not PROVEN.keys() & UNPROVEN.keys()


@pytest.mark.parametrize("value", [0.0, -1e-16, 1e-12, 4.18e-4, 0.0999, 0.5, 0.999, 1.0, 12.0])
def test_percentages_never_understate(value: float) -> None:
    shown = float(re.match(r"[\d.e+-]+", percent(value))[0])  # type: ignore[index]
    assert value * 100 <= shown + 1e-9 * abs(shown) and shown <= max(value, 0.0) * 111


def test_numbers_that_are_none() -> None:
    assert (number(-np.inf), small(np.inf), percent(np.nan)) == ("none", "none", "an unknown part")

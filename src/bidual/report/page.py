"""The page of a report: one chapter for each case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import Template

from bidual import __version__
from bidual.errors import MissingDependencyError
from bidual.report.case import Case
from bidual.report.figures import figures_of
from bidual.report.html import Html, bullets, p, picture, table, tag, text
from bidual.report.sentences import facts, not_proven, number, percent, small, verdict
from bidual.report.style import CSS

PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$css</style>
</head>
<body><main>
$body
</main></body>
</html>
"""
)

CAPTIONS = {
    "convergence": "The objective of the network comes down, what is proven of every network comes up; the least "
    "objective of any network lies in the band between them. The dashed line is not proven: it would be a bound if the "
    "best neuron that the search found were the best there is.",
    "path": "The least objective at every strength alpha lies in the band; dots are fits, with their numbers of "
    "neurons. The strength was chosen by the score of rows that were held out, the larger the better.",
    "neurons": "The neurons, largest first. Colours are input weights with the sign of the output weight: where they "
    "are blue, a larger value of the feature raises the output while the neuron is active.",
    "patterns": "The training rows at which the largest neurons are active, and their share above; of a network with "
    "several hidden layers, each layer of a path from the input to the output, and where all of them are active. Blue "
    "raises the output, red lowers it.",
    "architecture": "The network found. Its width was not chosen in advance: it follows from the penalty.",
    "function": "What the network computes along the features that it uses most, and where its neurons switch; all "
    "other features at their medians.",
    "predictions": "Predictions against the truth.",
}


def render(cases: Sequence[Case], title: str) -> str:
    """The whole page as text, without a reference to anything outside it."""
    body = [tag("h1", text(title)), p(f"Made by bidual {__version__}.", css="soft")]
    if len(cases) > 1:
        body.append(_overview(cases))
    body += [_chapter(case) for case in cases]
    return PAGE.substitute(title=text(title), css=CSS, body="\n".join(body))


def _overview(cases: Sequence[Case]) -> Html:
    head = ["data", "objective", "relative gap", "scope", "gap to the global bound", "neurons", "seconds", "test score"]
    rows = []
    for case in cases:
        proof = case.estimator.certificate_
        gaps = small(proof.relative_gap), proof.scope, small(proof.global_relative_gap)
        row = [case.name, number(proof.primal), *gaps, case.estimator.n_neurons_, f"{case.seconds:.2f}"]
        rows.append([*row, f"{case.metric} {_score(case.test_score)}"])
    if any(case.baseline for case in cases):
        head.append("scikit-learn MLP's")
        for case, row in zip(cases, rows, strict=True):
            row.append(_score(case.baseline.test_score if case.baseline else None))
    return tag("div", table(head, rows, range(1, len(head))), css="dense")


def _chapter(case: Case) -> Html:
    pictures = _pictures(case)
    parts = [
        tag("h2", text(case.name)),
        *_fitted(case),
        tag("h3", text("The certificate")),
        table(
            ("number", "value", "what it means"),
            [(fact.name, fact.value, fact.sentence) for fact in facts(case)],
            (1,),
        ),
        tag("h3", text("What is not proven")),
        bullets(not_proven(case)),
        *_choice(case, pictures),
        tag("h3", text("How the fit went")),
        pictures["convergence"],
        tag("h3", text("The network")),
        *(pictures[name] for name in ("architecture", "neurons", "patterns", "function")),
        tag("h3", text("Predictions")),
        *_scores(case),
        pictures["predictions"],
    ]
    if case.notes:
        parts += [tag("h3", text("Notes")), bullets(case.notes)]
    return tag("section", *parts)


def _choice(case: Case, pictures: dict[str, Html]) -> list[Html]:
    """How the strength was chosen, if it was."""
    return [] if case.chosen is None else [tag("h3", text("The strength of the penalty")), pictures["path"]]


def _fitted(case: Case) -> list[Html]:
    """What was fitted, in words and tiles."""
    estimator, proof = case.estimator, case.estimator.certificate_
    task = f"classification into {len(estimator.classes_)} classes" if case.classifies else "regression"
    test = "none held back" if case.X_test is None else f"{len(case.X_test)} held back for the test"
    depth = "" if estimator.n_layers == 2 else f"{estimator.n_layers} layers, "
    settings = f"{depth}activation {estimator.activation}, loss {estimator.loss}, alpha {estimator.alpha:g}"
    tiles = [
        _proven_gap(case),
        (number(proof.primal), "training objective"),
        (estimator.n_neurons_, "neurons, found by the solver"),
        (_score(case.train_score if case.test_score is None else case.test_score), f"{case.metric}, {_on(case)}"),
        (f"{case.seconds:.2f} s", "to fit"),
    ]
    parts = [
        tag("div", text(verdict(case)), css="verdict" if case.proven else "verdict open"),
        tag("div", *(tag("div", tag("b", text(a)), tag("span", text(b)), css="tile") for a, b in tiles), css="tiles"),
        p(
            f"Target: {case.target}. A {task}: {len(case.X)} training rows ({test}), {len(case.features)} features; "
            f"{settings}."
        ),
    ]
    if case.description:
        parts.insert(0, p(f"To predict {case.description}."))
    if case.origin:
        licence = f" Licence: {case.licence}." if case.licence else ""
        parts.append(p(f"Data: {case.origin}.{licence}", css="soft"))
    return parts


def _scores(case: Case) -> list[Html]:
    """The scores, beside the baseline's if there is one."""
    rows = [("this network", _score(case.train_score), _score(case.test_score), f"{case.seconds:.2f}", _gap(case))]
    parts: list[Html] = []
    if case.baseline is not None:
        other = case.baseline
        scores = _score(other.train_score), _score(other.test_score), f"{other.seconds:.2f}"
        rows.append((other.name, *scores, "none"))
        parts = [p(f"{other.name}: {other.note}. Both on the same rows, one run each.", css="soft")]
    head = ("", f"{case.metric}, training", f"{case.metric}, test", "seconds to fit", "what is proven of its training")
    return [table(head, rows, (1, 2, 3)), *parts]


def _proven_gap(case: Case) -> tuple[str, str]:
    """The gap that matters: over the scope if the fit ended in a proof, else to every network."""
    proof = case.estimator.certificate_
    if case.proven and proof.scope != "global":
        return small(proof.relative_gap), "proven relative gap, on the listed patterns"
    return small(proof.global_relative_gap), "proven relative gap, to every network"


def _gap(case: Case) -> str:
    proof = case.estimator.certificate_
    if case.proven and proof.scope != "global":
        return f"within {percent(proof.relative_gap)} of the least objective on the listed patterns"
    return f"within {percent(proof.global_relative_gap)} of the least objective of any network"


def _pictures(case: Case) -> dict[str, Html]:
    """Every picture, or where it would be a sentence why there is none."""
    try:
        drawn = {name: draw(case) for name, draw in figures_of(case).items()}
    except MissingDependencyError as error:
        return {name: p(f"No plot: {error}", css="soft") for name in figures_of(case)}
    return {name: picture(uri, f"{name} of {case.name}", _caption(case, name)) for name, uri in drawn.items()}


def _caption(case: Case, name: str) -> str:
    if name != "predictions":
        return CAPTIONS[name]
    shades = " Rows are the true classes; the shade is the share of the row." if case.classifies else ""
    return f"{CAPTIONS[name][:-1]}, {_on(case)}.{shades}"


def _on(case: Case) -> str:
    return "training rows" if case.X_test is None else "test rows"


def _score(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:.3f}"

"""The certificate in words: each number with what it means, and what it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bidual.report.case import Case
from bidual.solvers import Status

HOW = {
    "enumeration": "by pricing every activation pattern there is",
    "norms": "by a bound from norms, which is quick and usually loose",
    "semidefinite": "by a semidefinite relaxation, which merges the neurons of each output and sign",
    "branch and bound": "by branch and bound, on which rows are active or on the directions of neurons",
    "sweep": "by a sweep over the activation patterns of sign units, the largest score of each output",
    "closed form": "by a closed form",
    "convex combination": "by combining two dual vectors, each with a proof of its own",
    "projection": "by projecting onto the cone of each listed pattern",
}
"""Method of a certificate -> how the bound was proven."""

PROVEN = {
    Status.OPTIMAL: "Proven to be within {gap} of the least objective of all networks of this kind, of any width",
    Status.OPTIMAL_ON_PATTERNS: "Proven to be within {gap} of the least objective on the listed activation patterns; "
    "the search found no better neuron",
}
UNPROVEN = {
    Status.ALMOST_OPTIMAL: "rounding allowed no more progress, within 100 times the tolerance",
    Status.NO_BETTER_FOUND: "the search found no better neuron, but nothing as tight could be proven",
    Status.NEURON_LIMIT: "the limit on neurons was reached first",
    Status.ITERATION_LIMIT: "the limit on iterations was reached first",
    Status.TIME_LIMIT: "the time limit was reached first",
    Status.INTERRUPTED: "it was interrupted",
    Status.CALLBACK_STOPPED: "it was stopped on request",
    Status.NUMERICAL_ERROR: "rounding allowed no more progress",
}
"""Status -> how the fit ended."""

SCOPES = {
    "global": "Global: every network of this kind, of any width.",
    "patterns": "Patterns: networks whose neurons switch on and off on the rows as in a list, which includes every "
    "neuron of the network found; not every network.",
}
"""Scope of a certificate -> what it covers."""

NOT_PROVEN = (
    "That the network predicts well. The certificate is about the objective on the training rows; only rows that were "
    "held back tell how it predicts.",
    "Anything about other values of alpha, other activations, other depths, or rows or columns that were left out.",
)
"""What no certificate of this library says."""

FIXED_GATES = "Anything about ReLU networks: the gates of this network were drawn, and only its weights are trained."
ONLY_LISTED = (
    "That no network with other activation patterns is better: what is proven about every network is the global bound "
    "alone."
)
SEARCHED = "The search for a better neuron found none, but a search proves nothing."


@dataclass(frozen=True)
class Fact:
    """One number of the certificate: its name, its value as text, what it means, and what follows ``here``."""

    name: str
    value: str
    meaning: str
    here: str = ""

    @property
    def sentence(self) -> str:
        """Both sentences."""
        return f"{self.meaning} {self.here}".strip()


def verdict(case: Case) -> str:
    """How the fit ended, in one sentence."""
    status, proof = Status(case.estimator.status_), case.estimator.certificate_
    if status in PROVEN:
        return PROVEN[status].format(gap=percent(proof.relative_gap)) + "."
    reason = UNPROVEN.get(status, status.replace("_", " "))
    return (
        f"Not proven to the tolerance of {case.estimator.tol:g}: {reason}. What is proven of every network: "
        f"none is better by more than {percent(proof.global_relative_gap)}."
    )


def facts(case: Case) -> list[Fact]:
    """The numbers of the certificate, in the order in which they are best read."""
    proof = case.estimator.certificate_
    found = [
        Fact(
            "objective (primal)",
            number(proof.primal),
            "What training makes small: the mean loss plus the penalty on the size of the network, on the training "
            f"rows{', standardised' if case.estimator.standardize else ''}.",
        ),
        Fact(
            "lower bound (dual)",
            number(proof.dual),
            "Proven: no network in the scope has a smaller objective than this.",
            f"Proven {HOW.get(proof.method, proof.method)}.",
        ),
        Fact("scope", proof.scope, "Which networks the lower bound covers.", SCOPES[proof.scope]),
        Fact(
            "relative gap",
            small(proof.relative_gap),
            "(objective - lower bound) / objective.",
            f"Proven: no network in the scope is better by more than {percent(proof.relative_gap)}.",
        ),
    ]
    if proof.scope == "global":
        return found
    return [
        *found,
        Fact(
            "priced gap",
            small(proof.relative_priced_gap),
            "What the relative gap to every network would be if the best neuron that the search found were the best "
            "there is. Not proven; small means that the search found no neuron that would help.",
        ),
        Fact(
            "global bound",
            number(proof.global_dual),
            "Proven: no network of this kind, of any width, has a smaller objective than this.",
            f"Proven {HOW.get(proof.global_method, proof.global_method)}; "
            f"so none is better by more than {percent(proof.global_relative_gap)}.",
        ),
    ]


def not_proven(case: Case) -> list[str]:
    """What the certificate does not say."""
    sentences = [*NOT_PROVEN]
    if case.estimator.activation == "gated_relu":
        sentences.insert(0, FIXED_GATES)
    if case.estimator.certificate_.scope != "global":
        sentences.insert(0, f"{ONLY_LISTED} {SEARCHED}" if case.proven else ONLY_LISTED)
    return sentences


def number(value: float) -> str:
    """Six digits."""
    return "none" if not math.isfinite(value) else f"{value:.6g}"


def small(value: float) -> str:
    """A gap; rounding below zero is zero."""
    return "none" if not math.isfinite(value) else f"{max(value, 0.0):.1e}"


def percent(value: float) -> str:
    """A gap in per cent, rounded up so that the sentence around it stays true."""
    if not math.isfinite(value):
        return "an unknown part"
    value = 100.0 * max(value, 0.0)
    if value == 0.0:
        return "0 %"
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / step - 1e-9) * step:.2g} %"

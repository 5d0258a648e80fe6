"""Every part that ships passes its check, and the checks catch what is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bidual.architectures import Architecture, GatedReLU, Grouped, Linear, ParallelReLU3, Patterns, ReLU
from bidual.errors import RefusedError
from bidual.losses import LOSSES, Huber, Logistic, Loss, Multinomial, Squared, SquaredHinge
from bidual.network import Network
from bidual.oracles import (
    Cached,
    Counted,
    Enumerated,
    Groupwise,
    Listed,
    LocalSearch,
    Oracle,
    Pricing,
    Sampled,
    SecondMasks,
    Split,
    Swept,
)
from bidual.problem import Problem
from bidual.solvers import SOLVERS, Budget, Iterate, Solver, WorkingSet
from bidual.testing import check_architecture, check_loss, check_oracle, check_solver, example_problems

ARCHITECTURES: list[Architecture] = [
    *(ReLU(slope, bias, "separate") for slope in (0.0, 0.1, -1.0) for bias in ("penalized", "none", "free")),
    ReLU(0.0, "penalized", "shared"),
    ReLU(-1.0, "free", "shared"),
    GatedReLU(),
    GatedReLU(outputs="shared"),
    *(Linear(bias, outputs) for bias in ("penalized", "none") for outputs in ("separate", "shared")),
    ParallelReLU3(),
    *(Grouped(ReLU(slope, bias), ((0, 1), (0, 2), (1, 2))) for slope in (0.0, -1.0) for bias in ("penalized", "none")),
    Grouped(ReLU(), ((0,), (1,))),
    Grouped(ReLU(), ((0, 1, 2, 3), (4,))),
]
FIRST = example_problems()[0]


@pytest.mark.parametrize("loss", [*(loss() for loss in LOSSES.values()), Huber(0.3)], ids=repr)
def test_losses(loss: Loss) -> None:
    for seed in range(3):
        check_loss(loss, seed)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_architectures(architecture: Architecture) -> None:
    check_architecture(architecture)


@pytest.mark.parametrize(
    "oracle",
    [
        Enumerated(),
        Sampled(),
        LocalSearch(),
        Groupwise(),
        Swept(),
        SecondMasks(),
        Split((Enumerated(), Sampled(50))),
        Counted(Sampled(50)),
    ],
    ids=lambda oracle: type(oracle).__name__,
)
def test_oracles(oracle: Oracle) -> None:
    check_oracle(oracle)


def test_oracles_of_one_data_set() -> None:
    check_oracle(Listed(FIRST.architecture.all_patterns(FIRST.lifted)), [FIRST])
    check_oracle(Cached(Enumerated()), [FIRST])


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers(name: str) -> None:
    check_solver(SOLVERS[name]())


class WrongConjugate(Squared):
    """5 % too small: dual values too high."""

    def conjugate(self, Z, Y, s):  # type: ignore[no-untyped-def]
        return 0.95 * float(np.sum(Z * Z / s[:, None])) / 2 + float(np.sum(Z * Y))


class WrongGradient(Logistic):
    def gradient(self, F, Y, s):  # type: ignore[no-untyped-def]
        return 0.99 * super().gradient(F, Y, s)


class MeanNotSum(Squared):
    def value(self, F, Y, s):  # type: ignore[no-untyped-def]
        return super().value(F, Y, s) / len(Y)


class NoBalance(Multinomial):
    def balance(self, V, Y, s):  # type: ignore[no-untyped-def]
        return V


class FarStep(SquaredHinge):
    def domain_step(self, V, Y, s):  # type: ignore[no-untyped-def]
        return 3.0


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (WrongConjugate(), "conjugate"),
        (WrongGradient(), "gradient"),
        (MeanNotSum(), "gradient|k rows"),
        (NoBalance(), "balance"),
        (FarStep(), "domain_step"),
    ],
    ids=repr,
)
def test_broken_losses_are_caught(broken: Loss, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_loss(broken)


class SmallNormBound(ReLU):
    def norm_bound(self, Xl, V):  # type: ignore[no-untyped-def]
        return 0.3 * super().norm_bound(Xl, V)


class OneSign(ReLU):
    """Blind to neurons with negative outputs."""

    def on_patterns(self, Xl, patterns, V, floor):  # type: ignore[no-untyped-def]
        prices = super().on_patterns(Xl, patterns, V, floor)
        positive = (prices.neurons.outputs > 0).any(axis=0)
        scores = prices.scores[positive]
        return replace(prices, neurons=prices.neurons.take(positive), scores=scores, bound=scores.max(initial=0.0))


class MissingCell(GatedReLU):
    def all_patterns(self, Xl):  # type: ignore[no-untyped-def]
        patterns = super().all_patterns(Xl)
        return Patterns(patterns.masks[:, 1:], patterns.gates[:, 1:])


class DoubleSize(Linear):
    def size(self, network):  # type: ignore[no-untyped-def]
        return 2.0 * super().size(network)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [(SmallNormBound(), "bound"), (OneSign(), "bound"), (MissingCell(), "misses"), (DoubleSize(), "size")],
    ids=lambda part: type(part).__name__ if isinstance(part, Architecture) else "",
)
def test_broken_architectures_are_caught(broken: Architecture, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_architecture(broken)


@dataclass(frozen=True)
class Altered(Oracle):
    """The true pricing, with one thing wrong."""

    fault: str

    def price(self, problem, V, current, target, rng, expired=lambda: False):  # type: ignore[no-untyped-def]
        pricing = Enumerated().price(problem, V, current, target, rng)
        if self.fault == "refuses":
            raise RefusedError("no, whatever the problem may be")
        if self.fault == "scores":
            return Pricing(pricing.neurons, 1.1 * pricing.scores, pricing.dual)
        return pricing


def test_broken_oracles_are_caught() -> None:
    with pytest.raises(AssertionError, match="score"):
        check_oracle(Altered("scores"))
    with pytest.raises(AssertionError, match="refuses every problem"):
        check_oracle(Altered("refuses"))


@dataclass(frozen=True)
class SmallBound(Oracle):
    """Half the neurons, and the bound of those: blind to one sign."""

    def price(self, problem, V, current, target, rng, expired=lambda: False):  # type: ignore[no-untyped-def]
        pricing = Enumerated().price(problem, V, current, target, rng)
        positive = (pricing.neurons.outputs > 0).any(axis=0)
        scores = pricing.scores[positive]
        bound = replace(pricing.dual.bound, value=float(scores.max(initial=0.0)))
        return Pricing(pricing.neurons.take(positive), scores, replace(pricing.dual, bound=bound))


def test_an_oracle_blind_to_one_sign_is_caught() -> None:
    with pytest.raises(Exception, match="bound"):
        check_oracle(SmallBound(), [FIRST])


@dataclass(frozen=True)
class Faulty(Solver):
    """The working set's iterates, with one thing wrong."""

    fault: str

    def accepts(self, problem: Problem) -> str | None:
        return "no" if self.fault == "curt" else None

    def iterates(self, problem: Problem, start: Network | None, budget: Budget) -> Iterator[Iterate]:
        for iterate in WorkingSet().iterates(problem, start, budget):
            dual = iterate.pricing.dual
            if self.fault == "bound" and dual is not None:
                small = replace(dual, bound=replace(dual.bound, value=0.5 * dual.bound.value))
                iterate = replace(iterate, pricing=replace(iterate.pricing, dual=small))
            if self.fault == "shape":
                iterate = replace(iterate, V=iterate.V[:, :0])
            yield iterate


@pytest.mark.parametrize(("fault", "sentence"), [("curt", "sentence"), ("bound", "exceeds"), ("shape", "shape")])
def test_broken_solvers_are_caught(fault: str, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_solver(Faulty(fault))


def test_a_solver_that_refuses_everything_is_caught() -> None:
    class Refuses(Faulty):
        def accepts(self, problem: Problem) -> str | None:
            return "this solver accepts no problem at all"

    with pytest.raises(AssertionError, match="refuses every problem"):
        check_solver(Refuses(""))

"""A free bias was taken to be cheap only next to features of size 1: elsewhere bounds were loose and searches blind."""

from __future__ import annotations

import numpy as np
import pytest

from bidual.architectures import ReLU, no_neurons
from bidual.losses import Squared
from bidual.oracles import Enumerated, LocalSearch
from bidual.penalties import Strength
from bidual.problem import Problem


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e8])
def test_scores_are_proportional_to_the_features(unit: float) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X, V = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
        V -= V.mean()
        best = []
        for scale in (1.0, unit):
            problem = Problem(scale * X, V, Squared(), ReLU(bias="free"), Strength(1.0))
            for oracle in (Enumerated(), LocalSearch()):
                priced = oracle.price(problem, V, no_neurons(3, 1), np.inf, np.random.default_rng(0))
                best.append(priced.best_found / scale)
                if priced.dual is not None:
                    assert priced.dual.bound.value == pytest.approx(priced.best_found, rel=1e-7)
        assert best == pytest.approx([best[0]] * 4, rel=1e-7)

"""The search divided by 0 on data of zeros, and by almost 0 on units that were a free bias alone."""

from __future__ import annotations

import numpy as np

from bidual.architectures import ReLU, no_neurons
from bidual.losses import Squared
from bidual.oracles import LocalSearch
from bidual.penalties import Strength
from bidual.problem import Problem


def test_data_without_differences() -> None:
    for X in (np.zeros((4, 2)), np.ones((4, 2)), np.array([[1.0, 2.0]] * 3 + [[-2.0, 1.0]])):
        for architecture in (ReLU(), ReLU(bias="free"), ReLU(bias="none"), ReLU(-1.0, "free", "shared")):
            V = np.random.default_rng(0).normal(size=(4, 2))
            V -= V.mean(axis=0)
            problem = Problem(X, V, Squared(), architecture, Strength(1.0))
            nothing = no_neurons(problem.lifted.shape[1], 2)
            priced = LocalSearch().price(problem, V, nothing, np.inf, np.random.default_rng(0))
            assert np.isfinite(priced.scores).all() and np.isfinite(priced.neurons.inputs).all()
